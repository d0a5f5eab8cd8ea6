// Boards that missed changes: feed.gaps, newest first.

import { only } from "../address.js";
import { h } from "../dom.js";
import { number, shortMoment, t } from "../i18n.js";

/** @import { Gap } from "../../types" */
/** @import { Definition } from "./panel.js" */

/** @type {Definition} */
export const gaps = {
  name: "gaps",
  headings: [
    { name: t("when") }, { name: t("board") }, { name: t("who") }, { name: t("cause") }, { name: t("held"), figures: true },
    { name: t("expected"), figures: true }, { name: t("cards") }, { name: t("instance") },
  ],
  rows: (overview) => overview.gaps.map((gap) => [
    h("time", { datetime: gap.at }, shortMoment(new Date(gap.at))),
    gap.board,
    gap.user_id ?? h("span", { class: "soft" }, t("reportedByService")),
    h("div", { lang: "en" }, h("b", {}, gap.cause), h("p", { class: "fix" }, gap.meaning)),
    number(gap.held_count),
    number(gap.expected_count),
    cards(gap),
    gap.instance,
  ]),
  empty: t("noGaps"),
};

/** Links to the history of each card in the log. @param {Gap} gap */
function cards(gap) {
  if (gap.cards.length === 0) return "–";
  return h("div", { class: "cards" }, ...gap.cards.map((card) =>
    h("a", { href: only({ opportunity: card }), title: card, "data-key": `${gap.at} ${card}` }, card)));
}
