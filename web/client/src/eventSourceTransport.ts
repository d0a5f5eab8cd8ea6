/**
 * The API's event stream over EventSource: with the session's cookie, or with a ticket where there is a token instead.
 *
 * The browser's own reconnection is not used: it gives up for good on anything but 200, and a ticket is valid only once. A stream
 * that ends is closed, and the next one opens at the cursor.
 *
 * A stream carries no questions, so requests to the same service show whether it can still be reached. Heartbeats show that the stream
 * itself is alive.
 */
import { asRecord, ProblemError, type Http } from "./http.js";
import type { Incoming } from "./inbox.js";
import { Pings } from "./pings.js";
import type { Timing } from "./timing.js";
import { connectionLost, endedByService, parseMessage, requestFailed, silent, type Transport, type TransportEnd, type TransportEvents } from "./transport.js";

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

export interface EventSourceTransportParts {
  readonly EventSource: typeof EventSource;
  readonly http: Http;
  /** With a ticket; otherwise with the cookie. */
  readonly tickets: boolean;
  readonly timing: Timing;
}

export class EventSourceTransport implements Transport {
  readonly sendPresence = null;
  readonly #parts: EventSourceTransportParts;
  readonly #events: TransportEvents;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #pings: Pings;
  readonly #abort = new AbortController();
  #live = false;
  #ended = false;
  /** When anything last arrived, by the wall clock: performance.now() may stand still while the machine sleeps. */
  #lastMessage = 0;

  constructor(parts: EventSourceTransportParts, cursor: string | null, events: TransportEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#pings = new Pings(parts.timing, {
      ask: () => void this.#ping(),
      latency: () => undefined,
      behind: (late) => events.behind(late),
      dead: () => this.#end(silent("the service does not answer")),
    });
    this.#timer = setTimeout(() => this.#end(connectionLost("no auth_success arrived in time")), parts.timing.connect);
    void this.#open(cursor);
  }

  /** If a heartbeat is overdue when the page wakes, do not wait for it. */
  check(): void {
    if (!this.#live) return;
    if (Math.abs(Date.now() - this.#lastMessage) > this.#parts.timing.heartbeat * 1.1) this.#silent();
    else this.#pings.check();
  }

  /** The stream continues with the token that it began with; the next one uses the new token. */
  renewed(): void {}

  close(): void {
    this.#ended = true;
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#pings.stop();
    this.#source?.close();
  }

  async #open(cursor: string | null): Promise<void> {
    const { http, tickets } = this.#parts;
    try {
      await null;
      const query = new URLSearchParams(cursor === null ? {} : { since: cursor, collapse: "true" });
      if (tickets) query.set("ticket", String(asRecord((await http.request("POST", "/api/events/ticket")).body)["ticket"]));
      if (this.#ended) return;
      const source = new this.#parts.EventSource(`${http.api}/api/events?${query}`, { withCredentials: !tickets && http.api !== "" });
      this.#source = source;
      for (const type of TYPES) source.addEventListener(type, (event) => this.#receive(event));
    } catch (error) {
      this.#end(requestFailed(error));
    }
  }

  /** An event of the service, or the browser's own "error", which has no data. */
  #receive(event: Event): void {
    if (this.#ended) return;
    const data: unknown = "data" in event ? event.data : undefined;
    if (typeof data !== "string") return this.#end(connectionLost("the event stream ended"));
    this.#lastMessage = Date.now();
    this.#pings.heard();
    const message = parseMessage(data);
    if (!message) return this.#end(connectionLost("not a boardcast feed"));
    if (message.type === "auth_success") this.#begin();
    if (this.#live) this.#watch();
    if (message.type === "goodbye") this.#end(endedByService(message.reason, message.reason, message.retryMs));
    else if (message.type === "error" && message.code.startsWith("token_")) this.#end(endedByService(message.code, message.message));
    else this.#events.message(message);
  }

  #begin(): void {
    if (this.#live) return;
    this.#live = true;
    this.#events.live();
    this.#pings.ask();
  }

  /** Any response shows that the service can be reached. */
  async #ping(): Promise<void> {
    try {
      await this.#parts.http.request("GET", "/healthz", { signal: this.#abort.signal });
      this.#pings.answered();
    } catch (error) {
      if (error instanceof ProblemError && error.status > 0) this.#pings.answered();
    }
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#silent(), this.#parts.timing.heartbeat * 2);
  }

  #silent(): void {
    this.#end({ ...silent("the event stream is silent"), reaction: "retry" });
  }

  #end(end: TransportEnd): void {
    if (this.#ended) return;
    this.close();
    this.#events.end(end);
  }
}
