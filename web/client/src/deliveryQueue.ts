/**
 * Deliveries on their way to a board. They are applied together, when the page says so: a page shows at most one state per frame.
 *
 * Invariant: deliveries are applied in order, and each once.
 */

import type { Delivery } from "./types.js";

/** Decides when to call `run`, which it gets while nothing is scheduled. Returns a function that cancels it. */
export type Schedule = (run: () => void) => () => void;

const NOTHING = (): void => undefined;

/** The schedule of programs without a screen. */
export const atOnce: Schedule = (run) => {
  run();
  return NOTHING;
};

export class DeliveryQueue {
  readonly #schedule: Schedule;
  readonly #apply: (deliveries: readonly Delivery[]) => void;
  #waiting: Delivery[] = [];
  #cancel: (() => void) | null = null;

  constructor(schedule: Schedule, apply: (deliveries: readonly Delivery[]) => void) {
    this.#schedule = schedule;
    this.#apply = apply;
  }

  push(delivery: Delivery): void {
    this.#waiting.push(delivery);
    if (this.#waiting.length > 1) return;
    const cancel = this.#schedule(() => this.flush());
    if (this.#waiting.length > 0) this.#cancel = cancel;
  }

  /** Apply what waits now. */
  flush(): void {
    const waiting = this.#waiting;
    this.clear();
    if (waiting.length > 0) this.#apply(waiting);
  }

  /** Forget what waits. */
  clear(): void {
    this.#waiting = [];
    this.#cancel?.();
    this.#cancel = null;
  }
}
