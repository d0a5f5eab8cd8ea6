// One change in the list: a link to its details.

import { link } from "../address.js";
import { h, icon } from "../dom.js";
import { dayOf, isToday, t, timeOfDay } from "../i18n.js";

/** @import { Change } from "../../types" */

/**
 * @param {Change} change
 * @param {boolean} fresh it is new
 */
export function row(change, fresh) {
  const at = new Date(change.at);
  const title = change.title ?? change.key ?? change.relation;
  return h("li", { class: fresh ? "fresh" : null },
    h("a", { class: "row", href: link({ change: change.seq }), "data-key": change.seq, tabindex: -1 },
      h("span", { class: "at" }, isToday(at) ? null : h("span", { class: "day" }, `${dayOf(at)} `),
        h("time", { datetime: change.at, title: change.at }, timeOfDay(at))),
      operation(change.op),
      h("span", { class: "relation", title: change.relation }, change.relation),
      h("span", { class: "what", title: change.changes ? `${title} · ${change.changes}` : title },
        h("b", {}, title), change.changes && h("span", { class: "changes" }, change.changes)),
      h("span", { class: "who", title: `${change.actor} · ${change.source}` },
        h("span", { class: "actor" }, change.actor), h("span", { class: "source" }, change.source)),
      h("span", { class: "board-name", title: change.board }, change.board ?? ""),
      h("span", { class: "step" }, change.step === "1 of 1" ? "" : change.step),
      h("span", { class: "xid" }, change.xid),
      h("span", { class: change.notified ? "bell" : "bell off", title: t(change.notified ? "notifySent" : "notifySkipped") }, icon("bell"),
        h("span", { class: "unseen" }, t(change.notified ? "notifySent" : "notifySkipped")))));
}

/**
 * Whether to show dates, which take room: the last change is the oldest, or nearly.
 * @param {Change[]} changes
 */
export function dated(changes) {
  const oldest = changes.at(-1);
  return oldest !== undefined && !isToday(new Date(oldest.at));
}

/** The column headings of the list. */
export function heads() {
  return h("div", { class: "heads", "aria-hidden": "true" }, ...[
    t("when"), t("op"), t("table"), t("what"), t("who"), t("board"), t("stepHead"), t("xid"), "",
  ].map((name) => h("span", {}, name)));
}

/** @param {string} op */
export const operation = (op) => h("span", { class: `op ${op}` }, op);
