/**
 * Where the service offers nothing live: it is found out when that is so no more. When somebody looks at the page, a new
 * snapshot is to be taken; else what is shown stays as it was.
 */
import type { Backoff } from "./backoff.js";
import { Look, offered } from "./look.js";
import type { Http } from "./http.js";
import type { Realtime } from "./types.js";
import type { Wire, WireEvents } from "./wire.js";

export interface OffParts {
  readonly http: Http;
  /** Between looks at what is offered. */
  readonly looks: Backoff;
}

export class OffWire implements Wire {
  readonly claim = null;
  readonly #http: Http;
  readonly #events: WireEvents;
  readonly #look: Look;
  readonly #abort = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  #renewing = false;

  constructor({ http, looks }: OffParts, _cursor: string | null, events: WireEvents) {
    this.#http = http;
    this.#events = events;
    this.#look = new Look(http, looks, (realtime) => this.#told(realtime));
    this.#timer = setTimeout(() => {
      this.#events.live();
      this.#look.know("off");
    }, 0);
  }

  check(): void {
    void this.#renew();
  }

  renewed(): void {}

  close(): void {
    this.#abort.abort();
    this.#look.close();
    clearTimeout(this.#timer);
  }

  #told(realtime: Realtime): void {
    this.#events.message({ type: "flags", realtime });
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    const { signal } = this.#abort;
    try {
      const realtime = await offered(this.#http, signal);
      if (!signal.aborted) this.#told(realtime);
      const cursor = this.#events.applied();
      if (!signal.aborted && cursor !== null) this.#events.message({ type: "reset", reason: "off", cursor });
    } catch {
      // What is shown does not hang on it.
    } finally {
      this.#renewing = false;
    }
  }
}
