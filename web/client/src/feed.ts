/**
 * A feed: one connection over the best transport that works, shared between the tabs of a browser that use the same name.
 *
 * Invariant: listeners get deliveries in order, and each tab gets every delivery once. What a tab missed is fetched.
 */
import { Connection } from "./connection.js";
import { cookieSession } from "./cookieSession.js";
import { GapBuffer } from "./gapBuffer.js";
import { Http, ProblemError, type Fetch } from "./http.js";
import { Listeners } from "./listeners.js";
import { mergePresence, PresenceTracker } from "./localPresence.js";
import { visible, watchPage } from "./pageEvents.js";
import { reducePresence } from "./presence.js";
import { isolated } from "./reportUncaught.js";
import { SessionManager } from "./session.js";
import { type LeaderState, type Tab, Tabs, type TabsHooks } from "./tabs.js";
import { TIMING, type Timing } from "./timing.js";
import type { ClientMessage, Delivery, FeedStatus, PresenceMap, Realtime, Session, Source, TransportName } from "./types.js";

export interface FeedOptions {
  /** Address of the API; default "": the page's own origin. */
  readonly api?: string;
  /** Address of the feed service, from `GET /api/config`; default null: no WebSocket. */
  readonly feed?: string | null;
  /** Returns a token; default: `POST /api/auth/refresh` with the session's cookie. */
  readonly session?: () => Promise<Session>;
  /** The best transport to use, and the first to try; default "websocket". */
  readonly firstTransport?: TransportName;
  /** What the service allows this user, from `GET /api/config`, until it says otherwise; default "websocket". */
  readonly realtime?: Realtime;
  /** Name of the group of tabs that share one connection (include the user); default false: a connection per tab. */
  readonly share?: string | false;
  readonly WebSocket?: typeof WebSocket;
  readonly EventSource?: typeof EventSource;
  readonly fetch?: Fetch;
  readonly timing?: Partial<Timing>;
}

const IDLE: FeedStatus = { state: "idle", transport: null, behind: false, latency: null, interval: null, realtime: "websocket", leader: false, problem: null };

export class Feed implements Source {
  /** Requests with the feed's session. */
  readonly http: Http;
  readonly #options: FeedOptions;
  readonly #timing: Timing;
  readonly #session: SessionManager;
  readonly #tabs: Tabs | null;
  readonly #otherTabs = new Map<string, Tab>();
  readonly #boards = new Set<string>();
  #tracker = new PresenceTracker();
  #connection: Connection | null = null;
  #unwatch: (() => void) | null = null;
  #status = IDLE;
  #presence: PresenceMap = new Map();
  /** This tab's cursor, including what the gap buffer holds back. */
  #cursor: string | null = null;
  readonly #gapBuffer: GapBuffer;
  readonly #deliveryListeners = new Listeners<Delivery>();
  readonly #statusListeners = new Listeners<FeedStatus>();
  readonly #presenceListeners = new Listeners<PresenceMap>();

