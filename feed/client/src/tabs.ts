/**
 * One connection for the tabs of a browser: whoever holds the group's lock has it, the others hear of it over a channel.
 *
 * Invariant: what the leader posts, every tab gets in the order of the posts, with the position before it, so that a tab knows
 * when it has missed something. Each tab holds a lock of its own while it lives: the leader waits for it, and knows who has gone
 * however they went.
 */
import type { Claims } from "./claims.js";
import type { Delivery, FeedStatus, Presence } from "./types.js";

/** What one tab has, for the leader to act on. */
export interface Tab {
  readonly claims: Claims;
  readonly visible: boolean;
  readonly boards: readonly string[];
}

/** Where the leader stands. */
export interface Standing {
  readonly cursor: string | null;
  readonly status: FeedStatus;
  readonly presence: readonly Presence[];
}

type Post =
  | { readonly kind: "tab"; readonly from: string; readonly tab: Tab; readonly ask: boolean }
  | { readonly kind: "again" | "lead" }
  | { readonly kind: "standing"; readonly standing: Standing }
  | { readonly kind: "status"; readonly status: FeedStatus }
  | { readonly kind: "delivery"; readonly delivery: Delivery; readonly before: string | null };

export interface TabsHooks {
  /** This tab has the connection from here on. */
  lead(): void;
  /** What this tab has. */
  tab(): Tab;
  standing(): Standing;
  /** As the leader: another tab has this now; null: it is gone. `ask`: it has just been looked at. */
  changed(from: string, tab: Tab | null, ask: boolean): void;
  /** As the leader: somebody has signed in again. */
  again(): void;
  /** As a follower. */
  stands(standing: Standing): void;
  delivered(delivery: Delivery, before: string | null): void;
  status(status: FeedStatus): void;
}

export class Tabs {
  readonly #name: string;
  readonly #hooks: TabsHooks;
  readonly #id = crypto.randomUUID();
  readonly #known = new Set<string>();
  #ended = new AbortController();
  #channel: BroadcastChannel | null = null;
  #joined: Promise<void> | null = null;
  #settle: (() => void) | null = null;
  leads = false;

  constructor(name: string, hooks: TabsHooks) {
    this.#name = `boardcast:${name}`;
    this.#hooks = hooks;
  }

  static get possible(): boolean {
    return typeof BroadcastChannel !== "undefined" && typeof navigator !== "undefined" && "locks" in navigator;
  }

  /** Resolves when this tab leads, or one that leads has said where it stands. */
  join(): Promise<void> {
    this.#joined ??= this.#join();
    return this.#joined;
  }

  /** Tell the leader what this tab has; `ask` for where it stands. */
  tell(ask = false): void {
    if (!this.leads) this.#post({ kind: "tab", from: this.#id, tab: this.#hooks.tab(), ask });
  }

  /** Ask the leader to begin again. */
  again(): void {
    this.#post({ kind: "again" });
  }

  deliver(delivery: Delivery, before: string | null): void {
    this.#post({ kind: "delivery", delivery, before });
  }

  say(status: FeedStatus): void {
    this.#post({ kind: "status", status });
  }

  stop(): void {
    this.#ended.abort();
    this.#ended = new AbortController();
    this.#channel?.close();
    this.#channel = this.#joined = null;
    this.#known.clear();
    this.leads = false;
  }

  async #join(): Promise<void> {
    const { signal } = this.#ended;
    const settled = new Promise<void>((resolve) => (this.#settle = resolve));
    const channel = (this.#channel = new BroadcastChannel(this.#name));
    channel.onmessage = ({ data }: MessageEvent<Post>) => this.#take(data);
    await new Promise<void>((resolve) => this.#hold(`${this.#name}:${this.#id}`, signal, resolve));
    this.#hold(this.#name, signal, () => {
      this.leads = true;
      this.#hooks.lead();
      this.#settle?.();
      this.#post({ kind: "lead" });
    });
    this.tell(true);
    return settled;
  }

  /** Have a lock until the end; `then` when it is ours. */
  #hold(name: string, signal: AbortSignal, then: () => void): void {
    const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    const held = navigator.locks.request(name, { signal }, () => {
      then();
      return ended;
    });
    held.catch(() => undefined); // it was ended while it waited
  }

  #post(post: Post): void {
    this.#channel?.postMessage(post);
  }

  #take(post: Post): void {
    if (this.leads) this.#lead(post);
    else this.#follow(post);
  }

  #lead(post: Post): void {
    if (post.kind === "again") this.#hooks.again();
    if (post.kind !== "tab") return;
    if (!this.#known.has(post.from)) this.#meet(post.from);
    this.#hooks.changed(post.from, post.tab, post.ask);
    if (post.ask) this.#post({ kind: "standing", standing: this.#hooks.standing() });
  }

  /** A tab's own lock is ours when the tab is gone. */
  #meet(from: string): void {
    this.#known.add(from);
    const gone = navigator.locks.request(`${this.#name}:${from}`, { signal: this.#ended.signal }, () => {
      this.#known.delete(from);
      this.#hooks.changed(from, null, false);
    });
    gone.catch(() => undefined);
  }

  #follow(post: Post): void {
    if (post.kind === "lead") this.tell(true);
    else if (post.kind === "delivery") this.#hooks.delivered(post.delivery, post.before);
    else if (post.kind === "status") this.#hooks.status(post.status);
    else if (post.kind === "standing") {
      this.#hooks.stands(post.standing);
      this.#settle?.();
    }
  }
}
