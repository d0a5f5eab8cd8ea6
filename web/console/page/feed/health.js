// Problems and what to do about them, in the words of feed.health.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { mark, Panel } from "./panel.js";

/** @import { Check, Overview } from "../../types" */

const ORDER = ["bad", "warning", "unknown", "ok"];

/** The worst status of all checks, and a summary. @param {Check[]} health */
export function verdict(health) {
  const worst = /** @type {Check["status"]} */ (ORDER.find((status) => health.some((check) => check.status === status)) ?? "ok");
  const count = health.filter((check) => check.status === worst).length;
  const word = { bad: t("bads", { count }), warning: t("warnings", { count }), unknown: t("unknowns"), ok: t("allWell") }[worst];
  return { worst, word };
}

export class Health {
  #panel = new Panel("health", t("health"));
  node = this.#panel.node;

  /** @param {Overview} overview */
  show({ health }) {
    const { worst, word } = verdict(health);
    this.#panel.beside(mark(worst, word));
    // Checks that need action come first; otherwise in the order of the view.
    const sorted = health.toSorted((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
    this.#panel.table([{ name: t("check") }, { name: t("state") }, { name: t("found") }], sorted.map((check) => [
      h("span", { lang: "en" }, check.topic),
      mark(check.status, t(check.status)),
      h("div", { lang: "en" }, check.found, check.fix !== null && h("p", { class: "fix" }, check.fix)),
    ]));
  }
}
