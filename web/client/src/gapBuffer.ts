/**
 * Holds back deliveries while something that this tab missed is being fetched.
 *
 * Invariant: a fetched state is delivered before anything that arrived after the request. A state must not come after later
 * events, because a deletion in it has no version to compare.
 */
import { Backoff, pause } from "./backoff.js";
import { ProblemError, type Http } from "./http.js";
import { fetchChanges, stateOf } from "./pollingTransport.js";
import type { Timing } from "./timing.js";
import type { Delivery } from "./types.js";

export class GapBuffer {
  readonly #http: Http;
  readonly #timing: Timing;
  readonly #emit: (delivery: Delivery) => void;
  #fetches = 0;
  #held: Delivery[] = [];
  #ended = new AbortController();

  constructor(http: Http, timing: Timing, emit: (delivery: Delivery) => void) {
    this.#http = http;
    this.#timing = timing;
    this.#emit = emit;
  }

  deliver(delivery: Delivery): void {
    // A checkpoint must not be compared with what was fetched after it.
    if (this.#fetches) this.#held.push({ ...delivery, messages: delivery.messages.filter(({ type }) => type !== "checkpoint") });
    else this.#emit(delivery);
  }

  /** Fetch what changed since a cursor and deliver it first. Rejects with errors that a retry cannot fix. */
  async fill(since: string): Promise<void> {
    const { signal } = this.#ended;
    this.#fetches++;
    try {
      for (let from: string | null = since; from !== null; ) from = await this.#fetchPage(from, signal);
    } finally {
      if (--this.#fetches === 0) for (const delivery of this.#held.splice(0)) this.#emit(delivery);
    }
  }

  /** Drop what is held, and stop fetching. */
  clear(): void {
    this.#ended.abort();
    this.#ended = new AbortController();
    this.#held = [];
  }

  /** Returns where the next page begins. */
  async #fetchPage(from: string, signal: AbortSignal): Promise<string | null> {
    const backoff = new Backoff(this.#timing.retry, this.#timing.retryMax);
    for (;;) {
      try {
        const page = await fetchChanges(this.#http, from, signal);
        const messages = stateOf(page);
        if (messages.length > 0 && !signal.aborted) this.#emit({ messages, cursor: null });
        return page.hasMore ? page.lastSync : null;
      } catch (error) {
        if (signal.aborted || !(error instanceof ProblemError)) throw error;
        if (error.status !== 0 && error.status !== 429 && error.status < 500) throw error;
        await pause(error.retryAfter ?? backoff.next(), signal);
      }
    }
  }
}
