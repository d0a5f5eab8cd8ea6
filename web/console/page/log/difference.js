// A row before and after the change, side by side. Differences are marked; other columns can be shown.

import { h } from "../dom.js";
import { bytes, t } from "../i18n.js";
import { changedRange, text } from "./textDiff.js";

/** @import { Image } from "../../types" */

/** The number of characters of a long value that are shown at first, and of those before the difference. */
const LONG = 1500;
const LEAD = 200;

/** @param {Image} before @param {Image} after */
export function difference(before, after) {
  if (before === null && after === null) return h("p", { class: "soft" }, t("noRow"));
  const names = [...new Set([...Object.keys(after ?? {}), ...Object.keys(before ?? {})])];
  if (before === null || after === null) return table(names, before, after, t("wholeRow"));
  const changed = names.filter((name) => text(before[name]) !== text(after[name]));
  const same = names.filter((name) => !changed.includes(name));
  return h("div", { class: "difference" },
    changed.length > 0 && table(changed, before, after, t("changed", { count: changed.length })),
    same.length > 0 && h("details", { open: changed.length === 0 }, h("summary", {}, t("unchanged", { count: same.length })),
      table(same, before, after, t("unchanged", { count: same.length }))));
}

/** @param {string[]} names @param {Image} before @param {Image} after @param {string} caption */
function table(names, before, after, caption) {
  const both = before !== null && after !== null;
  return h("table", { class: both ? "columns both" : "columns" }, h("caption", { class: "unseen" }, caption),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("column")),
      before && h("th", { scope: "col" }, t("before")), after && h("th", { scope: "col" }, t("after")))),
    h("tbody", {}, ...names.map((name) => {
      const [old, now] = [before ? text(before[name]) : undefined, after ? text(after[name]) : undefined];
      const differs = both && old !== now;
      return h("tr", {}, h("th", { scope: "row" }, name),
        before && h("td", { class: differs ? "old" : null }, shown(old, differs ? now : undefined, "del")),
        after && h("td", { class: differs ? "new" : null }, shown(now, differs ? old : undefined, "ins")));
    })));
}

/**
 * A value, with its difference to the other one marked.
 * @param {string | undefined} own @param {string | undefined} other @param {"del" | "ins"} tag
 */
function shown(own, other, tag) {
  if (own === undefined) return h("span", { class: "soft" }, t("missingColumn"));
  if (own === "") return h("span", { class: "soft" }, "''");
  const node = h("div", { class: own === "null" ? "value soft" : "value" });
  const short = own.length <= LONG;
  const [head, end] = other === undefined ? [0, 0] : changedRange(own, other);
  /** @param {boolean} whole */
  const fill = (whole) => {
    // Of a long value, show the part that differs.
    const from = whole || short ? 0 : Math.max(0, head - LEAD);
    const to = whole || short ? own.length : Math.min(own.length, from + LONG);
    const [begin, finish] = [Math.min(Math.max(head, from), to), Math.min(Math.max(end, from), to)];
    node.replaceChildren(from > 0 ? "…" : "", own.slice(from, begin), finish > begin ? h(tag, {}, own.slice(begin, finish)) : "",
      own.slice(Math.max(begin, finish), to), to < own.length ? "…" : "",
      short ? "" : h("button", { type: "button", class: "quiet small", onclick: () => fill(!whole) },
        whole ? t("showLess") : t("showAll", { size: bytes(own.length) })));
  };
  fill(false);
  return node;
}
