/**
 * Keeps the best transport that works: WebSocket, else the event stream, else polling.
 *
 * Invariant: at most two transports are open: the current one, and a better one that is being tried. Each opens at the newest cursor,
 * so nothing is lost or repeated when one replaces the other. When the current one fails, the next one down opens at once. Better ones
 * are tried in the background, and the current one closes only when they are live. A transport that the service does not allow is
 * not used, and is left when the service stops allowing it.
 */
import { Attempt } from "./attempt.js";
import { Backoff } from "./backoff.js";
import type { Incoming } from "./inbox.js";
import { reportUncaught } from "./reportUncaught.js";
import type { Timing } from "./timing.js";
import { connectionLost, type Transport, type TransportEnd } from "./transport.js";
import { TransportList } from "./transportList.js";
import type { TransportFactory } from "./transportState.js";
import type { FeedStatus, Realtime, Session } from "./types.js";

export interface TransportsHooks {
  cursor(): string | null;
  /** For a transport that opens: what takes its messages. */
  inbox(): (message: Incoming) => void;
  /** Get a new token because the service rejected the current one; `lost`: the service could not be reached. */
  renew(): Promise<"renewed" | "refused" | "lost">;
  changed(status: FeedStatus, transport: Transport | null): void;
}

export class Transports {
  readonly #list: TransportList;
  readonly #hooks: TransportsHooks;
  readonly #retryBackoff: Backoff;
  readonly #lost: number;
  #state: "idle" | "running" | "ended" = "idle";
  #current: Attempt | null = null;
  #upgrade: Attempt | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #upgradeTimer: ReturnType<typeof setTimeout> | undefined;
  /** All transports have failed, or the browser says that there is no network. Lasts until a message arrives. */
  #offline = false;
  /** The token has been rejected since any transport was live. */
  #denied = false;
  /** Runs from the end of a live transport until another one is live. */
  #lostTimer: ReturnType<typeof setTimeout> | undefined;
  #behind = false;
  #latency: number | null = null;
  #interval: number | null = null;
  #problem: FeedStatus["problem"] = null;

  constructor(factories: readonly TransportFactory[], hooks: TransportsHooks, timing: Timing, random: () => number = Math.random) {
    this.#list = new TransportList(factories, timing, random);
    this.#hooks = hooks;
    this.#lost = timing.lost;
    this.#retryBackoff = new Backoff(timing.retry, timing.retryMax, random);
  }

  get status(): FeedStatus {
    const live = !this.#offline && this.#current !== null && this.#current.live !== null ? this.#current : null;
    const running = live ? (live.state.name === null ? "off" : "live") : this.#offline ? "offline" : "connecting";
    return {
      state: this.#state === "running" ? running : this.#state,
      transport: live?.state.name ?? null,
      behind: running === "live" && this.#behind,
      latency: live ? this.#latency : null,
      interval: live ? this.#interval : null,
      realtime: this.#list.realtime,
      leader: true,
      problem: live ? null : this.#problem,
    };
  }

