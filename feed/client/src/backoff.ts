/**
 * How long to wait before the next attempt.
 *
 * Full jitter: clients that were cut off together do not come back together. Never less than a tenth, so that none is a loop.
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

  /** The next wait in ms; each is drawn from twice the range of the one before. */
  next(): number {
    const cap = this.#cap;
    this.#cap = Math.min(this.#most, cap * 2);
    return cap * (0.1 + 0.9 * this.#random());
  }

  /** The next wait from the whole range, for one who was told that there are too many. */
  longest(): number {
    this.#cap = this.#most;
    return this.next();
  }

  reset(): void {
    this.#cap = this.#first;
  }
}
