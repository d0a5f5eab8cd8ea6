// The view of the feed's state: a panel for each question that an operator has.

import { h, say } from "../dom.js";
import { briefTime, t } from "../i18n.js";
import { Flags } from "./flags.js";
import { Gaps } from "./gaps.js";
import { Health } from "./health.js";
import { Instances } from "./instances.js";
import { Retention } from "./retention.js";
import { Triggers } from "./triggers.js";

/** @import { Overview } from "../../types" */
/** @import { Trouble } from "../api.js" */

export class FeedView {
  #panels = [new Health(), new Instances(), new Triggers(), new Flags(), new Retention(), new Gaps()];
  #word = h("p", { class: "asof", role: "status" }, t("loading"));
  #body = h("div", { class: "panels", hidden: true }, ...this.#panels.map((panel) => panel.node));

  node = h("section", { class: "feed-view", "aria-label": t("feed") }, this.#word, this.#body);

  /** @param {Overview} overview */
  told(overview) {
    this.#word.classList.remove("failed");
    say(this.#word, t("asOf", { time: briefTime(new Date(overview.at)) }));
    // Who is marking a text to copy it is not disturbed.
    if (this.#isMarked()) return;
    this.#body.hidden = false;
    for (const panel of this.#panels) panel.show(overview);
  }

  /** What was known before stays in sight. @param {Trouble} trouble */
  failed(trouble) {
    this.#word.classList.add("failed");
    say(this.#word, `${t("overviewFailed")} ${trouble.message}`);
  }

  #isMarked() {
    const marked = getSelection();
    return marked !== null && !marked.isCollapsed && this.node.contains(marked.anchorNode);
  }

  show() {
    // All that is shown comes by `told`.
  }

  hide() {
    getSelection()?.removeAllRanges();
  }
}