  constructor(options: FeedOptions = {}) {
    const { api = "", session, fetch, share = false } = options;
    const own = { api, ...(fetch ? { fetch } : {}) };
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.#session = new SessionManager(session ?? cookieSession(new Http(own)));
    this.http = new Http(session ? { ...own, session: this.#session } : own);
    this.#gapBuffer = new GapBuffer(this.http, this.#timing, (delivery) => this.#emit(delivery));
    this.#tabs = share !== false && Tabs.supported ? new Tabs(share, this.#timing, this.#hooks()) : null;
  }

  get status(): FeedStatus {
    return this.#status;
  }

  get cursor(): string | null {
    return this.#cursor;
  }

  get presence(): PresenceMap {
    return this.#presence;
  }

  onDelivery(listener: (delivery: Delivery) => void): () => void {
    return this.#deliveryListeners.add(listener);
  }

  onStatus(listener: (status: FeedStatus) => void): () => void {
    return this.#statusListeners.add(listener);
  }

  onPresence(listener: (presence: PresenceMap) => void): () => void {
    return this.#presenceListeners.add(listener);
  }

  async follow(cursor: string, board?: string): Promise<void> {
    if (board !== undefined) this.#boards.add(board);
    this.#watch();
    this.#tabs?.announce();
    if (this.#tabs) await this.#tabs.join();
    if ((!this.#tabs || this.#tabs.leads) && !this.#connection) return this.#connect(cursor);
    if (this.#status.state === "ended") this.#restart();
    if (cursor !== this.#cursor) await this.#gapBuffer.fill(cursor);
  }

  send(message: ClientMessage): void {
    this.#tracker.apply(message);
    this.#sendPresence();
    this.#tabs?.announce();
  }

  stop(): void {
    this.#unwatch?.();
    this.#tabs?.stop(); // before the connection, so that other tabs do not see it end
    this.#connection?.stop();
    this.#connection = this.#unwatch = null;
    this.#cursor = null;
    this.#tracker = new PresenceTracker();
    this.#otherTabs.clear();
    this.#gapBuffer.clear();
    this.#setPresence(new Map());
    this.#setStatus(IDLE);
  }

  #hooks(): TabsHooks {
    return {
      lead: () => {
        if (this.#cursor !== null) this.#connect(this.#cursor);
      },
      stepDown: () => {
        this.#otherTabs.clear();
        this.#connection?.stop();
        this.#connection = null;
      },
      tab: () => ({ presence: this.#tracker.presence, visible: visible(), boards: [...this.#boards] }),
      leaderState: () => ({ cursor: this.#connection?.cursor ?? null, status: this.#status, presence: [...this.#presence.values()].flat() }),
      tabChanged: (from, tab) => {
        if (tab) this.#otherTabs.set(from, tab);
        else this.#otherTabs.delete(from);
        this.#sendPresence();
      },
      tabWoke: () => this.#connection?.wake(),
      restart: () => this.#restart(),
      onLeaderState: (state) => this.#onLeaderState(state),
      leaderLate: () => this.#setStatus({ ...this.#status, behind: this.#status.state === "live" }),
      onDelivery: (delivery, before) => this.#onTabDelivery(delivery, before),
      onStatus: (status) => this.#setStatus({ ...status, leader: false }),
    };
  }

  #connect(cursor: string): void {
    const { feed = null, firstTransport = "websocket", realtime = "websocket", session } = this.#options;
    this.#cursor = cursor;
    this.#connection = new Connection(
      {
        http: this.http,
        session: this.#session,
        timing: this.#timing,
        feed,
        firstTransport,
        realtime,
        tickets: session !== undefined,
        WebSocket: this.#options.WebSocket ?? globalThis.WebSocket,
        EventSource: this.#options.EventSource ?? globalThis.EventSource,
        visible: () => visible() || [...this.#otherTabs.values()].some((tab) => tab.visible),
        boards: () => [...new Set([...this.#boards, ...[...this.#otherTabs.values()].flatMap((tab) => tab.boards)])],
        delivery: (delivery, before) => {
          this.#tabs?.postDelivery(delivery, before);
          this.#accept(delivery);
        },
        status: (status) => {
          this.#setStatus(status);
          this.#tabs?.postStatus(status);
        },
      },
      cursor,
    );
    this.#sendPresence();
    this.#connection.start();
  }

  /** After `ended`: the user has signed in again. */
  #restart(): void {
    if (this.#connection) this.#connection.start();
    else this.#tabs?.restart();
  }

  #watch(): void {
    this.#unwatch ??= watchPage({
      wake: () => {
        this.#connection?.wake();
        this.#tabs?.announce("wake");
      },
      offline: () => this.#connection?.offline(),
      visibilityChanged: () => this.#tabs?.announce(),
    });
  }

  #sendPresence(): void {
    this.#connection?.setPresence(mergePresence([this.#tracker.presence, ...[...this.#otherTabs.values()].map((tab) => tab.presence)]));
  }

  /** The leader has posted its state: fetch what it delivered while this tab slept. */
  #onLeaderState({ cursor, status, presence }: LeaderState): void {
    this.#setStatus({ ...status, leader: false });
    this.#setPresence(reducePresence(this.#presence, { type: "presence_state", presence }));
    const before = this.#cursor;
    this.#cursor = cursor ?? before;
    if (before !== null && cursor !== null && cursor !== before) this.#fillGap(before);
  }

  #onTabDelivery(delivery: Delivery, before: string | null): void {
    const own = this.#cursor;
    if (own === null) return; // this tab does not follow yet
    if (delivery.cursor !== null && before !== own) this.#fillGap(own);
    this.#accept(delivery);
  }

  #fillGap(since: string): void {
    this.#gapBuffer.fill(since).catch((error: unknown) => {
      if (!(error instanceof ProblemError) || error.status !== 410 || this.#cursor === null) return;
      this.#emit({ messages: [{ type: "reset", reason: String(error.body["reason"]), cursor: this.#cursor }], cursor: null });
    });
  }

  #accept(delivery: Delivery): void {
    const before = this.#cursor;
    this.#gapBuffer.deliver(delivery);
    // A listener may have stopped this feed.
    if (delivery.cursor !== null && this.#cursor === before) this.#cursor = delivery.cursor;
  }

  #emit(delivery: Delivery): void {
    // A message that cannot be understood as presence must not keep the rest from the listeners.
    isolated(() => this.#setPresence(delivery.messages.reduce(reducePresence, this.#presence)));
    if (delivery.messages.length) this.#deliveryListeners.call(delivery);
  }

  #setPresence(presence: PresenceMap): void {
    if (presence === this.#presence) return;
    this.#presence = presence;
    this.#presenceListeners.call(presence);
  }

  #setStatus(status: FeedStatus): void {
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return;
    this.#status = status;
    this.#statusListeners.call(status);
  }
}
