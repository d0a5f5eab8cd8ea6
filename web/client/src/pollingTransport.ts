/** Polls for changes since the cursor. Delivers states, not events, and presence only of the open boards. */
import type { Backoff } from "./backoff.js";
import { FlagWatcher } from "./flagWatcher.js";
import { asRecord, ProblemError, type Http } from "./http.js";
import type { Timing } from "./timing.js";
import { requestFailed, silent, type Transport, type TransportEvents } from "./transport.js";
import type { Message, Opportunity, Presence, Realtime } from "./types.js";

/** A response of `GET /api/sync/opportunities`. */
export interface SyncPage {
  readonly opportunities: readonly Opportunity[];
  readonly deletedIds: readonly string[];
  readonly lastSync: string;
  readonly hasMore: boolean;
  /** Absent in responses of an older API, during an upgrade. */
  readonly changedBoards?: readonly string[];
  readonly realtime: Realtime;
}

export async function fetchChanges(http: Http, since: string | null, signal?: AbortSignal): Promise<SyncPage> {
  const query = since === null ? "" : `?${new URLSearchParams({ since })}`;
  const { body } = await http.request("GET", `/api/sync/opportunities${query}`, signal ? { signal } : {});
  return body as SyncPage;
}

export interface PollingTransportParts {
  readonly http: Http;
  readonly timing: Timing;
  /** Pauses between checks of the flags. */
  readonly flagBackoff: Backoff;
  /** Whether the page is visible. */
  readonly visible: () => boolean;
  /** The boards whose presence is polled. */
  readonly boards: () => readonly string[];
  /** Takes what has changed. */
  readonly states: (page: SyncPage) => void;
}

export class PollingTransport implements Transport {
  readonly sendPresence = null;
  readonly #parts: PollingTransportParts;
  readonly #events: TransportEvents;
  readonly #flags: FlagWatcher;
  readonly #abort = new AbortController();
  #cursor: string | null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Fires when a poll takes too long. */
  #late: ReturnType<typeof setTimeout> | undefined;
  #polling = false;

  constructor(parts: PollingTransportParts, cursor: string | null, events: TransportEvents) {
    this.#parts = parts;
    this.#cursor = cursor;
    this.#events = events;
    this.#flags = new FlagWatcher(parts.http, parts.flagBackoff, (realtime) => events.message({ type: "flags", realtime }));
    void this.#poll(true);
  }

  check(): void {
    if (!this.#polling) void this.#poll(false);
  }

  renewed(): void {}

  close(): void {
    this.#abort.abort();
    this.#flags.close();
    clearTimeout(this.#timer);
    clearTimeout(this.#late);
  }

  /** The first poll may have much to fetch; those after it are answered soon, or there is no connection. */
  #watch(): void {
    const { timing } = this.#parts;
    this.#late = setTimeout(() => {
      this.#events.behind(true);
      this.#late = setTimeout(() => {
        this.close();
        this.#events.end(silent("polls are not answered"));
      }, timing.ping + timing.pong - timing.behind);
    }, timing.behind);
  }

  #heard(): void {
    clearTimeout(this.#late);
    if (!this.#abort.signal.aborted) this.#events.behind(false);
  }

  async #poll(first: boolean): Promise<void> {
    clearTimeout(this.#timer);
    this.#polling = true;
    try {
      if (first) await null;
      if (!first) this.#watch();
      await this.#fetchAll(first);
      this.#heard();
      if (!this.#abort.signal.aborted) await this.#fetchPresence();
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.close();
      this.#events.end(requestFailed(error));
      return;
    } finally {
      this.#polling = false;
    }
    if (this.#abort.signal.aborted) return;
    const { timing, visible } = this.#parts;
    const interval = visible() ? timing.poll : timing.pollHidden;
    this.#events.interval(interval);
    this.#timer = setTimeout(() => void this.#poll(false), interval);
  }

  /** Fetch everything up to now. */
  async #fetchAll(first: boolean): Promise<void> {
    for (let more = true; more; first = false) {
      const page = await this.#fetchPage();
      if (this.#abort.signal.aborted) return;
      if (first) this.#events.live();
      more = page.hasMore;
      this.#cursor = page.lastSync;
      this.#parts.states(page);
      this.#flags.setKnown(page.realtime);
      this.#events.message({ type: "flags", realtime: page.realtime });
      if (this.#abort.signal.aborted) return;
    }
  }

  async #fetchPage(): Promise<SyncPage> {
    const { http } = this.#parts;
    const signal = this.#abort.signal;
    try {
      return await fetchChanges(http, this.#cursor, signal);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 410) throw error;
      const page = await fetchChanges(http, null, signal);
      this.#events.message({ type: "reset", reason: String(error.body["reason"]), cursor: page.lastSync });
      return page;
    }
  }

  async #fetchPresence(): Promise<void> {
    const { http, boards } = this.#parts;
    for (const boardId of boards()) {
      try {
        const path = `/api/boards/${encodeURIComponent(boardId)}/presence`;
        const { body } = await http.request("GET", path, { signal: this.#abort.signal });
        this.#events.message({ type: "presence_state", boardId, presence: asRecord(body)["presence"] as readonly Presence[] });
      } catch (error) {
        // A board that is gone has no presence; the next poll reports any other error.
        if (!(error instanceof ProblemError)) throw error;
      }
    }
  }
}

/** The message with what a page contains; none if it contains nothing. */
export function stateOf({ opportunities, deletedIds, changedBoards = [], lastSync }: SyncPage): Message[] {
  if (opportunities.length + deletedIds.length + changedBoards.length === 0) return [];
  return [{ type: "state", opportunities, deletedIds, changedBoards, at: lastSync }];
}
