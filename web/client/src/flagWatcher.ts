/**
 * Watches what the service allows this user, where no stream reports it: one long poll at a time, which the service answers when the
 * value differs from the known one, or after a while.
 *
 * Invariant: a quick answer, whatever it says, or a failure is followed by a pause that grows each time. Something in between may not
 * hold long polls, there may be too many of them, or instances may disagree while one of them has lost its database.
 */
import type { Backoff } from "./backoff.js";
import { asRecord, type Http } from "./http.js";
import type { Realtime } from "./types.js";

/** An answer that took this long, in ms, was held by the service. */
const HELD = 1_000;

/** Fetch the value; with `known`, the service may hold the request until it differs. */
export async function fetchRealtime(http: Http, signal: AbortSignal, known?: Realtime): Promise<Realtime> {
  const { body } = await http.request("GET", known ? `/api/flags?${new URLSearchParams({ known })}` : "/api/flags", { signal });
  return asRecord(body)["realtime"] as Realtime;
}

export class FlagWatcher {
  readonly #http: Http;
  readonly #backoff: Backoff;
  readonly #onChange: (realtime: Realtime) => void;
  readonly #abort = new AbortController();
  #known: Realtime | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `backoff` is shared with later watchers: a client that is repeatedly allowed and then rejected sends requests less and less often. */
  constructor(http: Http, backoff: Backoff, onChange: (realtime: Realtime) => void) {
    this.#http = http;
    this.#backoff = backoff;
    this.#onChange = onChange;
  }

  /** Set the known value; the first call starts the watch. */
  setKnown(realtime: Realtime): void {
    const starts = this.#known === null && !this.#abort.signal.aborted;
    this.#known = realtime;
    if (starts) this.#pause();
  }

  close(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  #pause(): void {
    this.#timer = setTimeout(() => void this.#poll(), this.#backoff.next());
  }

  async #poll(): Promise<void> {
    const { signal } = this.#abort;
    const known = this.#known as Realtime;
    const asked = performance.now();
    try {
      const realtime = await fetchRealtime(this.#http, signal, known);
      if (signal.aborted) return;
      const held = performance.now() - asked >= HELD;
      if (held) this.#backoff.reset();
      if (realtime !== known) {
        this.#known = realtime;
        this.#onChange(realtime);
      }
      if (held && !signal.aborted) return void this.#poll();
    } catch {
      // Without anything live, the page keeps what it shows; while polling, the next poll reports the trouble.
    }
    if (!signal.aborted) this.#pause();
  }
}
