// The rows of the log that are shown, and new ones as they arrive.
//
// Invariant: `rows`, `waiting`, and the pages below `next` are together the whole log that matches the filters, each change once. Neither a
// pause, nor a lost connection, nor the limit on rows loses one. A late commit with a lower number arrives through the stream.

import { api, ApiError, asApiError } from "../api.js";
import { LogStream } from "./logStream.js";

/** @import { Change, LogPage } from "../../types" */

/** The most rows, and the most waiting rows. */
export const MAX_ROWS = 1000;
/** The most rows after the user has asked for older ones. */
export const MAX_ROWS_PAGED = 5000;
/** Milliseconds before a failed request is repeated. */
const AGAIN = 5000;

/** @typedef {"loading" | "failed" | "connecting" | "live" | "trouble" | "lost" | "fixed"} State */
/** @typedef {"paused" | "scrolled"} Hold why new rows wait: the user paused, or has scrolled down */

export class Tail {
  /** @type {Change[]} the newest first */
  rows = [];
  /** @type {Change[]} the newest first */
  waiting = [];
  /** More rows wait than the limit; the others are further down in the log. */
  waitedMore = false;
  /** @type {State} */
  state = "loading";
  /** @type {ApiError | null} */
  error = null;
  /** @type {"reset" | "many" | null} why it was reloaded */
  note = null;
  /** @type {number | null} the `before` of the next page; null: there is none */
  next = null;
  /** @type {string | null} how far back was searched */
  back = null;
  whole = true;
  reading = false;

  /** @type {Set<Hold>} */
  #held = new Set();
  /** @type {Set<number>} */
  #known = new Set();
  #most = MAX_ROWS;
  /** Where to read rows again that were dropped while they waited. */
  #dropped = 0;
  #stream;
  #timer = 0;
  #ended = false;
  #changed;
  #refused;

  /**
   * @param {Record<string, string>} filters
   * @param {(fresh: Set<number>) => void} changed called with the new rows; empty if something else has changed
   * @param {(error: ApiError) => void} refused the user was rejected
   */
  constructor(filters, changed, refused) {
    this.filters = filters;
    this.#changed = changed;
    this.#refused = refused;
    this.#stream = new LogStream(filters, {
      state: (state) => state !== this.state && this.#set({ state }),
      changes: (changes) => this.#arrive(changes),
      reload: (why) => this.load(why),
      refused: (error) => this.#isRefused(error),
    });
  }

  get paused() {
    return this.#held.has("paused");
  }

  /**
   * Load the newest rows, then follow.
   * @param {Tail["note"]} [note]
   */
  async load(note = null) {
    this.#close();
    this.#set({ state: "loading", error: null, note });
    await this.#read();
  }

  async #read() {
    try {
      const page = await api.log(this.filters, null);
      if (this.#ended) return;
      this.rows = page.changes;
      this.waiting = [];
      this.waitedMore = false;
      this.#known = new Set(page.changes.map((change) => change.seq));
      this.#setPosition(page);
      this.error = null;
      const follow = !this.filters["until"];
      this.#set({ state: follow ? "connecting" : "fixed" });
      if (follow) this.#stream.open(page.cursor);
    } catch (error) {
      if (this.#isRefused(error)) return;
      const found = asApiError(error);
      this.#set({ state: "failed", error: found });
      // Waiting does not fix an invalid request.
      if (found.problem.errors === undefined) this.#timer = setTimeout(() => this.#read(), AGAIN);
    }
  }

  /** Load the next page. */
  async older() {
    if (this.next === null || this.reading || this.rows.length >= MAX_ROWS_PAGED) return;
    this.#set({ reading: true });
    try {
      const page = await api.log(this.filters, this.next);
      if (this.#ended) return;
      const unknown = page.changes.filter((change) => !this.#known.has(change.seq));
      for (const change of unknown) this.#known.add(change.seq);
      this.rows = [...this.rows, ...unknown];
      this.#most = Math.min(MAX_ROWS_PAGED, Math.max(MAX_ROWS, this.rows.length));
      this.#setPosition(page);
      this.#set({ reading: false, error: null });
    } catch (error) {
      if (!this.#isRefused(error)) this.#set({ reading: false, error: asApiError(error) });
    }
  }

  /**
   * New rows wait as long as there is a reason.
   * @param {Hold} why @param {boolean} held
   */
  hold(why, held) {
    if (held === this.#held.has(why)) return;
    if (held) this.#held.add(why);
    else this.#held.delete(why);
    if (this.#held.size) {
      this.#changed(new Set());
      return;
    }
    const { waiting, waitedMore } = this;
    this.waiting = [];
    this.waitedMore = false;
    if (waitedMore) {
      this.#continueFrom(this.#dropped);
      this.#continueFrom(this.#forget(this.rows));
      this.rows = [];
    }
    this.#add(waiting);
  }

  stop() {
    this.#ended = true;
    this.#close();
  }

  #close() {
    clearTimeout(this.#timer);
    this.#stream.close();
  }

  /** @param {LogPage} page */
  #setPosition(page) {
    this.next = page.next;
    this.back = page.back;
    this.whole = page.whole;
  }

  /** @param {unknown} error */
  #isRefused(error) {
    if (this.#ended) return true;
    if (!(error instanceof ApiError && error.refused)) return false;
    this.#refused(error);
    return true;
  }

  /** @param {Change[]} changes in the order in which they were committed */
  #arrive(changes) {
    const fresh = changes.filter((change) => !this.#known.has(change.seq)).reverse();
    for (const change of fresh) this.#known.add(change.seq);
    if (this.#held.size === 0) {
      this.#add(fresh);
      return;
    }
    this.waiting = [...fresh, ...this.waiting];
    const over = this.waiting.splice(MAX_ROWS);
    if (over.length) {
      // Do not move `next` yet: pages below the visible rows must be older than those.
      this.#dropped = Math.max(this.waitedMore ? this.#dropped : 0, this.#forget(over));
      this.waitedMore = true;
    }
    this.#changed(new Set());
  }

  /** @param {Change[]} changes the newest first */
  #add(changes) {
    this.rows = [...changes, ...this.rows];
    const over = this.rows.splice(this.#most);
    if (over.length) this.#continueFrom(this.#forget(over));
    this.#changed(new Set(changes.map((change) => change.seq)));
  }

  /**
   * Returns where to read to find these rows again.
   * @param {Change[]} rows
   */
  #forget(rows) {
    for (const row of rows) this.#known.delete(row.seq);
    return rows.reduce((most, row) => Math.max(most, row.seq + 1), 0);
  }

  /** @param {number} before */
  #continueFrom(before) {
    this.next = Math.max(this.next ?? 0, before);
    this.whole = true;
  }

  /** @param {Partial<Pick<Tail, "state" | "error" | "note" | "reading">>} what */
  #set(what) {
    Object.assign(this, what);
    if (!this.#ended) this.#changed(new Set());
  }
}
