// The rows that the log shows, and what is coming.
//
// Invariant: `rows`, `waiting` and what is read below `next` are together the whole log that fits, each change once; neither a pause, nor
// a lost connection, nor the bound on what is kept loses one. What is committed late, with a number further down, is told by the stream.

import { api, trouble, Trouble } from "../api.js";

/** @import { Change, LogPage } from "../../types" */

/** Rows that are kept, and as many may wait. */
export const MOST = 1000;
/** Rows that are kept where somebody has asked for older ones. */
export const FAR = 5000;
/** Milliseconds without a word after which a stream is taken for dead: two heartbeats and a half. */
const SILENCE = 25_000;
/** Milliseconds until what could not be loaded is asked for again. */
const AGAIN = 5000;
const PATIENCE = [500, 1000, 2000, 5000, 10_000];

/** @typedef {"loading" | "failed" | "connecting" | "live" | "trouble" | "lost" | "fixed"} State */
/** @typedef {"paused" | "away"} Hold why what comes waits: a person said so, or looks at rows further down */

export class Tail {
  /** @type {Change[]} the newest first */
  rows = [];
  /** @type {Change[]} the newest first */
  waiting = [];
  /** More wait than are kept: they are further down in the log. */
  waitedMore = false;
  /** @type {State} */
  state = "loading";
  /** @type {Trouble | null} */
  trouble = null;
  /** @type {"reset" | "many" | null} why it was loaded anew */
  note = null;
  /** @type {number | null} the `before` of what comes below; null: there is no more */
  next = null;
  /** @type {string | null} how far was looked */
  back = null;
  whole = true;
  reading = false;

  /** @type {Set<Hold>} */
  #held = new Set();
  /** @type {Set<number>} */
  #known = new Set();
  #most = MOST;
  /** What to read from for what waited and was dropped. */
  #dropped = 0;
  /** @type {string | null} */
  #cursor = null;
  /** @type {EventSource | null} */
  #source = null;
  #timer = 0;
  #tries = 0;
  #ended = false;
  #changed;
  #refused;

  /**
   * @param {Record<string, string>} filters
   * @param {(fresh: Set<number>) => void} changed what has just come; nothing: something else is otherwise
   * @param {(trouble: Trouble) => void} refused the person is
   */
  constructor(filters, changed, refused) {
    this.filters = filters;
    this.#changed = changed;
    this.#refused = refused;
  }

  get paused() {
    return this.#held.has("paused");
  }

  /**
   * Read the newest, then follow.
   * @param {Tail["note"]} [note]
   */
  async load(note = null) {
    this.#disconnect();
    this.#set({ state: "loading", trouble: null, note });
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
      this.#reached(page);
      this.#cursor = page.cursor;
      this.trouble = null;
      if (this.filters["until"]) this.#set({ state: "fixed" });
      else this.#connect();
    } catch (error) {
      if (this.#isRefused(error)) return;
      const found = trouble(error);
      this.#set({ state: "failed", trouble: found });
      // What is wrong with a question does not pass by waiting.
      if (found.problem.errors === undefined) this.#timer = setTimeout(() => this.#read(), AGAIN);
    }
  }

  /** Read what comes below. */
  async older() {
    if (this.next === null || this.reading || this.rows.length >= FAR) return;
    this.#set({ reading: true });
    try {
      const page = await api.log(this.filters, this.next);
      if (this.#ended) return;
      const unknown = page.changes.filter((change) => !this.#known.has(change.seq));
      for (const change of unknown) this.#known.add(change.seq);
      this.rows = [...this.rows, ...unknown];
      this.#most = Math.min(FAR, Math.max(MOST, this.rows.length));
      this.#reached(page);
      this.#set({ reading: false, trouble: null });
    } catch (error) {
      if (!this.#isRefused(error)) this.#set({ reading: false, trouble: trouble(error) });
    }
  }

  /**
   * What comes waits as long as there is a reason.
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
      this.#goOnFrom(this.#dropped);
      this.#goOnFrom(this.#forget(this.rows));
      this.rows = [];
    }
    this.#add(waiting);
  }

  stop() {
    this.#ended = true;
    this.#disconnect();
  }

  /** @param {LogPage} page */
  #reached(page) {
    this.next = page.next;
    this.back = page.back;
    this.whole = page.whole;
  }

  #connect() {
    this.#disconnect();
    if (this.state !== "lost") this.#set({ state: "connecting" });
    const source = api.stream(this.filters, this.#cursor);
    this.#source = source;
    /** @param {string} name @param {(data: any) => void} act */
    const on = (name, act) =>
      source.addEventListener(name, (event) => {
        this.#expectWord();
        const data = JSON.parse(event.data);
        act(data);
        this.#cursor = event.lastEventId || this.#cursor;
      });
    on("ready", () => this.#live());
    on("changes", ({ changes }) => {
      this.#live();
      this.#arrive(changes);
    });
    on("heartbeat", (beat) => (beat.trouble ? this.#set({ state: "trouble" }) : this.#live()));
    on("trouble", () => this.#set({ state: "trouble" }));
    on("reset", () => this.load("reset"));
    on("many", () => this.load("many"));
    on("goodbye", ({ reason }) => this.#again(reason === "expired"));
    source.onerror = () => this.#again(false);
    this.#expectWord();
  }

  /**
   * EventSource gives up on anything but 200 and does not say why: each connection is ours to make, from the newest cursor.
   * @param {boolean} renew the session
   */
  async #again(renew) {
    this.#disconnect();
    this.#set({ state: "lost" });
    const wait = (PATIENCE[Math.min(this.#tries++, PATIENCE.length - 1)] ?? 0) * (0.5 + Math.random());
    try {
      if (renew) await api.renew();
      else if (this.#tries > 1) await api.me();
    } catch (error) {
      if (this.#isRefused(error)) return;
    }
    if (!this.#ended) this.#timer = setTimeout(() => this.#connect(), wait);
  }

  /** @param {unknown} error */
  #isRefused(error) {
    if (this.#ended) return true;
    if (!(error instanceof Trouble && error.refused)) return false;
    this.#refused(error);
    return true;
  }

  #expectWord() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#again(false), SILENCE);
  }

  #disconnect() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #live() {
    this.#tries = 0;
    if (this.state !== "live") this.#set({ state: "live" });
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
    const over = this.waiting.splice(MOST);
    if (over.length) {
      // Not `next` yet: what is read below the rows that are shown must be older than they are.
      this.#dropped = Math.max(this.waitedMore ? this.#dropped : 0, this.#forget(over));
      this.waitedMore = true;
    }
    this.#changed(new Set());
  }

  /** @param {Change[]} changes the newest first */
  #add(changes) {
    this.rows = [...changes, ...this.rows];
    const over = this.rows.splice(this.#most);
    if (over.length) this.#goOnFrom(this.#forget(over));
    this.#changed(new Set(changes.map((change) => change.seq)));
  }

  /**
   * What to read from so that they are found again.
   * @param {Change[]} rows
   */
  #forget(rows) {
    for (const row of rows) this.#known.delete(row.seq);
    return rows.reduce((most, row) => Math.max(most, row.seq + 1), 0);
  }

  /** @param {number} before */
  #goOnFrom(before) {
    this.next = Math.max(this.next ?? 0, before);
    this.whole = true;
  }

  /** @param {Partial<Pick<Tail, "state" | "trouble" | "note" | "reading">>} what */
  #set(what) {
    Object.assign(this, what);
    if (!this.#ended) this.#changed(new Set());
  }
}
