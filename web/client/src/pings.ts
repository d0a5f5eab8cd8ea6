/**
 * Measures how far a stream is behind: its messages arrive in order, so what was sent before an answer has arrived before it.
 *
 * Invariant: an answer belongs to the oldest question that has none. A question without an answer for `behind` ms counts as behind,
 * and one without an answer or any other message for `pong` ms as dead.
 */
import type { Timing } from "./timing.js";

/** A timer that fires this many ms late was delayed like everything else: what it waits for may be on its way. */
const LATE = 1_000;

export interface PingEvents {
  ask(): void;
  latency(ms: number): void;
  behind(late: boolean): void;
  dead(): void;
}

export class Pings {
  readonly #timing: Timing;
  readonly #events: PingEvents;
  /** When the questions without an answer were sent. */
  #asked: number[] = [];
  #next: ReturnType<typeof setTimeout> | undefined;
  #behind: ReturnType<typeof setTimeout> | undefined;
  #lastMessage = 0;
  /** The same by the wall clock: performance.now() may stand still while the machine sleeps. */
  #lastTime = 0;

  constructor(timing: Timing, events: PingEvents) {
    this.#timing = timing;
    this.#events = events;
  }

  /** Something arrived. */
  heard(): void {
    this.#lastMessage = performance.now();
    this.#lastTime = Date.now();
  }

  ask(): void {
    const { behind, pong } = this.#timing;
    this.#asked.push(performance.now());
    clearTimeout(this.#behind);
    this.#behind = setTimeout(() => this.#events.behind(true), behind);
    this.#await(pong);
    this.#events.ask();
  }

  /** Ask now, because the page was asleep or the network may be gone. */
  check(): void {
    const { ping, pong } = this.#timing;
    if (Math.abs(Date.now() - this.#lastTime) > ping + pong) this.#events.behind(true);
    this.ask();
  }

  answered(): void {
    const sent = this.#asked.shift();
    if (sent === undefined) return;
    const took = performance.now() - sent;
    this.#events.latency(took);
    if (this.#asked.length > 0) return;
    clearTimeout(this.#behind);
    if (took > this.#timing.behind) return this.ask();
    this.#events.behind(false);
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.ask(), this.#timing.ping);
  }

  stop(): void {
    clearTimeout(this.#next);
    clearTimeout(this.#behind);
  }

  #await(patience: number): void {
    clearTimeout(this.#next);
    const since = performance.now();
    this.#next = setTimeout(() => {
      const late = performance.now() - since > patience + LATE;
      if (late || this.#lastMessage > since) this.#await(patience);
      else this.#events.dead();
    }, patience);
  }
}
