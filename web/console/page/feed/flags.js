// Settings made by operators: which transports users may use, and emergency switches. Only `boardcast flags` changes them.

import { h } from "../dom.js";
import { number, shortMoment, t } from "../i18n.js";
import { mark } from "./panel.js";

/** @import { Flag } from "../../types" */
/** @import { Definition } from "./panel.js" */

/** @type {Definition} */
export const flags = {
  name: "flags",
  headings: [{ name: t("flag") }, { name: t("appliesTo") }, { name: t("value") }, { name: t("since") }, { name: t("setBy") }],
  rows: (overview) => overview.flags.map((flag) => [
    flag.flag,
    whom(flag),
    flag.flag === "realtime" || flag.flag === "seal" ? flag.value : mark(flag.flag === "capture" ? "bad" : "warning", flag.value),
    h("time", { datetime: flag.at }, shortMoment(new Date(flag.at))),
    flag.set_by,
  ]),
  empty: t("noFlags"),
};

/** @param {Flag} flag */
function whom({ scope, user_id: user, percentage }) {
  if (scope === "user") return user ?? "";
  return scope === "percentage" ? t("percentage", { share: number(percentage ?? 0) }) : t("everybody");
}
