/** What a user typed in a card and did not save, by user and card. Kept until it is saved or discarded. */

import type { Changes, Opportunity } from "./types.js";

export interface Draft {
  /** The card as it was when editing began; null for a card that does not exist yet. */
  readonly base: Opportunity | null;
  readonly changes: Changes;
}

export class Drafts {
  readonly #storage: Storage | undefined;
  readonly #prefix: string;
  /** Drafts of this page, including those that the storage does not accept. */
  readonly #known = new Map<string, Draft | null>();

  constructor(storage: Storage | undefined, user: string) {
    this.#storage = storage;
    this.#prefix = `boardcast:draft:${encodeURIComponent(user)}:`;
  }

  get(id: string): Draft | null {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    try {
      const stored = JSON.parse(this.#storage?.getItem(this.#prefix + id) ?? "null") as Draft | null;
      return stored?.changes ? stored : null;
    } catch {
      return null;
    }
  }

  put(id: string, draft: Draft): void {
    this.#known.set(id, draft);
    try {
      this.#storage?.setItem(this.#prefix + id, JSON.stringify(draft));
    } catch {
      // The storage is full or denied: the draft lives as long as the page.
    }
  }

  drop(id: string): void {
    this.#known.set(id, null);
    try {
      this.#storage?.removeItem(this.#prefix + id);
    } catch {
      // The storage is denied, so there is nothing to remove.
    }
  }
}
