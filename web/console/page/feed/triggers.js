// Captured tables, their triggers, and what the triggers cost.

import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { mark } from "./panel.js";

/** @import { Definition } from "./panel.js" */

const FED = ["on", "always"];

/** @type {Definition} */
export const triggers = {
  name: "triggers",
  headings: [
    { name: t("table") }, { name: t("trigger") }, { name: t("state") }, { name: t("function") }, { name: t("key") }, { name: t("board") },
    { name: t("calls"), figures: true }, { name: t("cost"), figures: true },
  ],
  rows: (overview) => overview.triggers.map((each) => [
    each.relation,
    each.trigger,
    mark(FED.includes(each.state) ? "ok" : "bad", each.state),
    each.function,
    each.key?.join(", ") ?? "–",
    each.board ?? "–",
    each.calls === null ? "–" : number(each.calls),
    each.us_per_call === null ? "–" : t("perCall", { value: number(each.us_per_call) }),
  ]),
  empty: t("noTriggers"),
  beside: (overview) => overview.triggers.length > 0 && overview.triggers.every((each) => each.calls === null)
    && h("span", { class: "soft" }, t("costHint")),
};
