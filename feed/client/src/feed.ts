/**
 * A feed: one connection by the best way there is, shared by the tabs of a browser where they agree on a name.
 *
 * Invariant: listeners get deliveries in order, each after what this tab was given before it; what it has missed is fetched.
 */
import { type Claims, Desk, merged } from "./claims.js";
import { Connection } from "./connection.js";
import { Gate } from "./gate.js";
import { Http, ProblemError, type Fetch } from "./http.js";
import { visible, watchPage } from "./page.js";
import { reducePresence } from "./presence.js";
import { cookieSession, SessionKeeper } from "./session.js";
import { type Standing, type Tab, Tabs, type TabsHooks } from "./tabs.js";
import { TIMING, type Timing } from "./timing.js";
import type { ClientMessage, Delivery, Everybody, FeedStatus, Realtime, Session, Source, Transport } from "./types.js";

export interface FeedOptions {
  /** Address of the API; "" (default) is the page's own. */
  readonly api?: string;
  /** Address of the feed service, as `GET /api/config` tells it; null (default): no WebSocket. */
  readonly feed?: string | null;
  /** Where tokens are from; default: `POST /api/auth/refresh` with the session's cookie. */
  readonly session?: () => Promise<Session>;
  /** The highest way to take; default "websocket". */
  readonly top?: Transport;
  /** What the service offers this user, as `GET /api/config` tells it, until it says otherwise; default "websocket". */
  readonly realtime?: Realtime;
  /** Name of the tabs that share one connection (put the user into it); default false: a connection of its own. */
  readonly share?: string | false;
  readonly WebSocket?: typeof WebSocket;
  readonly EventSource?: typeof EventSource;
  readonly fetch?: Fetch;
  readonly timing?: Partial<Timing>;
}

const IDLE: FeedStatus = { state: "idle", transport: null, latency: null, interval: null, realtime: "websocket", leader: false, problem: null };

export class Feed implements Source {
  /** Requests with the feed's session. */
  readonly http: Http;
  readonly #options: FeedOptions;
  readonly #timing: Timing;
  readonly #session: SessionKeeper;
  readonly #tabs: Tabs | null;
  readonly #others = new Map<string, Tab>();
  readonly #boards = new Set<string>();
  #desk = new Desk();
  #claims: Claims = new Map();
  #connection: Connection | null = null;
  #unwatch: (() => void) | null = null;
  #status = IDLE;
  #presence: Everybody = new Map();
  /** Where this tab stands, counting what waits. */
  #cursor: string | null = null;
  readonly #gate: Gate;
  readonly #deliveryListeners = new Set<(delivery: Delivery) => void>();
  readonly #statusListeners = new Set<(status: FeedStatus) => void>();
  readonly #presenceListeners = new Set<(presence: Everybody) => void>();

