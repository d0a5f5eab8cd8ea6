// Problems and what to do about them, in the words of feed.health.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { mark } from "./panel.js";

/** @import { Check } from "../../types" */
/** @import { Definition } from "./panel.js" */

const ORDER = ["bad", "warning", "unknown", "ok"];

/** The worst status of all checks, and a summary. @param {Check[]} checks */
export function verdict(checks) {
  const worst = /** @type {Check["status"]} */ (ORDER.find((status) => checks.some((check) => check.status === status)) ?? "ok");
  const count = checks.filter((check) => check.status === worst).length;
  const word = { bad: t("problems", { count }), warning: t("warnings", { count }), unknown: t("unknowns"), ok: t("noProblems") }[worst];
  return { worst, word };
}

/** @type {Definition} */
export const health = {
  name: "health",
  headings: [{ name: t("check") }, { name: t("state") }, { name: t("found") }],
  // Checks that need action come first; otherwise in the order of the view.
  rows: (overview) => overview.health.toSorted((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status)).map((check) => [
    h("span", { lang: "en" }, check.topic),
    mark(check.status, t(check.status)),
    h("div", { lang: "en" }, check.found, check.fix !== null && h("p", { class: "fix" }, check.fix)),
  ]),
  beside: (overview) => {
    const { worst, word } = verdict(overview.health);
    return mark(worst, word);
  },
};
