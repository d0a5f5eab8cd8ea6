/**
 * Functions to call with each new value.
 *
 * Invariant: a listener that throws affects neither the other listeners nor the caller.
 */

import { isolated } from "./reportUncaught.js";

export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();

  /** Returns a function that unsubscribes. */
  add(listener: (value: T) => void): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  call(value: T): void {
    for (const listener of [...this.#all]) isolated(() => listener(value));
  }
}
