/** A feed: one connection, by whatever way there is, shared by the tabs of a browser. */
import type { Fetch } from "./http.js";
import { Http } from "./http.js";
import { cookieSession, SessionKeeper } from "./session.js";
import type { ClientMessage, Delivery, FeedStatus, Presence, Session, Source, Transport } from "./types.js";

export interface FeedOptions {
  /** Address of the API; "" (default) is the page's own. */
  readonly api?: string;
  /** Address of the feed service, as `GET /api/config` tells it; null (default): no WebSocket. */
  readonly feed?: string | null;
  /** Where tokens are from; default: `POST /api/auth/refresh` with the session's cookie. */
  readonly session?: () => Promise<Session>;
  /** The highest way to take; default "websocket". */
  readonly top?: Transport;
  /** Name of the tabs that share one connection (name the user in it); default false: a connection of its own. */
  readonly share?: string | false;
  readonly WebSocket?: typeof WebSocket;
  readonly EventSource?: typeof EventSource;
  readonly fetch?: Fetch;
}

export class Feed implements Source {
  /** Requests with the feed's session. */
  readonly http: Http;
  readonly #session: SessionKeeper;

  constructor({ api = "", session, fetch }: FeedOptions = {}) {
    const options = { api, ...(fetch ? { fetch } : {}) };
    this.#session = new SessionKeeper(session ?? cookieSession(new Http(options)));
    this.http = new Http(session ? { ...options, session: this.#session } : options);
  }

  get status(): FeedStatus {
    throw new Error("unfinished");
  }
  get cursor(): string | null {
    throw new Error("unfinished");
  }
  get presence(): ReadonlyMap<string, readonly Presence[]> {
    throw new Error("unfinished");
  }
  onDelivery(_listener: (delivery: Delivery) => void): () => void {
    throw new Error("unfinished");
  }
  onStatus(_listener: (status: FeedStatus) => void): () => void {
    throw new Error("unfinished");
  }
  onPresence(_listener: (presence: ReadonlyMap<string, readonly Presence[]>) => void): () => void {
    throw new Error("unfinished");
  }
  follow(_cursor: string, _board?: string): Promise<void> {
    throw new Error("unfinished");
  }
  send(_message: ClientMessage): void {
    throw new Error("unfinished");
  }
  stop(): void {
    this.#session.stop();
  }
}
