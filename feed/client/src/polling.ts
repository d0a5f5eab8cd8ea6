/** Asking again and again what changed since the cursor. It tells states and not events, and presence only of the boards that are shown. */
import type { Backoff } from "./backoff.js";
import { asRecord, ProblemError, type Http } from "./http.js";
import { Look } from "./look.js";
import type { Timing } from "./timing.js";
import type { Opportunity, Presence, Realtime } from "./types.js";
import { failed, type Wire, type WireEvents } from "./wire.js";

/** What one question brought. */
export interface Page {
  readonly opportunities: readonly Opportunity[];
  readonly deletedIds: readonly string[];
  readonly lastSync: string;
  readonly hasMore: boolean;
  readonly realtime: Realtime;
}

export async function sync(http: Http, since: string | null, signal?: AbortSignal): Promise<Page> {
  const query = since === null ? "" : `?${new URLSearchParams({ since })}`;
  const { body } = await http.request("GET", `/api/sync/opportunities${query}`, signal ? { signal } : {});
  return body as Page;
}

export interface PollingParts {
  readonly http: Http;
  readonly timing: Timing;
  /** Between looks at what is offered. */
  readonly looks: Backoff;
  /** Whether somebody looks. */
  readonly visible: () => boolean;
  /** Whose presence is asked for. */
  readonly boards: () => readonly string[];
  /** Takes states and where they end. */
  readonly states: (page: Pick<Page, "opportunities" | "deletedIds">, cursor: string) => void;
}

export class PollingWire implements Wire {
  readonly claim = null;
  readonly #parts: PollingParts;
  readonly #events: WireEvents;
  readonly #look: Look;
  readonly #abort = new AbortController();
  #cursor: string | null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;

  constructor(parts: PollingParts, cursor: string | null, events: WireEvents) {
    this.#parts = parts;
    this.#cursor = cursor;
    this.#events = events;
    this.#look = new Look(parts.http, parts.looks, (realtime) => events.message({ type: "flags", realtime }));
    void this.#poll(true);
  }

  check(): void {
    if (!this.#asking) void this.#poll(false);
  }

  renewed(): void {}

  close(): void {
    this.#abort.abort();
    this.#look.close();
    clearTimeout(this.#timer);
  }

  async #poll(first: boolean): Promise<void> {
    clearTimeout(this.#timer);
    this.#asking = true;
    try {
      if (first) await null;
      await this.#ask(first);
      if (!this.#abort.signal.aborted) await this.#lookAround();
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.close();
      this.#events.end(failed(error));
      return;
    } finally {
      this.#asking = false;
    }
    if (this.#abort.signal.aborted) return;
    const { timing, visible } = this.#parts;
    const interval = visible() ? timing.poll : timing.pollHidden;
    this.#events.interval(interval);
    this.#timer = setTimeout(() => void this.#poll(false), interval);
  }

  /** All that there is to tell now. */
  async #ask(first: boolean): Promise<void> {
    for (let more = true; more; first = false) {
      const page = await this.#page();
      if (this.#abort.signal.aborted) return;
      if (first) this.#events.live();
      more = page.hasMore;
      this.#cursor = page.lastSync;
      this.#parts.states(page, page.lastSync);
      this.#look.know(page.realtime);
      this.#events.message({ type: "flags", realtime: page.realtime });
      if (this.#abort.signal.aborted) return;
    }
  }

  async #page(): Promise<Page> {
    const { http } = this.#parts;
    const signal = this.#abort.signal;
    try {
      return await sync(http, this.#cursor, signal);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 410) throw error;
      const page = await sync(http, null, signal);
      this.#events.message({ type: "reset", reason: String(error.body["reason"]), cursor: page.lastSync });
      return page;
    }
  }

  async #lookAround(): Promise<void> {
    const { http, boards } = this.#parts;
    for (const boardId of boards()) {
      try {
        const path = `/api/boards/${encodeURIComponent(boardId)}/presence`;
        const { body } = await http.request("GET", path, { signal: this.#abort.signal });
        this.#events.message({ type: "presence_state", boardId, presence: asRecord(body)["presence"] as readonly Presence[] });
      } catch (error) {
        // A board that is gone has nobody; any other trouble is that of the next poll.
        if (!(error instanceof ProblemError)) throw error;
      }
    }
  }
}
