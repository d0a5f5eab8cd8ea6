/**
 * The feed over a WebSocket: one message per batch, pings that measure its latency and find dead connections, tokens renewed in place.
 *
 * A pong says that the connection lives, and not that the service still reads the log: heartbeats say that.
 */
import { CODES } from "./codes.js";
import type { SessionKeeper } from "./session.js";
import type { Timing } from "./timing.js";
import type { FeedStatus, Session } from "./types.js";
import { failed, lost, named, read, type End, type Wire, type WireEvents } from "./wire.js";
import { type Claim, type Place, spoken } from "./claims.js";

const OPEN = 1;
/** A timer that is so late, in ms, was held up with everything else: what it waited for may be on its way. */
const LATE = 1_000;

export interface SocketParts {
  /** Of the feed service: http(s):// or ws(s)://. */
  readonly feed: string;
  readonly WebSocket: typeof WebSocket;
  readonly session: SessionKeeper;
  readonly timing: Timing;
}

export class SocketWire implements Wire {
  readonly #parts: SocketParts;
  readonly #events: WireEvents;
  readonly #cursor: string | null;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Runs out when nothing but pongs has come for two heartbeats. */
  #silence: ReturnType<typeof setTimeout> | undefined;
  #live = false;
  #ended = false;
  /** What the service said before it closed. */
  #goodbye: End | null = null;
  #problem: FeedStatus["problem"] = null;
  /** When the unanswered ping was sent, and when anything last came. */
  #asked = 0;
  #heard = 0;

  constructor(parts: SocketParts, cursor: string | null, events: WireEvents) {
    this.#parts = parts;
    this.#cursor = cursor;
    this.#events = events;
    this.#timer = setTimeout(() => this.#end(lost("no auth_success came in time")), parts.timing.probe);
    void this.#open();
  }

  claim = (place: Place, claim: Claim | null): void => this.#say(spoken(place, claim));

  check(): void {
    if (this.#live) this.#ping(this.#parts.timing.check);
  }

  renewed(session: Session): void {
    if (this.#live) this.#say({ type: "auth", token: session.token, userId: session.userId });
  }

  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#socket?.close();
  }

  /** The socket opens while the token is fetched. */
  async #open(): Promise<void> {
    try {
      const session = this.#parts.session.current();
      session.catch(() => undefined); // awaited below, if the socket opens
      await null; // a socket that cannot even be made ends after our maker has us
      if (this.#ended) return;
      const address = `${this.#parts.feed.replace(/^http/, "ws").replace(/\/+$/, "")}/ws`;
      const socket = (this.#socket = new this.#parts.WebSocket(address, ["boardcast.v1"]));
      const opened = new Promise<void>((resolve) => (socket.onopen = () => resolve()));
      socket.onerror = () => undefined; // its close follows
      socket.onclose = ({ code, reason }) => this.#closed(code, reason);
      socket.onmessage = ({ data }) => this.#take(String(data));
      await opened;
      const { token, userId } = await session;
      this.#say({ type: "auth", token, userId, batch: true, ...(this.#cursor === null ? {} : { cursor: this.#cursor }) });
    } catch (error) {
      this.#end(failed(error));
    }
  }

  #say(message: object): void {
    if (!this.#ended && this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(message));
  }

  #take(data: string): void {
    if (this.#ended) return;
    this.#heard = performance.now();
    const message = read(data);
    if (!message) return this.#end(lost("this is no feed"));
    if (message.type === "pong") this.#pong();
    else if (message.type === "goodbye") this.#goodbye = named(message.reason, message.reason, message.retryMs);
    else if (message.type === "auth_error" || message.type === "error") this.#problem = { code: message.code, message: message.message };
    if (message.type === "auth_success" && !this.#live) {
      this.#live = true;
      this.#events.live();
      this.#ping(this.#parts.timing.pong);
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
      else this.#end(lost("the service is silent"));
    }, patience);
  }

  #ping(patience: number): void {
    clearTimeout(this.#timer);
    const asked = (this.#asked = performance.now());
    const cursor = this.#events.applied();
    this.#say({ type: "ping", ...(cursor === null ? {} : { cursor }) });
    this.#timer = setTimeout(() => {
      const late = performance.now() - asked > patience + LATE;
      if (late || this.#heard > asked) this.#ping(this.#parts.timing.pong);
      else this.#end(lost("the WebSocket does not answer"));
    }, patience);
  }

  #pong(): void {
    if (this.#asked) this.#events.latency(this.#heard - this.#asked);
    this.#asked = 0;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ping(this.#parts.timing.pong), this.#parts.timing.ping);
  }

  #closed(code: number, reason: string): void {
    const known = CODES[code];
    const problem = this.#problem ?? { code: known?.name ?? "", message: reason };
    const end = this.#goodbye ?? lost(`the WebSocket was closed (${code})`);
    this.#end(known ? { next: known.next, retry: end.retry, problem } : end);
  }

  #end(end: End): void {
    if (this.#ended) return;
    this.close();
    this.#events.end(end);
  }
}