  constructor(options: FeedOptions = {}) {
    const { api = "", session, fetch, share = false } = options;
    const own = { api, ...(fetch ? { fetch } : {}) };
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.#session = new SessionKeeper(session ?? cookieSession(new Http(own)));
    this.http = new Http(session ? { ...own, session: this.#session } : own);
    this.#gate = new Gate(this.http, this.#timing, (delivery) => this.#emit(delivery));
    this.#tabs = share !== false && Tabs.possible ? new Tabs(share, this.#timing, this.#hooks()) : null;
  }

  get status(): FeedStatus {
    return this.#status;
  }

  get cursor(): string | null {
    return this.#cursor;
  }

  get presence(): Everybody {
    return this.#presence;
  }

  onDelivery(listener: (delivery: Delivery) => void): () => void {
    return added(this.#deliveryListeners, listener);
  }

  onStatus(listener: (status: FeedStatus) => void): () => void {
    return added(this.#statusListeners, listener);
  }

  onPresence(listener: (presence: Everybody) => void): () => void {
    return added(this.#presenceListeners, listener);
  }

  async follow(cursor: string, board?: string): Promise<void> {
    if (board !== undefined) this.#boards.add(board);
    this.#watch();
    this.#tabs?.tell();
    if (this.#tabs) await this.#tabs.join();
    if (this.#leads && !this.#connection) {
      this.#connect(cursor);
      return;
    }
    if (this.#status.state === "ended") this.#again();
    if (cursor !== this.#cursor) await this.#gate.fill(cursor);
  }

  send(message: ClientMessage): void {
    this.#claims = this.#desk.take(message);
    this.#claim();
    this.#tabs?.tell();
  }

  stop(): void {
    this.#unwatch?.();
    this.#tabs?.stop(); // before the others could hear that this tab's connection ends
    this.#connection?.stop();
    this.#connection = this.#unwatch = null;
    this.#cursor = null;
    this.#desk = new Desk();
    this.#claims = new Map();
    this.#others.clear();
    this.#gate.shut();
    this.#see(new Map());
    this.#show(IDLE);
  }

  get #leads(): boolean {
    return !this.#tabs || this.#tabs.leads;
  }

  #hooks(): TabsHooks {
    return {
      lead: () => {
        if (this.#cursor !== null) this.#connect(this.#cursor);
      },
      tab: () => ({ claims: this.#claims, visible: visible(), boards: [...this.#boards] }),
      standing: () => ({ cursor: this.#connection?.cursor ?? null, status: this.#status, presence: [...this.#presence.values()].flat() }),
      fall: () => {
        this.#others.clear();
        this.#connection?.stop();
        this.#connection = null;
      },
      changed: (from, tab) => {
        if (tab) this.#others.set(from, tab);
        else this.#others.delete(from);
        this.#claim();
      },
      woken: () => this.#connection?.wake(),
      again: () => this.#again(),
      stands: (standing) => this.#joined(standing),
      delivered: (delivery, before) => this.#told(delivery, before),
      status: (status) => this.#show({ ...status, leader: false }),
    };
  }

  #connect(cursor: string): void {
    const { feed = null, top = "websocket", realtime = "websocket", session } = this.#options;
    this.#cursor = cursor;
    this.#connection = new Connection(
      {
        http: this.http,
        session: this.#session,
        timing: this.#timing,
        feed,
        top,
        realtime,
        tickets: session !== undefined,
        WebSocket: this.#options.WebSocket ?? globalThis.WebSocket,
        EventSource: this.#options.EventSource ?? globalThis.EventSource,
        visible: () => visible() || [...this.#others.values()].some((tab) => tab.visible),
        boards: () => [...new Set([...this.#boards, ...[...this.#others.values()].flatMap((tab) => tab.boards)])],
        delivery: (delivery, before) => {
          this.#tabs?.deliver(delivery, before);
          this.#take(delivery);
        },
        status: (status) => {
          this.#show(status);
          this.#tabs?.say(status);
        },
      },
      cursor,
    );
    this.#claim();
    this.#connection.start();
  }

  /** After `ended`: somebody has signed in again. */
  #again(): void {
    if (this.#connection) this.#connection.start();
    else this.#tabs?.again();
  }

  #watch(): void {
    this.#unwatch ??= watchPage({
      wake: () => {
        this.#connection?.wake();
        this.#tabs?.tell("woken");
      },
      offline: () => this.#connection?.offline(),
      seen: () => this.#tabs?.tell(),
    });
  }

  #claim(): void {
    this.#connection?.claim(merged([this.#claims, ...[...this.#others.values()].map((tab) => tab.claims)]));
  }

  /** The leader has said where it stands: what it told while this tab slept is fetched. */
  #joined({ cursor, status, presence }: Standing): void {
    this.#show({ ...status, leader: false });
    this.#see(reducePresence(this.#presence, { type: "presence_state", presence }));
    const before = this.#cursor;
    this.#cursor = cursor ?? before;
    if (before !== null && cursor !== null && cursor !== before) this.#missed(before);
  }

  #told(delivery: Delivery, before: string | null): void {
    const mine = this.#cursor;
    if (mine === null) return; // this tab has not begun
    if (delivery.cursor !== null && before !== mine) this.#missed(mine);
    this.#take(delivery);
  }

  #missed(since: string): void {
    this.#gate.fill(since).catch((error: unknown) => {
      if (!(error instanceof ProblemError) || error.status !== 410 || this.#cursor === null) return;
      this.#emit({ messages: [{ type: "reset", reason: String(error.body["reason"]), cursor: this.#cursor }], cursor: null });
    });
  }

  #take(delivery: Delivery): void {
    if (delivery.cursor !== null) this.#cursor = delivery.cursor;
    this.#gate.take(delivery);
  }

  #emit(delivery: Delivery): void {
    this.#see(delivery.messages.reduce(reducePresence, this.#presence));
    if (delivery.messages.length) for (const listener of [...this.#deliveryListeners]) listener(delivery);
  }

  #see(presence: Everybody): void {
    if (presence === this.#presence) return;
    this.#presence = presence;
    for (const listener of [...this.#presenceListeners]) listener(presence);
  }

  #show(status: FeedStatus): void {
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return;
    this.#status = status;
    for (const listener of [...this.#statusListeners]) listener(status);
  }
}

function added<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