  start(): void {
    if (this.#state === "running") return;
    this.#state = "running";
    this.#denied = this.#offline = false;
    this.#problem = null;
    this.#openFrom(0);
  }

  stop(): void {
    this.#halt("idle");
  }

  /** The page is visible again, or the network is back: check the current transport, and try better ones now. */
  wake(): void {
    if (this.#state !== "running") return;
    this.#retryBackoff.reset();
    if (!this.#current) return this.#openFrom(0);
    this.#current.transport?.check();
    this.#list.hurry();
    this.#planUpgrade();
  }

  /** The browser says that there is no network. If a message arrives anyway, the browser is wrong. */
  offline(): void {
    if (this.#state !== "running") return;
    this.#offline = true;
    this.#report();
    this.#current?.transport?.check();
  }

  renewed(session: Session): void {
    this.#current?.transport?.renewed(session);
  }

  /**
   * Set what the service allows. From one stream to another, the old one stays open until the new one is live. With polling that is
   * not possible: its states would be of another moment than the stream's events.
   */
  setRealtime(realtime: Realtime): void {
    if (!this.#list.allow(realtime) || this.#state !== "running") return;
    if (this.#upgrade && !this.#list.allows(this.#upgrade.state)) this.#upgrade = this.#close(this.#upgrade);
    if (!this.#current) return this.#openFrom(0);
    if (this.#list.allows(this.#current.state)) {
      this.#report();
      return this.#planUpgrade();
    }
    const next = this.#list.first();
    if (next >= 0 && this.#list.at(next).name === "sse" && this.#current.state.name === "websocket" && this.#current.live !== null) {
      this.#upgrade ??= this.#open(next);
      this.#report();
    } else {
      this.#upgrade = this.#close(this.#upgrade);
      this.#close(this.#current);
      this.#openFrom(0);
    }
  }

  #close(attempt: Attempt | null): null {
    attempt?.transport?.close();
    return null;
  }

  /** Open the first usable transport from an index on; if there is none, try all of them again later. */
  #openFrom(from: number): void {
    clearTimeout(this.#retryTimer);
    const now = performance.now();
    const index = this.#list.first(from, now);
    const soonest = this.#list.soonest();
    if (soonest === null) return this.#halt("ended");
    if (index >= 0) {
      this.#current = this.#open(index);
    } else {
      this.#current = null;
      this.#offline = true;
      this.#retryTimer = setTimeout(() => this.#openFrom(0), Math.max(this.#retryBackoff.next(), soonest - now));
    }
    this.#report();
    this.#planUpgrade();
  }

  #open(index: number): Attempt {
    const state = this.#list.at(index);
    const receive = this.#hooks.inbox();
    const attempt = new Attempt(index, state);
    attempt.transport = state.open(this.#hooks.cursor(), {
      live: () => this.#onLive(attempt),
      message: (message) => {
        if (attempt === this.#current) this.#onMessage();
        try {
          receive(message);
        } catch (error) {
          return this.#onFailure(attempt, error);
        }
        if ((message.type === "flags" || message.type === "auth_success") && message.realtime) this.setRealtime(message.realtime);
      },
      latency: (ms) => this.#measured(attempt, ms, null),
      interval: (ms) => this.#measured(attempt, null, ms),
      behind: (late) => this.#setBehind(attempt, late),
      applied: () => this.#hooks.cursor(),
      end: (end) => this.#onEnd(attempt, end),
    });
    return attempt;
  }

  #onMessage(): void {
    if (!this.#offline || this.#current?.live === null) return;
    this.#offline = false;
    this.#report();
  }

  #measured(attempt: Attempt, latency: number | null, interval: number | null): void {
    if (attempt !== this.#current) return;
    this.#latency = latency;
    this.#interval = interval;
    this.#report();
  }

  #setBehind(attempt: Attempt, late: boolean): void {
    if (attempt !== this.#current || late === this.#behind) return;
    this.#behind = late;
    this.#report();
  }

  #onLive(attempt: Attempt): void {
    clearTimeout(this.#lostTimer);
    if (attempt === this.#upgrade) {
      this.#current?.transport?.close();
      this.#current = attempt;
      this.#upgrade = null;
    }
    attempt.live = performance.now();
    this.#offline = this.#denied = this.#behind = false;
    this.#latency = this.#interval = this.#problem = null;
    this.#retryBackoff.reset();
    this.#report();
    this.#planUpgrade();
  }

  /** Through a bug in this client, a message was not delivered. The next stream repeats it. */
  #onFailure(attempt: Attempt, error: unknown): void {
    reportUncaught(error);
    if (attempt !== this.#current && attempt !== this.#upgrade) return;
    this.#close(attempt);
    this.#onEnd(attempt, connectionLost("a delivery failed"));
  }

  #onEnd(attempt: Attempt, end: TransportEnd): void {
    attempt.state.recordEnd(attempt.live, end);
    if (attempt === this.#upgrade) {
      this.#upgrade = null;
      if (end.reaction === "renewToken") void this.#hooks.renew();
      this.#planUpgrade();
      return;
    }
    this.#problem = end.problem;
    if (attempt.live !== null) this.#onLost(end);
    if (end.reaction === "renewToken") {
      void this.#renew(attempt, end);
    } else if (this.#upgrade) {
      this.#current = this.#upgrade; // it is not live yet
      this.#upgrade = null;
      this.#report();
    } else {
      this.#openFrom(end.reaction === "retry" && attempt.live !== null ? attempt.index : attempt.index + 1);
    }
  }

  /** The live transport has ended. A service that restarts is back in a moment; after that, or if the line is dead, say that it is gone. */
  #onLost({ silent }: TransportEnd): void {
    this.#behind = false;
    this.#offline ||= silent === true;
    clearTimeout(this.#lostTimer);
    this.#lostTimer = setTimeout(() => {
      this.#offline = true;
      this.#report();
    }, this.#lost);
  }

  /** Open the same transport again with a new token, once; end if there is no new token. */
  async #renew(attempt: Attempt, end: TransportEnd): Promise<void> {
    attempt.live = null;
    this.#report();
    const outcome = this.#denied ? "refused" : await this.#hooks.renew();
    if (this.#state !== "running" || this.#current !== attempt) return;
    if (outcome === "refused") {
      this.#problem = { code: "unauthenticated", message: end.problem?.message ?? "" };
      this.#halt("ended");
    } else {
      this.#denied = outcome === "renewed";
      this.#openFrom(outcome === "renewed" ? attempt.index : this.#list.length);
    }
  }

  /** Try a better transport, when its time has come. */
  #planUpgrade(): void {
    clearTimeout(this.#upgradeTimer);
    if (this.#upgrade || this.#current === null || this.#current.live === null) return;
    const next = this.#list.upgrade(this.#current.index);
    if (!next) return;
    const wait = next.at - performance.now();
    if (wait <= 0) this.#upgrade = this.#open(next.index);
    else this.#upgradeTimer = setTimeout(() => this.#planUpgrade(), wait);
  }

  #halt(state: "idle" | "ended"): void {
    this.#state = state;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#upgradeTimer);
    clearTimeout(this.#lostTimer);
    this.#current = this.#close(this.#current);
    this.#upgrade = this.#close(this.#upgrade);
    this.#report();
  }

  #report(): void {
    this.#hooks.changed(this.status, this.#current?.liveTransport ?? null);
  }
}
