// One change with all its details, beside the list, or over it if there is no room.

import { go, link, only } from "../address.js";
import { api, asApiError } from "../api.js";
import { h, icon } from "../dom.js";
import { fullTime, t, timeOfDay } from "../i18n.js";
import { difference } from "./difference.js";
import { dated, operation, row } from "./row.js";
import { elapsed } from "./elapsed.js";

/** @import { Change, Step, ChangeDetail } from "../../types" */
/** @import { ApiError } from "../api.js" */
/** @import { Child } from "../dom.js" */

export class ChangePanel {
  #room = matchMedia("(width >= 75rem)");
  #head = h("h2", { id: "change-title", tabindex: "-1" });
  #op = h("span", { class: "head-op" });
  #copied = h("span", { role: "status" }, t("copyLink"));
  #body = h("div", { class: "panel-body" });
  #dialog = h("dialog", { class: "panel", "aria-labelledby": "change-title" },
    h("header", { class: "panel-head" }, this.#op, this.#head, h("span", { class: "space" }),
      h("button", { type: "button", class: "quiet", onclick: () => void this.#copy() }, icon("copy"), this.#copied),
      h("button", { type: "button", class: "quiet", "aria-label": t("close"), onclick: leave }, icon("close"))),
    this.#body);
  /** @type {string | null} */
  #shown = null;
  #refused;
  #closed;

  /**
   * @param {(error: ApiError) => void} refused
   * @param {(seq: string) => void} closed the element with the focus is gone
   */
  constructor(refused, closed) {
    this.#refused = refused;
    this.#closed = closed;
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      leave();
    });
    this.#dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      leave();
    });
    // When the available room changes, move the panel beside the list or over it.
    this.#room.addEventListener("change", () => {
      if (!this.#dialog.open) return;
      this.#dialog.close();
      this.#open();
    });
  }

  /** @param {string} seq */
  async show(seq) {
    if (this.#shown === seq) return;
    this.#shown = seq;
    this.#fill(null, h("p", { class: "soft", role: "status" }, t("loading")));
    try {
      const detail = await api.change(seq);
      if (this.#shown === seq) this.#fill(detail.change, whole(detail));
    } catch (error) {
      if (this.#shown === seq) this.#fail(seq, asApiError(error));
    }
  }

  close() {
    if (this.#shown === null) return;
    const inside = this.#dialog.contains(document.activeElement);
    const seq = this.#shown;
    this.#shown = null;
    this.#dialog.close();
    this.#dialog.remove();
    delete document.documentElement.dataset["panel"];
    if (inside) this.#closed(seq);
  }

  /** @param {Change | null} change @param {Child[]} content */
  #fill(change, ...content) {
    this.#head.textContent = t("change", { seq: this.#shown ?? "" });
    this.#op.replaceChildren(change ? operation(change.op) : "");
    this.#copied.textContent = t("copyLink");
    const lost = this.#body.contains(document.activeElement);
    this.#body.replaceChildren(...content.filter((each) => each instanceof Node));
    this.#body.scrollTop = 0;
    if (!this.#dialog.open) this.#open();
    else if (lost) this.#head.focus();
  }

  #open() {
    if (!this.#dialog.isConnected) document.body.append(this.#dialog);
    document.documentElement.dataset["panel"] = "";
    if (this.#room.matches) this.#dialog.show();
    else this.#dialog.showModal();
    this.#head.focus();
  }

  /** @param {string} seq @param {ApiError} error */
  #fail(seq, error) {
    if (error.refused) {
      this.#refused(error);
      return;
    }
    const missing = error.slug === "unknown-change";
    const again = h("button", { type: "button", onclick: () => {
      this.#shown = null;
      void this.show(seq);
    } }, t("retry"));
    this.#fill(null, h("div", { class: missing ? "empty" : "empty error", role: "alert" },
      h("h3", {}, missing ? t("changeMissing", { seq }) : t("changeFailed")), h("p", {}, error.message), !missing && again));
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(location.href);
      this.#copied.textContent = t("copied");
    } catch {
      this.#copied.textContent = t("copyDenied");
    }
  }
}

const leave = () => go(link({ change: null }));

/** @param {ChangeDetail} detail */
function whole({ change, transaction, transaction_whole: complete, explain }) {
  const others = transaction.filter((each) => each.seq !== change.seq);
  return h("div", { class: "detail" },
    h("p", { class: "title" }, change.title ?? change.key ?? change.relation),
    difference(change.old, change.new),
    h("h3", {}, t("delivery")), timeline(explain),
    h("h3", {}, t("from")), facts(change),
    h("p", { class: "links" },
      change.key !== null && h("a", { href: only({ table: change.relation, key: change.key, change: change.seq }) }, t("history")),
      h("a", { href: only({ xid: change.xid, change: change.seq }) }, t("sameTransaction"))),
    others.length > 0 && h("h3", {}, t("others")),
    !complete && h("p", { class: "soft" }, t("othersMore", { count: transaction.length })),
    others.length > 0 && h("ul", { class: dated(others) ? "rows compact dated" : "rows compact" }, ...others.map(tabbable)));
}

/** In this list, each row is a tab stop. @param {Change} change */
function tabbable(change) {
  const item = row(change, false);
  item.querySelector("a")?.removeAttribute("tabindex");
  return item;
}

/** @param {Change} change */
function facts(change) {
  const at = new Date(change.at);
  /** @type {[string, Child | number][]} */
  const pairs = [
    [t("when"), h("time", { datetime: change.at }, `${fullTime(at)} · ${timeOfDay(at)}`)],
    [t("who"), `${change.actor} · ${change.source}`],
    [t("table"), change.relation],
    [t("key"), change.key],
    [t("board"), change.board],
    [t("version"), change.version],
    [t("xid"), `${change.xid} · ${change.step}`],
    [t("origin"), change.origin],
    [t("application"), change.application],
    [t("address"), change.client_addr ?? t("local")],
    [t("dbUser"), `${change.db_user} · ${t("pid")} ${change.pid}`],
    [t("notify"), t(change.notified ? "notifySent" : "notifySkipped")],
  ];
  return h("dl", { class: "facts" }, ...pairs.filter(([, value]) => value !== null && value !== "").flatMap(([name, value]) =>
    [h("dt", {}, name), h("dd", {}, typeof value === "number" ? String(value) : value)]));
}

/**
 * The steps of feed.explain() in the database's words, with the time since the write.
 * @param {Step[]} steps
 */
function timeline(steps) {
  const begin = steps.find((each) => each.step === "write")?.at ?? null;
  return h("ol", { class: "timeline" }, ...steps.map((each) => h("li", {},
    h("span", { class: "step-name", lang: "en" }, each.step),
    each.at !== null && h("time", { datetime: each.at, title: fullTime(new Date(each.at)) }, timeOfDay(new Date(each.at))),
    h("span", { class: "after" }, begin !== null && each.at !== null && each.step !== "write" ? elapsed(begin, each.at) : ""),
    h("p", { lang: "en" }, each.what))));
}
