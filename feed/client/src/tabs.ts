/**
 * One connection for the tabs of a browser: whoever holds the group's lock has it, the others hear of it over a channel.
 *
 * Invariant: what the leader posts, every tab gets in the order of the posts, with the position before it, so that a tab knows
 * when it has missed something. Each tab holds a lock of its own while it lives: the leader waits for it, and knows who has gone
 * however they went. A leader that does not answer (its page stands still) is relieved by a tab that is looked at.
 */
import type { Claims } from "./claims.js";
import type { Timing } from "./timing.js";
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

/** `standing`: say where you stand. `woken`: that, and look at the stream, for somebody looks at me. */
export type Ask = "standing" | "woken" | null;

type Post =
  | { readonly kind: "tab"; readonly from: string; readonly tab: Tab; readonly ask: Ask }
  | { readonly kind: "again" | "lead" }
  | { readonly kind: "standing"; readonly standing: Standing }
  | { readonly kind: "status"; readonly status: FeedStatus }
  | { readonly kind: "delivery"; readonly delivery: Delivery; readonly before: string | null };

export interface TabsHooks {
  /** This tab has the connection from here on, or has it no more. */
  lead(): void;
  fall(): void;
  /** What this tab has. */
  tab(): Tab;
  standing(): Standing;
  /** As the leader: another tab has this now; null: it is gone. */
  changed(from: string, tab: Tab | null): void;
  /** As the leader: another tab has just been looked at. */
  woken(): void;
  /** As the leader: somebody has signed in again. */
  again(): void;
  /** As a follower. */
  stands(standing: Standing): void;
  delivered(delivery: Delivery, before: string | null): void;
  status(status: FeedStatus): void;
}

export class Tabs {
  readonly #name: string;
  readonly #heartbeat: number;
  readonly #check: number;
  readonly #hooks: TabsHooks;
  readonly #id = crypto.randomUUID();
  readonly #known = new Set<string>();
  #ended = new AbortController();
  #channel: BroadcastChannel | null = null;
  #joined: Promise<void> | null = null;
  #settle: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  leads = false;

  constructor(name: string, { heartbeat, check }: Timing, hooks: TabsHooks) {
    this.#name = `boardcast:${name}`;
    this.#heartbeat = heartbeat;
    this.#check = check;
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

  /** Tell the leader what this tab has. */
  tell(ask: Ask = null): void {
    if (this.leads || !this.#channel) return;
    const tab = this.#hooks.tab();
    this.#post({ kind: "tab", from: this.#id, tab, ask });
    if (ask && tab.visible) this.#after(this.#check, () => this.#stand(true));
  }

  /** Ask the leader to begin again. */
  again(): void {
    this.#post({ kind: "again" });
  }

  deliver(delivery: Delivery, before: string | null): void {
    if (this.leads) this.#post({ kind: "delivery", delivery, before });
  }

  say(status: FeedStatus): void {
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
    channel.onmessage = ({ data }: MessageEvent<Post>) => this.#take(data);
    const { signal } = this.#ended;
    await new Promise<void>((resolve) => this.#hold(`${this.#name}:${this.#id}`, { signal }, resolve));
    this.#stand(false);
    this.tell("standing");
    return settled;
  }

  /** Ask for the group's lock; `steal` it from one that stands still. */
  #stand(steal: boolean): void {
    const { signal } = this.#ended;
    const lead = (): void => {
      if (this.leads) return;
      this.leads = true;
      clearTimeout(this.#timer);
      this.#hooks.lead();
      this.#settle?.();
      this.#post({ kind: "lead" });
    };
    const fall = (): void => {
      if (!this.leads || signal.aborted) return;
      this.leads = false;
      this.#known.clear();
      this.#hooks.fall();
      this.#stand(false);
      this.tell("standing");
    };
    this.#hold(this.#name, steal ? { steal } : { signal }, lead, fall);
  }

  /** Have a lock until the end; `then` when it is ours, `lost` when it is taken away. */
  #hold(name: string, options: LockOptions, then: () => void, lost?: () => void): void {
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

  #take(post: Post): void {
    if (this.leads) this.#lead(post);
    else this.#follow(post);
  }

  #lead(post: Post): void {
    if (post.kind === "again") this.#hooks.again();
    if (post.kind !== "tab") return;
    if (!this.#known.has(post.from)) this.#meet(post.from);
    this.#hooks.changed(post.from, post.tab);
    if (post.ask === "woken") this.#hooks.woken();
    if (post.ask) this.#post({ kind: "standing", standing: this.#hooks.standing() });
  }

  /** A tab's own lock is ours when the tab is gone. */
  #meet(from: string): void {
    const { signal } = this.#ended;
    this.#known.add(from);
    const gone = navigator.locks.request(`${this.#name}:${from}`, { signal }, () => {
      if (this.#known.delete(from)) this.#hooks.changed(from, null);
    });
    gone.catch(() => undefined); // we have gone first
  }

  #follow(post: Post): void {
    if (post.kind === "lead") this.tell("standing");
    else if (post.kind === "delivery") this.#hooks.delivered(post.delivery, post.before);
    else if (post.kind === "status") this.#hooks.status(post.status);
    else if (post.kind === "standing") {
      this.#hooks.stands(post.standing);
      this.#settle?.();
      this.#after(this.#heartbeat, () => this.tell("standing"));
    }
  }
}
