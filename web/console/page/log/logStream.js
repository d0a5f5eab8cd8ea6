// The log's event stream. EventSource gives up on anything but 200 and does not say why, so this reconnects itself, from the newest cursor.

import { api } from "../api.js";

/** @import { Change } from "../../types" */

/** A stream that is silent for this many milliseconds, two and a half heartbeats, is dead. */
const SILENCE = 25_000;
const PATIENCE = [500, 1000, 2000, 5000, 10_000];

/**
 * @typedef {object} Handlers
 * @property {(state: "live" | "trouble" | "lost") => void} state
 * @property {(changes: Change[]) => void} changes in the order in which they were committed
 * @property {(why: "reset" | "many") => void} reload the log must be loaded again
 * @property {(error: unknown) => boolean} refused whether the error says that the user was rejected
 */

export class LogStream {
  /** @type {string | null} */
  #cursor = null;
  /** @type {EventSource | null} */
  #source = null;
  #open = false;
  #timer = 0;
  #tries = 0;
  #filters;
  #handlers;

  /** @param {Record<string, string>} filters @param {Handlers} handlers */
  constructor(filters, handlers) {
    this.#filters = filters;
    this.#handlers = handlers;
  }

  /** @param {string | null} cursor */
  open(cursor) {
    this.#open = true;
    this.#cursor = cursor;
    this.#connect();
  }

  close() {
    this.#open = false;
    this.#disconnect();
  }

  #connect() {
    this.#disconnect();
    const source = api.stream(this.#filters, this.#cursor);
    this.#source = source;
    /** @param {string} name @param {(data: any) => void} act */
    const on = (name, act) =>
      source.addEventListener(name, (event) => {
        this.#expectMessage();
        act(JSON.parse(event.data));
        this.#cursor = event.lastEventId || this.#cursor;
      });
    on("ready", () => this.#live());
    on("changes", ({ changes }) => {
      this.#live();
      this.#handlers.changes(changes);
    });
    on("heartbeat", (beat) => (beat.trouble ? this.#handlers.state("trouble") : this.#live()));
    on("trouble", () => this.#handlers.state("trouble"));
    on("reset", () => this.#handlers.reload("reset"));
    on("many", () => this.#handlers.reload("many"));
    on("goodbye", ({ reason }) => this.#again(reason === "expired"));
    source.onerror = () => this.#again(false);
    this.#expectMessage();
  }

  /** @param {boolean} renew the session */
  async #again(renew) {
    this.#disconnect();
    this.#handlers.state("lost");
    const wait = (PATIENCE[Math.min(this.#tries++, PATIENCE.length - 1)] ?? 0) * (0.5 + Math.random());
    try {
      if (renew) await api.renew();
      else if (this.#tries > 1) await api.me();
    } catch (error) {
      if (this.#handlers.refused(error)) return;
    }
    if (this.#open) this.#timer = setTimeout(() => this.#connect(), wait);
  }

  #expectMessage() {
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
    this.#handlers.state("live");
  }
}
