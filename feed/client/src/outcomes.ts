/** What became of mutations, for who waits for one and for who hears of all. */

import type { Saved } from "./state.js";

/** After so many ms without an answer a save is one that waits. */
const LONG = 5000;

type Listener = (mutation: string, result: Saved) => void;

export class Outcomes {
  readonly #waiters = new Map<string, (result: Saved) => void>();
  readonly #listeners = new Set<Listener>();

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first that is heard of a mutation. */
  first(mutation: string): Promise<Saved> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end(mutation, "queued"), LONG);
      this.#waiters.set(mutation, (result) => {
        clearTimeout(timer);
        resolve(result);
      });
    });
  }

  tell(mutation: string, result: Saved): void {
    this.#end(mutation, result);
    for (const listener of [...this.#listeners]) listener(mutation, result);
  }

  #end(mutation: string, result: Saved): void {
    this.#waiters.get(mutation)?.(result);
    this.#waiters.delete(mutation);
  }
}
