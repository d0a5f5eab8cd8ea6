// The view of the feed's state, with a panel for each question an operator may have.

import { h, say } from "../dom.js";
import { briefTime, t } from "../i18n.js";
import { flags } from "./flags.js";
import { gaps } from "./gaps.js";
import { health } from "./health.js";
import { instances } from "./instances.js";
import { Panel } from "./panel.js";
import { retention } from "./retention.js";
import { triggers } from "./triggers.js";

/** @import { Overview } from "../../types" */
/** @import { ApiError } from "../api.js" */

export class FeedView {
  #panels = [health, instances, triggers, flags, retention, gaps].map((definition) => new Panel(definition));
  #word = h("p", { class: "asof", role: "status" }, t("loading"));
  #body = h("div", { class: "panels", hidden: true }, ...this.#panels.map((panel) => panel.node));

  node = h("section", { class: "feed-view", "aria-label": t("feed") }, this.#word, this.#body);

  /** @param {Overview} overview */
  update(overview) {
    this.#word.classList.remove("failed");
    say(this.#word, t("asOf", { time: briefTime(new Date(overview.at)) }));
    // Do not replace a text that the user has selected to copy.
    if (this.#isMarked()) return;
    this.#body.hidden = false;
    for (const panel of this.#panels) panel.show(overview);
  }

  /** The last known state stays visible. @param {ApiError} error */
  failed(error) {
    this.#word.classList.add("failed");
    say(this.#word, `${t("overviewFailed")} ${error.message}`);
  }

  #isMarked() {
    const marked = getSelection();
    return marked !== null && !marked.isCollapsed && this.node.contains(marked.anchorNode);
  }

  show() {
    // `update` brings everything that is shown.
  }

  hide() {
    getSelection()?.removeAllRanges();
  }
}
