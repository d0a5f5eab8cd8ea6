/**
 * Shares one connection between the tabs of a browser. The tab that holds the group's lock is the leader and has the connection;
 * the others receive everything over a BroadcastChannel.
 *
 * Invariant: every tab gets what the leader posts, in order and with the cursor before it, so that it notices when it missed
 * something. Each tab holds a lock of its own while it lives. The leader waits for these locks, so it notices when a tab is gone,
 * however it went. A visible tab takes over from a leader that does not answer because its page is frozen.
 */
import type { LocalPresence } from "./localPresence.js";
import type { Timing } from "./timing.js";
import type { Delivery, FeedStatus, Presence } from "./types.js";

/** What the leader needs to know about another tab. */
export interface Tab {
  readonly presence: LocalPresence;
  readonly visible: boolean;
  readonly boards: readonly string[];
}

export interface LeaderState {
  readonly cursor: string | null;
  readonly status: FeedStatus;
  readonly presence: readonly Presence[];
}

/** A request from a tab to the leader. `state`: to post its state. `wake`: that, and to check the connection, because this tab is visible. */
export type Ask = "state" | "wake" | null;

type Post =
  | { readonly kind: "tab"; readonly from: string; readonly tab: Tab; readonly ask: Ask }
  | { readonly kind: "restart" | "newLeader" }
  | { readonly kind: "state"; readonly state: LeaderState }
  | { readonly kind: "status"; readonly status: FeedStatus }
  | { readonly kind: "delivery"; readonly delivery: Delivery; readonly before: string | null };

export interface TabsHooks {
  /** This tab has become the leader, or is no longer. */
  lead(): void;
  stepDown(): void;
  /** What the leader needs to know about this tab. */
  tab(): Tab;
  leaderState(): LeaderState;
  /** To the leader: another tab has changed; null: it is gone. */
  tabChanged(from: string, tab: Tab | null): void;
  /** To the leader: another tab has become visible. */
  tabWoke(): void;
  /** To the leader: the user has signed in again. */
  restart(): void;
  /** To the other tabs. */
  onLeaderState(state: LeaderState): void;
  /** The leader does not answer. */
  leaderLate(): void;
  onDelivery(delivery: Delivery, before: string | null): void;
  onStatus(status: FeedStatus): void;
}

export class Tabs {
  readonly #name: string;
  readonly #timing: Timing;
  readonly #hooks: TabsHooks;
  readonly #id = crypto.randomUUID();
  readonly #known = new Set<string>();
  #ended = new AbortController();
  #channel: BroadcastChannel | null = null;
  #joined: Promise<void> | null = null;
  #settle: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  leads = false;

  constructor(name: string, timing: Timing, hooks: TabsHooks) {
    this.#name = `boardcast:${name}`;
    this.#timing = timing;
    this.#hooks = hooks;
  }

  static get supported(): boolean {
    return typeof BroadcastChannel !== "undefined" && typeof navigator !== "undefined" && "locks" in navigator;
  }

  /** Resolves when this tab is the leader, or has received the leader's state. */
  join(): Promise<void> {
    this.#joined ??= this.#join();
    return this.#joined;
  }

  /** Tell the leader about this tab. */
  announce(ask: Ask = null): void {
    if (this.leads || !this.#channel) return;
    const tab = this.#hooks.tab();
    this.#post({ kind: "tab", from: this.#id, tab, ask });
    if (!ask) return;
    const { behind, pong } = this.#timing;
    this.#after(behind, () => {
      this.#hooks.leaderLate();
      this.#after(pong - behind, () => (this.#hooks.tab().visible ? this.#requestLead(true) : this.announce("state")));
    });
  }

  /** Ask the leader to connect again. */
  restart(): void {
    this.#post({ kind: "restart" });
  }

  postDelivery(delivery: Delivery, before: string | null): void {
    if (this.leads) this.#post({ kind: "delivery", delivery, before });
  }

  postStatus(status: FeedStatus): void {
    if (this.leads) this.#post({ kind: "status", status });
  }

  stop(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
    this.#ended = new AbortController();
    this.#channel?.close();
    this.#channel = this.#joined = null;
    this.#known.clear();
    this.leads = false;
  }

  async #join(): Promise<void> {
    const settled = new Promise<void>((resolve) => (this.#settle = resolve));
    const channel = (this.#channel = new BroadcastChannel(this.#name));
    channel.onmessage = ({ data }: MessageEvent<Post>) => this.#receive(data);
    const { signal } = this.#ended;
    await new Promise<void>((resolve) => this.#holdLock(`${this.#name}:${this.#id}`, { signal }, resolve));
    this.#requestLead(false);
    this.announce("state");
    return settled;
  }

  /** Request the group's lock; `steal` it from a leader that does not answer. */
  #requestLead(steal: boolean): void {
    const { signal } = this.#ended;
    const lead = (): void => {
      if (this.leads) return;
      this.leads = true;
      clearTimeout(this.#timer);
      this.#hooks.lead();
      this.#settle?.();
      this.#post({ kind: "newLeader" });
    };
    const stepDown = (): void => {
      if (!this.leads || signal.aborted) return;
      this.leads = false;
      this.#known.clear();
      this.#hooks.stepDown();
      this.#requestLead(false);
      this.announce("state");
    };
    this.#holdLock(this.#name, steal ? { steal } : { signal }, lead, stepDown);
  }

  /** Hold a lock until the end. Calls `then` when it is granted, and `lost` when it is taken away. */
  #holdLock(name: string, options: LockOptions, then: () => void, lost?: () => void): void {
    const { signal } = this.#ended;
    const held = navigator.locks.request(name, options, () => {
      if (signal.aborted) return undefined;
      then();
      return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    });
    held.catch(() => lost?.());
  }

  #after(wait: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, wait);
  }

  #post(post: Post): void {
    this.#channel?.postMessage(post);
  }

  #receive(post: Post): void {
    if (this.leads) this.#receiveAsLeader(post);
    else this.#receiveFromLeader(post);
  }

  #receiveAsLeader(post: Post): void {
    if (post.kind === "restart") this.#hooks.restart();
    if (post.kind !== "tab") return;
    if (!this.#known.has(post.from)) this.#watchTab(post.from);
    this.#hooks.tabChanged(post.from, post.tab);
    if (post.ask === "wake") this.#hooks.tabWoke();
    if (post.ask) this.#post({ kind: "state", state: this.#hooks.leaderState() });
  }

  /** The lock of another tab becomes free when the tab is gone. */
  #watchTab(from: string): void {
    const { signal } = this.#ended;
    this.#known.add(from);
    const gone = navigator.locks.request(`${this.#name}:${from}`, { signal }, () => {
      if (this.#known.delete(from)) this.#hooks.tabChanged(from, null);
    });
    gone.catch(() => undefined); // this tab stopped first
  }

  #receiveFromLeader(post: Post): void {
    if (post.kind === "newLeader") this.announce("state");
    else if (post.kind === "delivery") this.#hooks.onDelivery(post.delivery, post.before);
    else if (post.kind === "status") this.#hooks.onStatus(post.status);
    else if (post.kind === "state") {
      this.#hooks.onLeaderState(post.state);
      this.#settle?.();
      this.#after(this.#timing.ping, () => this.announce("state"));
    }
  }
}
