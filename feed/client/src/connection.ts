/** The connection itself, where this tab has it: the ways, the inbox that all of them fill, and what is said to the service. */
import { Backoff } from "./backoff.js";
import { type Claims, Speaker } from "./claims.js";
import { ProblemError, type Http } from "./http.js";
import { Inbox } from "./inbox.js";
import { Ladder } from "./ladder.js";
import { OffWire } from "./off.js";
import { PollingWire } from "./polling.js";
import type { Way } from "./rung.js";
import type { SessionKeeper } from "./session.js";
import { StreamWire } from "./sse.js";
import type { Timing } from "./timing.js";
import { SocketWire } from "./websocket.js";
import type { Delivery, FeedStatus, Realtime, Transport } from "./types.js";

export interface ConnectionParts {
  readonly http: Http;
  readonly session: SessionKeeper;
  readonly timing: Timing;
  /** Address of the feed service; null: there is none. */
  readonly feed: string | null;
  readonly top: Transport;
  /** What the service offers, as far as is known. */
  readonly realtime: Realtime;
  /** Whether streams are opened by ticket, not by cookie. */
  readonly tickets: boolean;
  readonly WebSocket: typeof WebSocket | undefined;
  readonly EventSource: typeof EventSource | undefined;
  readonly visible: () => boolean;
  readonly boards: () => readonly string[];
  /** `before` is where the position was. */
  readonly delivery: (delivery: Delivery, before: string | null) => void;
  readonly status: (status: FeedStatus) => void;
}

const ORDER: readonly Transport[] = ["websocket", "sse", "polling"];

export class Connection {
  readonly #parts: ConnectionParts;
  readonly #inbox: Inbox;
  readonly #ladder: Ladder;
  readonly #speaker: Speaker;
  #before: string | null;

  constructor(parts: ConnectionParts, cursor: string) {
    this.#parts = parts;
    this.#before = cursor;
    this.#inbox = new Inbox(cursor, (delivery) => {
      const before = this.#before;
      this.#before = this.#inbox.cursor;
      parts.delivery(delivery, before);
    });
    this.#speaker = new Speaker(parts.http, parts.timing.claim);
    const hooks = {
      cursor: () => this.#inbox.cursor,
      inbox: () => this.#inbox.open(),
      renew: () => this.#renew(),
      changed: (status: FeedStatus, wire: Parameters<Speaker["use"]>[0]): void => {
        this.#speaker.use(wire);
        parts.status(status);
      },
    };
    this.#ladder = new Ladder(this.#ways(), hooks, parts.timing);
    this.#ladder.steer(parts.realtime);
  }

  get cursor(): string | null {
    return this.#inbox.cursor;
  }

  start(): void {
    const { session } = this.#parts;
    session.onRenewed = (renewed) => this.#ladder.renewed(renewed);
    session.watch();
    this.#ladder.start();
  }

  stop(): void {
    this.#speaker.want(new Map());
    this.#ladder.stop();
    this.#parts.session.stop();
  }

  wake(): void {
    this.#ladder.wake();
  }

  offline(): void {
    this.#ladder.offline();
  }

  claim(claims: Claims): void {
    this.#speaker.want(claims);
  }

  #ways(): Way[] {
    const { feed, WebSocket, EventSource, http, session, timing, tickets, visible, boards, top } = this.#parts;
    const states = (page: Parameters<ConstructorParameters<typeof PollingWire>[0]["states"]>[0], cursor: string): void => {
      const { opportunities, deletedIds } = page;
      const some = opportunities.length > 0 || deletedIds.length > 0;
      this.#inbox.move(some ? [{ type: "state", opportunities, deletedIds, at: cursor }] : [], cursor);
    };
    const looks = new Backoff(timing.round, timing.look);
    const ways: Way[] = [];
    if (feed !== null && WebSocket) {
      ways.push({ transport: "websocket", open: (...args) => new SocketWire({ feed, WebSocket, session, timing }, ...args) });
    }
    if (EventSource) {
      ways.push({ transport: "sse", open: (...args) => new StreamWire({ EventSource, http, tickets, timing }, ...args) });
    }
    ways.push({ transport: "polling", open: (...args) => new PollingWire({ http, timing, looks, visible, boards, states }, ...args) });
    const off: Way = { transport: null, open: (...args) => new OffWire({ http, looks }, ...args) };
    return [...ways.filter(({ transport }) => transport !== null && ORDER.indexOf(transport) >= ORDER.indexOf(top)), off];
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
