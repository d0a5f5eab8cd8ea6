/**
 * Where the unsent and rejected writes of a board survive the page, by user and board.
 *
 * Each page has a key of its own, and takes over what pages that are gone have left. Without Web Locks the browser cannot tell which
 * pages are gone, so everything is taken over: a write that is sent twice has no effect the second time.
 */

import { newId } from "./ids.js";
import type { Write } from "./pending.js";
import type { RejectedWrite } from "./state.js";

/** How long a closing page may take to release its lock, in ms. */
const LEAVING = 300;

export interface StoredWrites {
  readonly writes: readonly Write[];
  readonly rejectedWrites: readonly RejectedWrite[];
}

export class Outbox {
  readonly #storage: Storage | undefined;
  readonly #prefix: string;
  readonly #own: string;
  readonly #locks = (globalThis.navigator as Navigator | undefined)?.locks;
  #release: () => void = () => {};

  constructor(storage: Storage | undefined, user: string, board: string) {
    this.#storage = storage;
    this.#prefix = `boardcast:writes:${encodeURIComponent(user)}:${encodeURIComponent(board)}:`;
    this.#own = this.#prefix + newId();
  }

  /** Take over what other pages have left. */
  async open(): Promise<StoredWrites> {
    if (!this.#storage) return { writes: [], rejectedWrites: [] };
    void this.#locks?.request(this.#own, () => new Promise<void>((done) => (this.#release = done)));
    const all = { writes: [] as Write[], rejectedWrites: [] as RejectedWrite[] };
    for (const key of keysOf(this.#storage).filter((key) => key.startsWith(this.#prefix) && key !== this.#own)) {
      await this.#ifAbandoned(key, () => {
        const left = read(this.#storage?.getItem(key) ?? null);
        all.writes.push(...left.writes);
        all.rejectedWrites.push(...left.rejectedWrites);
        this.save(all); // before it is removed from where it was
      });
    }
    return all;
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
    this.#release();
  }

  async #ifAbandoned(key: string, take: () => void): Promise<void> {
    const taken = (): void => {
      take();
      this.#storage?.removeItem(key);
    };
    if (!this.#locks) return taken();
    // A closing page releases its lock after a moment; a page that stays keeps what it has.
    await this.#locks.request(key, { signal: AbortSignal.timeout(LEAVING) }, taken).catch(() => undefined);
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
