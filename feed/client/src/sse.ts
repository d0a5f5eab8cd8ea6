/**
 * The API's event stream, by EventSource: with the session's cookie, or with a ticket where a token is what we have.
 *
 * The browser's own way of coming back is not waited for (it gives up for good on anything but 200, and a ticket is good once):
 * a stream that ends is closed, and the next one begins from the cursor.
 */
import { asRecord, type Http } from "./http.js";
import type { Incoming } from "./inbox.js";
import type { Timing } from "./timing.js";
import { failed, lost, named, read, type End, type Wire, type WireEvents } from "./wire.js";

const TYPES: readonly Incoming["type"][] = [
  "auth_success",
  "opportunity_created",
  "opportunity_updated",
  "opportunity_moved",
  "opportunity_deleted",
  "row_inserted",
  "row_updated",
  "row_deleted",
  "resync",
  "checkpoint",
  "board_granted",
  "board_revoked",
  "presence_state",
  "user_editing",
  "user_stopped_editing",
  "reset",
  "heartbeat",
  "flags",
  "goodbye",
  "error",
];

export interface StreamParts {
  readonly EventSource: typeof EventSource;
  readonly http: Http;
  /** By ticket; else by cookie. */
  readonly tickets: boolean;
  readonly timing: Timing;
}

export class StreamWire implements Wire {
  readonly claim = null;
  readonly #parts: StreamParts;
  readonly #events: WireEvents;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #live = false;
  #ended = false;
  /** When anything last came, by the wall clock: the other one stands still while a machine sleeps. */
  #heard = 0;

  constructor(parts: StreamParts, cursor: string | null, events: WireEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#timer = setTimeout(() => this.#end(lost("no auth_success came in time")), parts.timing.probe);
    void this.#open(cursor);
  }

  /** A heartbeat that is overdue when the page wakes is not waited for. */
  check(): void {
    if (this.#live && Math.abs(Date.now() - this.#heard) > this.#parts.timing.heartbeat * 1.1) this.#silent();
  }

  /** The stream goes on with the token that it began with; the next one begins with the new one. */
  renewed(): void {}

  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  async #open(cursor: string | null): Promise<void> {
    const { http, tickets } = this.#parts;
    try {
      await null;
      const query = new URLSearchParams(cursor === null ? {} : { since: cursor });
      if (tickets) query.set("ticket", String(asRecord((await http.request("POST", "/api/events/ticket")).body)["ticket"]));
      if (this.#ended) return;
      const source = new this.#parts.EventSource(`${http.api}/api/events?${query}`, { withCredentials: !tickets && http.api !== "" });
      this.#source = source;
      for (const type of TYPES) source.addEventListener(type, (event) => this.#take(event));
    } catch (error) {
      this.#end(failed(error));
    }
  }

  /** An event of the service, or the browser's own "error", which has no data. */
  #take(event: Event): void {
    if (this.#ended) return;
    const data: unknown = "data" in event ? event.data : undefined;
    if (typeof data !== "string") return this.#end(lost("the event stream ended"));
    this.#heard = Date.now();
    const message = read(data);
    if (!message) return this.#end(lost("this is no feed"));
    if (message.type === "auth_success") this.#begin();
    if (this.#live) this.#watch();
    if (message.type === "goodbye") this.#end(named(message.reason, message.reason, message.retryMs));
    else if (message.type === "error" && message.code.startsWith("token_")) this.#end(named(message.code, message.message));
    else this.#events.message(message);
  }

  #begin(): void {
    if (this.#live) return;
    this.#live = true;
    this.#events.live();
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#silent(), this.#parts.timing.heartbeat * 2);
  }

  #silent(): void {
    this.#end({ ...lost("the event stream is silent"), next: "again" });
  }

  #end(end: End): void {
    if (this.#ended) return;
    this.close();
    this.#events.end(end);
  }
}
