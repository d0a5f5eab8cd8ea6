/** The results of mutations, for callers that wait for one and listeners that get all. */

import { Listeners } from "./listeners.js";
import type { SaveResult } from "./state.js";

/** A save without a response after this many ms is reported as queued. */
const LONG = 5000;

type Listener = (mutation: string, result: SaveResult) => void;

export class Outcomes {
  readonly #waiters = new Map<string, (result: SaveResult) => void>();
  readonly #listeners = new Listeners<Parameters<Listener>>();

  listen(listener: Listener): () => void {
    return this.#listeners.add((outcome) => listener(...outcome));
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
    this.#listeners.call([mutation, result]);
  }

  #resolve(mutation: string, result: SaveResult): void {
    this.#waiters.get(mutation)?.(result);
    this.#waiters.delete(mutation);
  }
}
