/**
 * Where a board's unsent writes and orphans outlive the page, by user and board.
 *
 * Each page keeps its own under a key of its own, and takes over what pages that are gone have left. Where the browser cannot
 * tell who is gone (no Web Locks) all is taken over: a write that is sent twice finds itself done.
 */

import { newId } from "./ids.js";
import type { Write } from "./pending.js";
import type { Orphan } from "./state.js";

/** How long a page may take to let go of what it leaves, in ms. */
const LEAVING = 300;

export interface Kept {
  readonly writes: readonly Write[];
  readonly orphans: readonly Orphan[];
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

  /** Take over what was left. */
  async open(): Promise<Kept> {
    if (!this.#storage) return { writes: [], orphans: [] };
    void this.#locks?.request(this.#own, () => new Promise<void>((done) => (this.#release = done)));
    const all = { writes: [] as Write[], orphans: [] as Orphan[] };
    for (const key of keysOf(this.#storage).filter((key) => key.startsWith(this.#prefix) && key !== this.#own)) {
      await this.#ifAbandoned(key, () => {
        const left = read(this.#storage?.getItem(key) ?? null);
        all.writes.push(...left.writes);
        all.orphans.push(...left.orphans);
        this.keep(all); // before it goes from where it was
      });
    }
    return all;
  }

  keep({ writes, orphans }: Kept): void {
    try {
      if (writes.length + orphans.length === 0) this.#storage?.removeItem(this.#own);
      else this.#storage?.setItem(this.#own, JSON.stringify({ writes, orphans }));
    } catch {
      // Storage that is full or forbidden: this page's memory has to do.
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
    // A page that goes lets go a moment later; one that stays keeps what it has.
    await this.#locks.request(key, { signal: AbortSignal.timeout(LEAVING) }, taken).catch(() => undefined);
  }
}

function keysOf(storage: Storage): string[] {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
}

function read(text: string | null): Kept {
  try {
    const kept = JSON.parse(text ?? "{}") as Partial<Kept>;
    return { writes: kept.writes ?? [], orphans: kept.orphans ?? [] };
  } catch {
    return { writes: [], orphans: [] };
  }
}
