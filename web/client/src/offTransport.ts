/**
 * Waits while the service offers nothing live. When the user comes back to the page, it asks for a new snapshot; otherwise what is
 * shown stays as it is.
 */
import type { Backoff } from "./backoff.js";
import { fetchRealtime, FlagWatcher } from "./flagWatcher.js";
import type { Http } from "./http.js";
import type { Transport, TransportEvents } from "./transport.js";
import type { Realtime } from "./types.js";

export interface OffTransportParts {
  readonly http: Http;
  /** Pauses between checks of the flags. */
  readonly flagBackoff: Backoff;
}

export class OffTransport implements Transport {
  readonly sendPresence = null;
  readonly #http: Http;
  readonly #events: TransportEvents;
  readonly #flags: FlagWatcher;
  readonly #abort = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  #refreshing = false;

  constructor({ http, flagBackoff }: OffTransportParts, _cursor: string | null, events: TransportEvents) {
    this.#http = http;
    this.#events = events;
    this.#flags = new FlagWatcher(http, flagBackoff, (realtime) => this.#onRealtime(realtime));
    this.#timer = setTimeout(() => {
      this.#events.live();
      this.#flags.setKnown("off");
    }, 0);
  }

  check(): void {
    void this.#refresh();
  }

  renewed(): void {}

  close(): void {
    this.#abort.abort();
    this.#flags.close();
    clearTimeout(this.#timer);
  }

  #onRealtime(realtime: Realtime): void {
    this.#events.message({ type: "flags", realtime });
  }

  async #refresh(): Promise<void> {
    if (this.#refreshing) return;
    this.#refreshing = true;
    const { signal } = this.#abort;
    try {
      const realtime = await fetchRealtime(this.#http, signal);
      if (!signal.aborted) this.#onRealtime(realtime);
      const cursor = this.#events.applied();
      if (!signal.aborted && cursor !== null) this.#events.message({ type: "reset", reason: "off", cursor });
    } catch {
      // The page keeps what it shows.
    } finally {
      this.#refreshing = false;
    }
  }
}
