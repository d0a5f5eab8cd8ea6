/**
 * What this tab's listeners are told, and when.
 *
 * Invariant: while something that was missed is fetched, what arrives meanwhile waits. A state is of its moment, and must not come
 * after what happened later: a deletion has no version to be known by.
 */
import { Backoff } from "./backoff.js";
import { ProblemError, type Http } from "./http.js";
import { sync } from "./polling.js";
import type { Timing } from "./timing.js";
import type { Delivery } from "./types.js";

export class Gate {
  readonly #http: Http;
  readonly #timing: Timing;
  readonly #emit: (delivery: Delivery) => void;
  #filling = 0;
  #waiting: Delivery[] = [];
  #ended = new AbortController();

  constructor(http: Http, timing: Timing, emit: (delivery: Delivery) => void) {
    this.#http = http;
    this.#timing = timing;
    this.#emit = emit;
  }

  take(delivery: Delivery): void {
    // What a checkpoint says is not to be compared with what was fetched after it.
    if (this.#filling) this.#waiting.push({ ...delivery, messages: delivery.messages.filter(({ type }) => type !== "checkpoint") });
    else this.#emit(delivery);
  }

  /** Fetch what changed since a cursor, and tell it before anything else. Rejects with what asking again does not mend. */
  async fill(since: string): Promise<void> {
    const { signal } = this.#ended;
    this.#filling++;
    try {
      for (let from: string | null = since; from !== null; ) from = await this.#page(from, signal);
    } finally {
      if (--this.#filling === 0) for (const delivery of this.#waiting.splice(0)) this.#emit(delivery);
    }
  }

  /** Forget what waits, and what is being fetched. */
  shut(): void {
    this.#ended.abort();
    this.#ended = new AbortController();
    this.#waiting = [];
  }

  /** Where the next page begins. */
  async #page(from: string, signal: AbortSignal): Promise<string | null> {
    const waits = new Backoff(this.#timing.round, this.#timing.roundMost);
    for (;;) {
      try {
        const { opportunities, deletedIds, lastSync, hasMore } = await sync(this.#http, from, signal);
        const some = opportunities.length > 0 || deletedIds.length > 0;
        if (some && !signal.aborted) this.#emit({ messages: [{ type: "state", opportunities, deletedIds, at: lastSync }], cursor: null });
        return hasMore ? lastSync : null;
      } catch (error) {
        if (signal.aborted || !(error instanceof ProblemError)) throw error;
        if (error.status !== 0 && error.status !== 429 && error.status < 500) throw error;
        const wait = error.retryAfter ?? waits.next();
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }
}
