/**
 * How long to wait before the next attempt.
 *
* Full jitter, so that clients that were disconnected together do not reconnect together. Never less than a tenth of the range, so
 * that no client retries in a tight loop.
 */
export class Backoff {
  readonly #first: number;
  readonly #most: number;
  readonly #random: () => number;
  #cap: number;

  constructor(first: number, most: number, random: () => number = Math.random) {
    this.#first = this.#cap = first;
    this.#most = most;
    this.#random = random;
  }

  /** The next wait in ms. Each is drawn from a range twice as large as the one before. */
  next(): number {
    const cap = this.#cap;
    this.#cap = Math.min(this.#most, cap * 2);
    return cap * (0.1 + 0.9 * this.#random());
  }

  /** The next wait, from the largest range: for when the service says that there are too many clients. */
  longest(): number {
    this.#cap = this.#most;
    return this.next();
  }

  reset(): void {
    this.#cap = this.#first;
  }
}

/** Wait, or until the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
