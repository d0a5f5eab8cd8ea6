/**
 * Where the service offers nothing live: a look now and then whether that is still so. When somebody looks at the page, a new
 * snapshot is to be taken; else what is shown stays as it was.
 */
import { asRecord, type Http } from "./http.js";
import type { Timing } from "./timing.js";
import type { Realtime } from "./types.js";
import type { Wire, WireEvents } from "./wire.js";

export interface OffParts {
  readonly http: Http;
  readonly timing: Timing;
}

export class OffWire implements Wire {
  readonly claim = null;
  readonly #parts: OffParts;
  readonly #events: WireEvents;
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking = false;

  constructor(parts: OffParts, _cursor: string | null, events: WireEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#timer = setTimeout(() => {
      this.#events.live();
      this.#wait();
    }, 0);
  }

  check(): void {
    void this.#look(true);
  }

  renewed(): void {}

  close(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#look(false), this.#parts.timing.look);
  }

  /** A look that fails is the same as one that finds nothing new. */
  async #look(anew: boolean): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    clearTimeout(this.#timer);
    const { signal } = this.#abort;
    try {
      const { body } = await this.#parts.http.request("GET", "/api/config", { signal });
      if (!signal.aborted) this.#events.message({ type: "flags", realtime: asRecord(body)["realtime"] as Realtime });
      const cursor = this.#events.applied();
      if (anew && !signal.aborted && cursor !== null) this.#events.message({ type: "reset", reason: "off", cursor });
    } catch {
      // What is shown does not hang on it.
    } finally {
      this.#looking = false;
    }
    if (!signal.aborted) this.#wait();
  }
}
