/**
 * What the service offers, where no stream tells it: one question at a time, which the service answers when it offers something
 * else than what is known, or after a while.
 *
 * Invariant: an answer that came at once, whatever it says, or none at all, is followed by a wait, a longer one each time: something
 * on the way holds no questions, too many are held, or instances disagree for as long as one of them has lost its database.
 */
import type { Backoff } from "./backoff.js";
import { asRecord, type Http } from "./http.js";
import type { Realtime } from "./types.js";

/** An answer that took so long, in ms, was held. */
const HELD = 1_000;

/** Ask now, and be answered now. */
export async function offered(http: Http, signal: AbortSignal, known?: Realtime): Promise<Realtime> {
  const { body } = await http.request("GET", known ? `/api/flags?${new URLSearchParams({ known })}` : "/api/flags", { signal });
  return asRecord(body)["realtime"] as Realtime;
}

export class Look {
  readonly #http: Http;
  readonly #waits: Backoff;
  readonly #told: (realtime: Realtime) => void;
  readonly #abort = new AbortController();
  #known: Realtime | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `waits` outlives it: of one who is told to come and then sent away, each next look comes later. */
  constructor(http: Http, waits: Backoff, told: (realtime: Realtime) => void) {
    this.#http = http;
    this.#waits = waits;
    this.#told = told;
  }

  /** What is known to be offered; the first time, looking begins. */
  know(realtime: Realtime): void {
    const begins = this.#known === null && !this.#abort.signal.aborted;
    this.#known = realtime;
    if (begins) this.#wait();
  }

  close(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#ask(), this.#waits.next());
  }

  async #ask(): Promise<void> {
    const { signal } = this.#abort;
    const known = this.#known as Realtime;
    const asked = performance.now();
    try {
      const realtime = await offered(this.#http, signal, known);
      if (signal.aborted) return;
      const held = performance.now() - asked >= HELD;
      if (held) this.#waits.reset();
      if (realtime !== known) {
        this.#known = realtime;
        this.#told(realtime);
      }
      if (held && !signal.aborted) return void this.#ask();
    } catch {
      // Whoever has nothing live shows what he has; whoever polls finds out by himself.
    }
    if (!signal.aborted) this.#wait();
  }
}
