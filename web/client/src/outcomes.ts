/** The results of mutations, for callers that wait for one and listeners that get all. */

import type { SaveResult } from "./state.js";

/** A save without a response after this many ms is reported as queued. */
const LONG = 5000;

type Listener = (mutation: string, result: SaveResult) => void;

export class Outcomes {
  readonly #waiters = new Map<string, (result: SaveResult) => void>();
  readonly #listeners = new Set<Listener>();

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first result of a mutation. */
  first(mutation: string): Promise<SaveResult> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#resolve(mutation, "queued"), LONG);
      this.#waiters.set(mutation, (result) => {
        clearTimeout(timer);
        resolve(result);
      });
    });
  }

  report(mutation: string, result: SaveResult): void {
    this.#resolve(mutation, result);
    for (const listener of [...this.#listeners]) listener(mutation, result);
  }

  #resolve(mutation: string, result: SaveResult): void {
    this.#waiters.get(mutation)?.(result);
    this.#waiters.delete(mutation);
  }
}
