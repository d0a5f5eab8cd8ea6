// A panel of the feed's state: a title with a note, and a table that scrolls if it is too wide.

import { h, replace } from "../dom.js";
import { t } from "../i18n.js";

/** @import { Overview } from "../../types" */
/** @import { Child } from "../dom.js" */
/** @import { Key } from "../i18n.js" */

/**
 * @typedef {object} Definition
 * @property {Key} name also the key of its title
 * @property {{ name: string, figures?: boolean }[]} headings of the columns; `figures`: its cells are numbers
 * @property {(overview: Overview) => Child[][]} rows
 * @property {string} [empty] shown if there are no rows
 * @property {(overview: Overview) => Child} [beside] shown beside the title
 */

export class Panel {
  #is;
  #beside = h("span", { class: "beside" });
  #body;
  node;

  /** @param {Definition} definition */
  constructor(definition) {
    this.#is = definition;
    const { name } = definition;
    this.#body = h("div", { class: "panel-table", role: "region", "aria-labelledby": `panel-${name}`, tabindex: 0 });
    this.node = h("section", { class: `feed-panel ${name}` }, h("h2", { id: `panel-${name}` }, t(name), this.#beside), this.#body);
  }

  /** @param {Overview} overview */
  show(overview) {
    const { empty, beside } = this.#is;
    const rows = this.#is.rows(overview);
    replace(this.#beside, beside?.(overview));
    replace(this.#body, rows.length === 0 && empty !== undefined ? h("p", { class: "soft" }, empty) : this.#table(rows));
  }

  /** @param {Child[][]} rows */
  #table(rows) {
    const { name, headings } = this.#is;
    return h("table", {}, h("caption", { class: "unseen" }, t(name)),
      h("thead", {}, h("tr", {}, ...headings.map((each) => h("th", { scope: "col", class: each.figures ? "figures" : null }, each.name)))),
      h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((cell, at) =>
        at === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: headings[at]?.figures ? "figures" : null }, cell))))));
  }
}

/**
 * A status in words, with a mark that does not rely on color alone.
 * @param {"ok" | "warning" | "bad" | "unknown"} status @param {string} word
 */
export const mark = (status, word) => h("span", { class: `mark ${status}` }, h("i", { "aria-hidden": "true" }), word);
