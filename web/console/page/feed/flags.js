// Settings made by operators: which transports users may use, and emergency switches. Only `boardcast flags` changes them.

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
      flag.set_by,
    ]));
  }
}

/** @param {Flag} flag */
function whom({ scope, user_id: user, percentage }) {
  if (scope === "user") return user ?? "";
  return scope === "percentage" ? t("percentage", { share: number(percentage ?? 0) }) : t("everybody");
}
