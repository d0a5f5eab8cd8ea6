// What was decided by hand: how users get what is new, and switches that are thrown. Changed by `boardcast flags` alone.

import { h } from "../dom.js";
import { number, shortMoment, t } from "../i18n.js";
import { Panel, mark } from "./panel.js";

/** @import { Flag, Overview } from "../../types" */

export class Flags {
  #panel = new Panel("flags", t("flags"));
  node = this.#panel.node;

  /** @param {Overview} overview */
  show({ flags }) {
    if (flags.length === 0) {
      this.#panel.empty(t("noFlags"));
      return;
    }
    this.#panel.table([
      { name: t("flag") }, { name: t("forWhom") }, { name: t("value") }, { name: t("since") }, { name: t("decidedBy") },
    ], flags.map((flag) => [
      flag.flag,
      whom(flag),
      flag.flag === "realtime" ? flag.value : mark(flag.flag === "capture" ? "bad" : "warning", flag.value),
      h("time", { datetime: flag.at }, shortMoment(new Date(flag.at))),
      flag.who,
    ]));
  }
}

/** @param {Flag} flag */
function whom({ scope, user_id: user, share }) {
  if (scope === "user") return user ?? "";
  return scope === "share" ? t("share", { share: number(share ?? 0) }) : t("everybody");
}
