// The filters of the log: a form whose state is the address.

import { FILTERS, go, link, where } from "../address.js";
import { h, icon } from "../dom.js";
import { t } from "../i18n.js";

const OPS = ["insert", "update", "delete", "truncate", "leave", "enter", "reload"];
const SOURCES = ["api", "app", "psql", "job", "migration", "import", "cascade", "unknown"];
/** Filters that are always visible. */
const FIRST = ["text", "board", "op", "actor", "table", "since", "until"];
/** Milliseconds after the last key press. */
const PAUSE = 350;

/** @typedef {HTMLInputElement | HTMLSelectElement} Input */

export class Filters {
  /** @type {Map<string, Input>} */
  #inputs = new Map(FILTERS.map((name) => [name, input(name)]));
  #more = h("details", { class: "more" }, h("summary", {}, t("moreFilters")),
    h("div", { class: "fields" }, ...FILTERS.filter((name) => !FIRST.includes(name)).map((name) => this.#field(name))));
  #clear = h("button", { type: "button", class: "quiet", onclick: () => go(link(Object.fromEntries(FILTERS.map((name) => [name, null])))) },
    t("clear"));
  #timer = 0;

  node = h("form", { class: "filters", role: "search", "aria-label": t("filters") },
    h("div", { class: "fields" }, ...FIRST.map((name) => this.#field(name)), this.#clear), this.#more);

  constructor() {
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#apply(false);
    });
    this.node.addEventListener("change", () => this.#apply(false));
    this.node.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#apply(true), PAUSE);
    });
  }

  /** Show the filters of the address, except for a field that has the focus. */
  show() {
    const { filters } = where();
    for (const [name, field] of this.#inputs) {
      if (field !== document.activeElement) field.value = filters[name] ?? "";
      field.parentElement?.classList.toggle("set", name in filters);
    }
    this.#clear.hidden = Object.keys(filters).length === 0;
    const hidden = Object.keys(filters).filter((name) => !FIRST.includes(name)).length;
    const summary = this.#more.firstElementChild;
    if (summary) summary.textContent = hidden ? `${t("moreFilters")} (${hidden})` : t("moreFilters");
    if (hidden) this.#more.open = true;
  }

  /**
   * Mark the fields that the API rejected.
   * @param {{ pointer: string, detail: string }[]} faults
   */
  refuse(faults) {
    for (const [name, field] of this.#inputs) {
      const fault = faults.find((each) => each.pointer === `/${name}`);
      field.setAttribute("aria-invalid", String(fault !== undefined));
      field.title = fault?.detail ?? "";
    }
  }

  /** @param {boolean} quietly */
  #apply(quietly) {
    clearTimeout(this.#timer);
    go(link(Object.fromEntries([...this.#inputs].map(([name, field]) => [name, field.value.trim()]))), quietly);
  }

  /** @param {string} name */
  #field(name) {
    const label = t(/** @type {import("../i18n.js").Key} */ (name === "text" ? "search" : name));
    return h("div", { class: "field", "data-filter": name }, h("label", { for: `filter-${name}`, class: name === "text" ? "unseen" : null }, label),
      name === "text" && icon("search"), this.#inputs.get(name));
  }
}

/** @param {string} name @returns {Input} */
function input(name) {
  const id = `filter-${name}`;
  const options = name === "op" ? OPS : name === "source" ? SOURCES : null;
  if (options) {
    return h("select", { id, name }, h("option", { value: "" }, t("any")), ...options.map((each) => h("option", { value: each }, each)));
  }
  const time = name === "since" || name === "until";
  return h("input", { id, name, type: name === "text" ? "search" : "text", autocomplete: "off", spellcheck: "false", maxlength: 200,
    placeholder: name === "text" ? t("search") : time ? t("timeHint") : null });
}
