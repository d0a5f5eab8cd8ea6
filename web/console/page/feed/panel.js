// A panel of the feed's state: a title with a note, and a table that scrolls if it is too wide.

import { h, replace } from "../dom.js";

/** @import { Child } from "../dom.js" */

/**
 * @typedef {object} Heading
 * @property {string} name
 * @property {boolean} [figures] its cells are numbers
 */

export class Panel {
  #title;
  #beside = h("span", { class: "beside" });
  #body;
  node;

  /** @param {string} name @param {string} title */
  constructor(name, title) {
    this.#title = title;
    this.#body = h("div", { class: "panel-table", role: "region", "aria-labelledby": `panel-${name}`, tabindex: 0 });
    this.node = h("section", { class: `feed-panel ${name}` }, h("h2", { id: `panel-${name}` }, title, this.#beside), this.#body);
  }

  /** @param {Child[]} what */
  beside(...what) {
    replace(this.#beside, ...what);
  }

  /** @param {string} text shown if there are no rows */
  empty(text) {
    replace(this.#body, h("p", { class: "soft" }, text));
  }

  /** @param {Heading[]} headings @param {Child[][]} rows */
  table(headings, rows) {
    replace(this.#body, h("table", {}, h("caption", { class: "unseen" }, this.#title),
      h("thead", {}, h("tr", {}, ...headings.map((each) => h("th", { scope: "col", class: each.figures ? "figures" : null }, each.name)))),
      h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((cell, at) =>
        at === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: headings[at]?.figures ? "figures" : null }, cell)))))));
  }
}

/**
 * A status in words, with a mark that does not rely on color alone.
 * @param {"ok" | "warning" | "bad" | "unknown"} status @param {string} word
 */
export const mark = (status, word) => h("span", { class: `mark ${status}` }, h("i", { "aria-hidden": "true" }), word);
