// The view of the log: filters, the live list, and beside it the open change.

import { where } from "../address.js";
import { h, icon, replace, say } from "../dom.js";
import { shortMoment, t } from "../i18n.js";
import { ChangePanel } from "./change.js";
import { Filters } from "./filters.js";
import { List } from "./list.js";
import { dated, heads } from "./row.js";
import { MAX_ROWS_PAGED, Tail } from "./tail.js";

/** @import { ApiError } from "../api.js" */

/** Within this many pixels from the top, the user sees the newest rows. */
const TOP = 8;
/** Highlight at most this many new rows at once: more cannot be followed, and fading them all keeps the browser busy. */
const FOLLOWED = 20;

export class LogView {
  #filters = new Filters();
  #list = new List();
  #panel;
  #refused;
  /** @type {Tail | null} */
  #tail = null;
  #asked = "";
  /** @type {Set<number>} */
  #fresh = new Set();
  #frame = 0;

  #word = h("span", {});
  #state = h("span", { class: "state", role: "status" }, h("i", { class: "dot" }), this.#word);
  #count = h("span", { class: "count" });
  #waiting = h("button", { type: "button", class: "waiting", onclick: () => this.#showNewest() });
  #pauseWord = h("span", {});
  #pauseIcon = h("span", {});
  #pause = h("button", { type: "button", class: "pause", onclick: () => this.#tail?.hold("paused", !this.#tail.paused) },
    this.#pauseIcon, this.#pauseWord);
  #note = h("p", { class: "note", role: "status" });
  #foot = h("div", { class: "foot" });
  #scroller = h("div", { class: "scroller", onscroll: () => this.#tail?.hold("scrolled", this.#scroller.scrollTop > TOP) },
    heads(), this.#list.node, this.#foot);

  node = h("section", { class: "log", "aria-label": t("log") }, this.#filters.node,
    h("div", { class: "bar" }, this.#state, this.#count, h("span", { class: "space" }), this.#waiting, this.#pause),
    this.#note, this.#scroller);

  /** @param {(error: ApiError) => void} refused */
  constructor(refused) {
    this.#refused = refused;
    this.#panel = new ChangePanel(refused, (seq) => this.#list.focus(seq));
  }

  /** Show what the address says. */
  show() {
    const { filters, change } = where();
    this.#filters.show();
    const asked = JSON.stringify(filters);
    if (this.#tail === null || asked !== this.#asked) {
      this.#asked = asked;
      this.#tail?.stop();
      this.#list.clear();
      this.#scroller.scrollTop = 0;
      this.#tail = new Tail(filters, (fresh) => this.#drawSoon(fresh), this.#refused);
      void this.#tail.load();
    }
    this.#list.mark(change);
    if (change !== null) void this.#panel.show(change);
    else this.#panel.close();
  }

  hide() {
    this.#tail?.stop();
    this.#tail = null;
    this.#panel.close();
  }

  #showNewest() {
    this.#scroller.scrollTop = 0;
    this.#tail?.hold("scrolled", false);
    this.#tail?.hold("paused", false);
    this.#pause.focus();
  }

  /** @param {Set<number>} fresh */
  #drawSoon(fresh) {
    for (const seq of fresh) this.#fresh.add(seq);
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#tail) this.#draw(this.#tail);
      this.#fresh.clear();
    });
  }

  /** @param {Tail} tail */
  #draw(tail) {
    const state = tail.paused && tail.state === "live" ? "paused" : tail.state;
    this.#state.dataset["state"] = state;
    say(this.#word, t(state === "failed" ? "failedState" : state));
    say(this.#count, tail.rows.length ? t("shown", { count: tail.rows.length }) : "");
    this.#waiting.hidden = tail.waiting.length === 0;
    replace(this.#waiting, icon("up"), t(tail.waitedMore ? "waitingMost" : "waiting", { count: tail.waiting.length }));
    this.#pause.hidden = tail.state === "fixed" || tail.state === "failed";
    this.#pause.classList.toggle("primary", tail.paused);
    replace(this.#pauseIcon, icon(tail.paused ? "play" : "pause"));
    say(this.#pauseWord, t(tail.paused ? "resume" : "pause"));
    say(this.#note, tail.note ? t(tail.note) : "");
    this.#note.hidden = tail.note === null;
    this.#filters.refuse(tail.error?.problem.errors ?? []);
    this.#scroller.setAttribute("aria-busy", String(tail.state === "loading"));
    this.#list.show(tail.rows, this.#fresh.size > FOLLOWED ? new Set() : this.#fresh);
    this.#list.mark(where().change);
    this.#scroller.classList.toggle("dated", dated(tail.rows));
    this.#scroller.classList.toggle("bare", tail.rows.length === 0);
    replace(this.#foot, ...foot(tail));
  }
}

/** Below the rows: how to see more, or why there are none. @param {Tail} tail */
function foot(tail) {
  if (tail.state === "loading" && !tail.rows.length) {
    return [h("div", { class: "skeleton", role: "status", "aria-label": t("loading") }, ...Array.from({ length: 12 }, () => h("i", {})))];
  }
  if (tail.error) return [failed(tail, tail.error)];
  const further = h("button", { type: "button", "data-key": "older", disabled: tail.reading, onclick: () => tail.older() },
    icon("down"), t(tail.reading ? "loading" : tail.whole ? "older" : "further"));
  if (tail.rows.length >= MAX_ROWS_PAGED) return [h("p", { class: "soft" }, t("shownMost", { count: MAX_ROWS_PAGED }))];
  if (tail.rows.length) return [tail.next === null ? h("p", { class: "soft" }, t("end")) : further];
  if (!tail.whole) {
    const time = tail.back === null ? "" : shortMoment(new Date(tail.back));
    return [empty(t("nothingYet"), t("nothingYetText", { time }), further)];
  }
  const filtered = Object.keys(tail.filters).length > 0;
  return [empty(t(filtered ? "nothing" : "empty"), t(filtered ? "nothingText" : "emptyText"), tail.next !== null && further)];
}

/** @param {Tail} tail @param {ApiError} error */
function failed(tail, error) {
  const errors = error.problem.errors?.map((each) =>
    h("p", {}, h("b", {}, each.pointer.slice(1)), `: ${each.detail.replace(/^Value error, /, "")}`));
  return h("div", { class: "empty error", role: "alert" }, h("h2", {}, t("failed")), ...(errors ?? [h("p", {}, error.message)]),
    h("button", { type: "button", "data-key": "retry", onclick: () => (tail.state === "failed" ? tail.load() : tail.older()) }, t("retry")));
}

/** @param {string} title @param {string} text @param {import("../dom.js").Child} more */
const empty = (title, text, more) => h("div", { class: "empty" }, h("h2", {}, title), h("p", {}, text), more);

