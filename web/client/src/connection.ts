/** The connection itself, in the tab that holds it: the transports, the inbox that all of them fill, and the presence that is sent. */
import { Backoff } from "./backoff.js";
import { EventSourceTransport } from "./eventSourceTransport.js";
import { ProblemError, type Http } from "./http.js";
import { Inbox } from "./inbox.js";
import type { LocalPresence } from "./localPresence.js";
import { OffTransport } from "./offTransport.js";
import { PollingTransport, stateOf, type SyncPage } from "./pollingTransport.js";
import { PresenceSender } from "./presenceSender.js";
import type { SessionManager } from "./session.js";
import type { Timing } from "./timing.js";
import type { Transport } from "./transport.js";
import { Transports } from "./transports.js";
import type { TransportFactory } from "./transportState.js";
import type { Delivery, FeedStatus, Realtime, TransportName } from "./types.js";
import { WebSocketTransport } from "./webSocketTransport.js";

export interface ConnectionParts {
  readonly http: Http;
  readonly session: SessionManager;
  readonly timing: Timing;
  /** Address of the feed service; null: there is none. */
  readonly feed: string | null;
  readonly firstTransport: TransportName;
  /** What the service allows, as far as is known. */
  readonly realtime: Realtime;
  /** Whether streams are opened with a ticket instead of the cookie. */
  readonly tickets: boolean;
  readonly WebSocket: typeof WebSocket | undefined;
  readonly EventSource: typeof EventSource | undefined;
  readonly visible: () => boolean;
  readonly boards: () => readonly string[];
  /** `before`: the cursor before this delivery. */
  readonly delivery: (delivery: Delivery, before: string | null) => void;
  readonly status: (status: FeedStatus) => void;
}

const ORDER: readonly TransportName[] = ["websocket", "sse", "polling"];

export class Connection {
  readonly #parts: ConnectionParts;
  readonly #inbox: Inbox;
  readonly #transports: Transports;
  readonly #presenceSender: PresenceSender;

  constructor(parts: ConnectionParts, cursor: string) {
    this.#parts = parts;
    this.#inbox = new Inbox(cursor, (delivery) => parts.delivery(delivery, this.#inbox.cursor));
    this.#presenceSender = new PresenceSender(parts.http, parts.timing.presenceRenewal);
    const hooks = {
      cursor: () => this.#inbox.cursor,
      inbox: () => this.#inbox.open(),
      renew: () => this.#renew(),
      changed: (status: FeedStatus, transport: Transport | null): void => {
        this.#presenceSender.setTransport(transport);
        parts.status(status);
      },
    };
    this.#transports = new Transports(this.#factories(), hooks, parts.timing);
    this.#transports.setRealtime(parts.realtime);
  }

  get cursor(): string | null {
    return this.#inbox.cursor;
  }

  start(): void {
    const { session } = this.#parts;
    session.onRenewed = (renewed) => this.#transports.renewed(renewed);
    session.watch();
    this.#transports.start();
  }

  stop(): void {
    this.#presenceSender.update(new Map());
    this.#transports.stop();
    this.#parts.session.stop();
  }

  wake(): void {
    this.#transports.wake();
  }

  offline(): void {
    this.#transports.offline();
  }

  setPresence(presence: LocalPresence): void {
    this.#presenceSender.update(presence);
  }

  #factories(): TransportFactory[] {
    const { feed, WebSocket, EventSource, http, session, timing, tickets, visible, boards, firstTransport } = this.#parts;
    const states = (page: SyncPage): void => this.#inbox.advance(stateOf(page), page.lastSync);
    const flagBackoff = new Backoff(timing.retry, timing.flagPollMax);
    const factories: TransportFactory[] = [];
    if (feed !== null && WebSocket) {
      factories.push({ name: "websocket", open: (...args) => new WebSocketTransport({ feed, WebSocket, session, timing }, ...args) });
    }
    if (EventSource) {
      factories.push({ name: "sse", open: (...args) => new EventSourceTransport({ EventSource, http, tickets, timing }, ...args) });
    }
    factories.push({ name: "polling", open: (...args) => new PollingTransport({ http, timing, flagBackoff, visible, boards, states }, ...args) });
    const off: TransportFactory = { name: null, open: (...args) => new OffTransport({ http, flagBackoff }, ...args) };
    return [...factories.filter(({ name }) => name !== null && ORDER.indexOf(name) >= ORDER.indexOf(firstTransport)), off];
  }

  async #renew(): Promise<"renewed" | "refused" | "lost"> {
    try {
      await this.#parts.session.renew();
      return "renewed";
    } catch (error) {
      const refused = error instanceof ProblemError && (error.status === 401 || error.status === 403);
      return refused ? "refused" : "lost";
    }
  }
}
