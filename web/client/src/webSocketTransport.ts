/**
 * The feed over a WebSocket: one message per batch, pings that measure the latency and detect dead connections, and tokens renewed
 * without reconnecting.
 *
 * A pong shows that the connection is alive, but not that the service still reads the log. Heartbeats show that.
 */
import { CLOSE_CODES } from "./closeCodes.js";
import { type Activity, type Place, presenceMessage } from "./localPresence.js";
import { Pings } from "./pings.js";
import type { SessionManager } from "./session.js";
import type { Timing } from "./timing.js";
import { connectionLost, endedByService, parseMessage, requestFailed, silent, type Transport, type TransportEnd, type TransportEvents } from "./transport.js";
import type { FeedStatus, Session } from "./types.js";

const OPEN = 1;
/** A timer that fires this many ms late was delayed like everything else: what it waits for may be on its way. */
const LATE = 1_000;

export interface WebSocketTransportParts {
  /** Address of the feed service: http(s):// or ws(s)://. */
  readonly feed: string;
  readonly WebSocket: typeof WebSocket;
  readonly session: SessionManager;
  readonly timing: Timing;
}

export class WebSocketTransport implements Transport {
  readonly #parts: WebSocketTransportParts;
  readonly #events: TransportEvents;
  readonly #cursor: string | null;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Fires when nothing but pongs has arrived for two heartbeats. */
  #silence: ReturnType<typeof setTimeout> | undefined;
  #live = false;
  #ended = false;
  /** What the service announced before it closed the connection. */
  #goodbye: TransportEnd | null = null;
  #problem: FeedStatus["problem"] = null;
  readonly #pings: Pings;

  constructor(parts: WebSocketTransportParts, cursor: string | null, events: TransportEvents) {
    this.#parts = parts;
    this.#cursor = cursor;
    this.#events = events;
    this.#pings = new Pings(parts.timing, {
      ask: () => this.#ping(),
      latency: (ms) => events.latency(ms),
      behind: (late) => events.behind(late),
      dead: () => this.#end(silent("the WebSocket does not answer")),
    });
    this.#timer = setTimeout(() => this.#end(connectionLost("no auth_success arrived in time")), parts.timing.connect);
    void this.#open();
  }

  sendPresence = (place: Place, activity: Activity | null): void => this.#send(presenceMessage(place, activity));

  check(): void {
    if (this.#live) this.#pings.check();
  }

  renewed(session: Session): void {
    if (this.#live) this.#send({ type: "auth", token: session.token, userId: session.userId });
  }

  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#pings.stop();
    this.#socket?.close();
  }

  /** The socket opens while the token is fetched. */
  async #open(): Promise<void> {
    try {
      const session = this.#parts.session.current();
      session.catch(() => undefined); // awaited below, if the socket opens
      await null; // a socket that cannot even be created must not end before our creator holds us
      if (this.#ended) return;
      const address = `${this.#parts.feed.replace(/^http/, "ws").replace(/\/+$/, "")}/ws`;
      const socket = (this.#socket = new this.#parts.WebSocket(address, ["boardcast.v1"]));
      const opened = new Promise<void>((resolve) => (socket.onopen = () => resolve()));
      socket.onerror = () => undefined; // a close follows
      socket.onclose = ({ code, reason }) => this.#closed(code, reason);
      socket.onmessage = ({ data }) => this.#receive(String(data));
      await opened;
      const { token, userId } = await session;
      this.#send({ type: "auth", token, userId, batch: true, collapse: true, ...(this.#cursor === null ? {} : { cursor: this.#cursor }) });
    } catch (error) {
      this.#end(requestFailed(error));
    }
  }

  #send(message: object): void {
    if (!this.#ended && this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(data: string): void {
    if (this.#ended) return;
    this.#pings.heard();
    const message = parseMessage(data);
    if (!message) return this.#end(connectionLost("not a boardcast feed"));
    if (message.type === "pong") this.#pings.answered();
    else if (message.type === "goodbye") this.#goodbye = endedByService(message.reason, message.reason, message.retryMs);
    else if (message.type === "auth_error" || message.type === "error") this.#problem = { code: message.code, message: message.message };
    if (message.type === "auth_success" && !this.#live) {
      this.#live = true;
      clearTimeout(this.#timer);
      this.#events.live();
      this.#pings.ask();
    }
    if (message.type !== "pong" && this.#live) this.#watch();
    this.#events.message(message);
  }

  #watch(): void {
    clearTimeout(this.#silence);
    const patience = this.#parts.timing.heartbeat * 2;
    const since = performance.now();
    this.#silence = setTimeout(() => {
      if (performance.now() - since > patience + LATE) this.#watch();
      else this.#end(silent("the service is silent"));
    }, patience);
  }

  #ping(): void {
    const cursor = this.#events.applied();
    this.#send({ type: "ping", ...(cursor === null ? {} : { cursor }) });
  }

  #closed(code: number, reason: string): void {
    const known = CLOSE_CODES[code];
    const problem = this.#problem ?? { code: known?.name ?? "", message: reason };
    const end = this.#goodbye ?? connectionLost(`the WebSocket was closed (${code})`);
    this.#end(known ? { reaction: known.reaction, retryAfter: end.retryAfter, problem } : end);
  }

  #end(end: TransportEnd): void {
    if (this.#ended) return;
    this.close();
    this.#events.end(end);
  }
}
