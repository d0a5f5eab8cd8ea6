/** What somebody typed on a card and did not save: kept by user and card until it is saved or discarded. */

import type { Changes, Opportunity } from "./types.js";

export interface Draft {
  /** The card as it was when editing began; null for a card that is not made yet. */
  readonly base: Opportunity | null;
  readonly changes: Changes;
}

export class Drafts {
  readonly #storage: Storage | undefined;
  readonly #prefix: string;
  /** All that were put here, also where storage refuses them. */
  readonly #known = new Map<string, Draft | null>();

  constructor(storage: Storage | undefined, user: string) {
    this.#storage = storage;
    this.#prefix = `boardcast:draft:${encodeURIComponent(user)}:`;
  }

  get(id: string): Draft | null {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    try {
      const kept = JSON.parse(this.#storage?.getItem(this.#prefix + id) ?? "null") as Draft | null;
      return kept?.changes ? kept : null;
    } catch {
      return null;
    }
  }

  put(id: string, draft: Draft): void {
    this.#known.set(id, draft);
    try {
      this.#storage?.setItem(this.#prefix + id, JSON.stringify(draft));
    } catch {
      // Full or forbidden: it lives as long as the page.
    }
  }

  drop(id: string): void {
    this.#known.set(id, null);
    try {
      this.#storage?.removeItem(this.#prefix + id);
    } catch {
      // Forbidden, so there is none.
    }
  }
}
