/**
 * Which way the feed comes: the highest that works.
 *
 * Invariant: at most two wires are open, the current one and one that is tried above it; every wire begins at the cursor of the
 * moment, so a change of wires has no seam. A way that fails leads at once to the one below; a higher one is tried in the
 * background, and the lower is closed only when that one is live.
 */
import { Backoff } from "./backoff.js";
import type { Timing } from "./timing.js";
import type { FeedStatus, Session, Transport } from "./types.js";
import type { End, Open, Wire } from "./wire.js";
import type { Incoming } from "./inbox.js";

export interface Way {
  readonly transport: Transport;
  readonly open: Open;
}

export interface LadderHooks {
  cursor(): string | null;
  /** For a wire that opens: what takes its messages. */
  inbox(): (message: Incoming) => void;
  /** Get a new token, since the service does not take the one there was; `lost` where nobody answers. */
  renew(): Promise<"renewed" | "refused" | "lost">;
  changed(status: FeedStatus, wire: Wire | null): void;
}

interface Rung extends Way {
  readonly backoff: Backoff;
  /** Not in this page's life. */
  dead: boolean;
  /** When the service lets us come again, and when we mean to climb to it. */
  notBefore: number;
  climbAt: number;
}

interface Attempt {
  readonly index: number;
  readonly rung: Rung;
  wire: Wire | null;
  /** Since when; null: not yet. */
  live: number | null;
}

type Timer = ReturnType<typeof setTimeout> | undefined;

export class Ladder {
  readonly #rungs: readonly Rung[];
  readonly #hooks: LadderHooks;
  readonly #timing: Timing;
  readonly #random: () => number;
  readonly #rounds: Backoff;
  #state: "idle" | "running" | "ended" = "idle";
  #current: Attempt | null = null;
  #trial: Attempt | null = null;
  #roundTimer: Timer;
  #climbTimer: Timer;
  /** All ways have failed, or the browser says that there is no network; until something is heard. */
  #offline = false;
  /** The token has been refused since anything was live. */
  #denied = false;
  #latency: number | null = null;
  #interval: number | null = null;
  #problem: FeedStatus["problem"] = null;

