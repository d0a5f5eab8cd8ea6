/**
 * Where the unsent and rejected writes of a board survive the page, by user and board.
 *
 * Each page has a key of its own and holds a lock of that name. It takes over what is left under the keys of pages that are gone, and
 * waits for the others to go. Without Web Locks the browser cannot tell which pages are gone, so everything is taken over: a write
 * that is sent twice has no effect the second time.
 */

import { newId } from "./ids.js";
import type { Write } from "./pending.js";
import type { RejectedWrite } from "./state.js";

export interface StoredWrites {
  readonly writes: readonly Write[];
  readonly rejectedWrites: readonly RejectedWrite[];
}

export class Outbox {
  readonly #storage: Storage | undefined;
  readonly #prefix: string;
  readonly #own: string;
  readonly #locks = (globalThis.navigator as Navigator | undefined)?.locks;
  readonly #closed = new AbortController();

  constructor(storage: Storage | undefined, user: string, board: string) {
    this.#storage = storage;
    this.#prefix = `boardcast:writes:${encodeURIComponent(user)}:${encodeURIComponent(board)}:`;
    this.#own = this.#prefix + newId();
  }

  /**
   * Take over what other pages have left. `take` has to save it here: then it is removed from where it was. It is called before this
   * resolves, and again whenever a page that was open at this time closes: at once, or after minutes.
   */
  async open(take: (left: StoredWrites) => void): Promise<void> {
    const storage = this.#storage;
    if (!storage) return;
    void this.#locks?.request(this.#own, () => new Promise<void>((done) => this.#whenClosed(done)));
    const takeOver = (key: string): void => {
      const text = this.#closed.signal.aborted ? null : storage.getItem(key);
      if (text === null) return;
      take(read(text));
      storage.removeItem(key);
    };
    const others = keysOf(storage).filter((key) => key.startsWith(this.#prefix) && key !== this.#own);
    await Promise.all(others.map((key) => this.#whenAbandoned(key, () => takeOver(key))));
  }

  save({ writes, rejectedWrites }: StoredWrites): void {
    try {
      if (writes.length + rejectedWrites.length === 0) this.#storage?.removeItem(this.#own);
      else this.#storage?.setItem(this.#own, JSON.stringify({ writes, rejectedWrites }));
    } catch {
      // The storage is full or denied: the writes live as long as the page.
    }
  }

  close(): void {
    this.#closed.abort();
  }

  /** Call `then` now if the key's page is gone, and otherwise once it is. */
  async #whenAbandoned(key: string, then: () => void): Promise<void> {
    if (!this.#locks) return then();
    const gone = await this.#locks.request(key, { ifAvailable: true }, (lock) => {
      if (lock) then();
      return lock !== null;
    });
    if (!gone) void this.#locks.request(key, { signal: this.#closed.signal }, then).catch(() => undefined);
  }

  #whenClosed(done: () => void): void {
    if (this.#closed.signal.aborted) done();
    else this.#closed.signal.addEventListener("abort", done);
  }
}

function keysOf(storage: Storage): string[] {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
}

function read(text: string | null): StoredWrites {
  try {
    const stored = JSON.parse(text ?? "{}") as Partial<StoredWrites>;
    return { writes: stored.writes ?? [], rejectedWrites: stored.rejectedWrites ?? [] };
  } catch {
    return { writes: [], rejectedWrites: [] };
  }
}