  constructor(ways: readonly Way[], hooks: LadderHooks, timing: Timing, random: () => number = Math.random) {
    this.#rungs = ways.map((way) => ({
      ...way,
      backoff: new Backoff(timing.climb, timing.climbMost, random),
      dead: false,
      notBefore: 0,
      climbAt: 0,
    }));
    this.#hooks = hooks;
    this.#timing = timing;
    this.#random = random;
    this.#rounds = new Backoff(timing.round, timing.roundMost, random);
  }

  get status(): FeedStatus {
    const live = this.#current !== null && this.#current.live !== null && !this.#offline;
    const state = this.#state !== "running" ? this.#state : live ? "live" : this.#offline ? "offline" : "connecting";
    return {
      state,
      transport: live && this.#current ? this.#current.rung.transport : null,
      latency: live ? this.#latency : null,
      interval: live ? this.#interval : null,
      leader: true,
      problem: live ? null : this.#problem,
    };
  }

  start(): void {
    if (this.#state === "running") return;
    this.#state = "running";
    this.#denied = this.#offline = false;
    this.#problem = null;
    this.#descend(0);
  }

  stop(): void {
    this.#halt("idle");
  }

  /** The page is seen again, or the network is back: what there is must prove itself, and what is better is tried now. */
  wake(): void {
    if (this.#state !== "running") return;
    this.#rounds.reset();
    if (!this.#current) return this.#descend(0);
    this.#current.wire?.check();
    const now = performance.now();
    for (const rung of this.#rungs) rung.climbAt = Math.min(rung.climbAt, Math.max(now, rung.notBefore));
    this.#plan();
  }

  /** The browser says that there is no network. If the stream answers all the same, it is believed. */
  offline(): void {
    if (this.#state !== "running") return;
    this.#offline = true;
    this.#tell();
    this.#current?.wire?.check();
  }

  renewed(session: Session): void {
    this.#current?.wire?.renewed(session);
  }

  /** Take the first way from a rung on down; where there is none, all are tried again later. */
  #descend(from: number): void {
    clearTimeout(this.#roundTimer);
    const now = performance.now();
    const index = this.#rungs.findIndex((rung, at) => at >= from && !rung.dead && rung.notBefore <= now);
    if (index >= 0) {
      this.#current = this.#open(index);
    } else if (this.#rungs.every((rung) => rung.dead)) {
      this.#halt("ended");
      return;
    } else {
      this.#current = null;
      this.#offline = true;
      const soonest = Math.min(...this.#rungs.map((rung) => (rung.dead ? Infinity : rung.notBefore))) - now;
      this.#roundTimer = setTimeout(() => this.#descend(0), Math.max(this.#rounds.next(), soonest));
    }
    this.#tell();
    this.#plan();
  }

  #open(index: number): Attempt {
    const rung = this.#rungs[index] as Rung;
    const take = this.#hooks.inbox();
    const attempt: Attempt = { index, rung, wire: null, live: null };
    attempt.wire = rung.open(this.#hooks.cursor(), {
      live: () => this.#live(attempt),
      message: (message) => {
        if (attempt === this.#current) this.#heard();
        take(message);
      },
      latency: (ms) => this.#measured(attempt, ms, null),
      interval: (ms) => this.#measured(attempt, null, ms),
      applied: () => this.#hooks.cursor(),
      end: (end) => this.#ended(attempt, end),
    });
    return attempt;
  }

  #heard(): void {
    if (!this.#offline || this.#current?.live === null) return;
    this.#offline = false;
    this.#tell();
  }

  #measured(attempt: Attempt, latency: number | null, interval: number | null): void {
    if (attempt !== this.#current) return;
    this.#latency = latency;
    this.#interval = interval;
    this.#tell();
  }

  #live(attempt: Attempt): void {
    if (attempt === this.#trial) {
      this.#current?.wire?.close();
      this.#current = attempt;
      this.#trial = null;
    }
    attempt.live = performance.now();
    this.#offline = this.#denied = false;
    this.#latency = this.#interval = this.#problem = null;
    this.#rounds.reset();
    this.#tell();
    this.#plan();
  }

  #ended(attempt: Attempt, end: End): void {
    this.#note(attempt, end);
    if (attempt === this.#trial) {
      this.#trial = null;
      if (end.next === "token") void this.#hooks.renew();
      this.#plan();
      return;
    }
    this.#problem = end.problem;
    if (end.next === "token") {
      void this.#renew(attempt, end);
    } else if (this.#trial) {
      this.#current = this.#trial;
      this.#trial = null;
      this.#tell();
    } else {
      this.#descend(end.next === "again" && attempt.live !== null ? attempt.index : attempt.index + 1);
    }
  }

  /** What the end of a wire means for its rung. */
  #note({ rung, live }: Attempt, { next, retry }: End): void {
    const now = performance.now();
    if (live !== null && now - live > this.#timing.steady) rung.backoff.reset();
    if (next === "never") rung.dead = true;
    rung.climbAt = now + (next === "crowded" ? rung.backoff.longest() : rung.backoff.next());
    if (next === "crowded") rung.notBefore = rung.climbAt;
    if (retry !== null) rung.climbAt = rung.notBefore = now + retry * (1 + this.#random() / 5);
  }

  /** With a new token the same way again, once; with none it is over. */
  async #renew(attempt: Attempt, end: End): Promise<void> {
    attempt.live = null;
    this.#tell();
    const outcome = this.#denied ? "refused" : await this.#hooks.renew();
    if (this.#state !== "running" || this.#current !== attempt) return;
    if (outcome === "refused") {
      this.#problem = { code: "unauthenticated", message: end.problem?.message ?? "" };
      this.#halt("ended");
    } else {
      this.#denied = outcome === "renewed";
      this.#descend(outcome === "renewed" ? attempt.index : this.#rungs.length);
    }
  }

  /** Try what is above the current rung, when its time has come. */
  #plan(): void {
    clearTimeout(this.#climbTimer);
    if (this.#trial || this.#current === null || this.#current.live === null) return;
    const above = this.#rungs.slice(0, this.#current.index).filter((rung) => !rung.dead);
    if (!above.length) return;
    const now = performance.now();
    const due = above.find((rung) => rung.climbAt <= now);
    if (due) {
      this.#trial = this.#open(this.#rungs.indexOf(due));
      return;
    }
    const soonest = Math.min(...above.map((rung) => rung.climbAt));
    this.#climbTimer = setTimeout(() => this.#plan(), soonest - now);
  }

  #halt(state: "idle" | "ended"): void {
    this.#state = state;
    clearTimeout(this.#roundTimer);
    clearTimeout(this.#climbTimer);
    this.#current?.wire?.close();
    this.#trial?.wire?.close();
    this.#current = this.#trial = null;
    this.#tell();
  }

  #tell(): void {
    const live = this.#current?.live !== null ? this.#current?.wire : null;
    this.#hooks.changed(this.status, live ?? null);
  }
}
