/**
 * Which way the feed comes: the highest that works.
 *
 * Invariant: at most two wires are open, the current one and one that is tried above it; every wire begins at the cursor of the
 * moment, so a change of wires has no seam. A way that fails leads at once to the one below; a higher one is tried in the
 * background, and the lower is closed only when that one is live. What the service does not offer is not taken: who has it leaves
 * for the best that is offered.
 */
import { Backoff } from "./backoff.js";
import { isRealtime, Rung, type Way } from "./rung.js";
import type { Timing } from "./timing.js";
import type { FeedStatus, Realtime, Session } from "./types.js";
import type { End, Wire } from "./wire.js";
import type { Incoming } from "./inbox.js";

export interface LadderHooks {
  cursor(): string | null;
  /** For a wire that opens: what takes its messages. */
  inbox(): (message: Incoming) => void;
  /** Get a new token, since the service does not take the one there was; `lost` where nobody answers. */
  renew(): Promise<"renewed" | "refused" | "lost">;
  changed(status: FeedStatus, wire: Wire | null): void;
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
  readonly #rounds: Backoff;
  #state: "idle" | "running" | "ended" = "idle";
  #realtime: Realtime = "websocket";
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
    this.#rungs = ways.map((way) => new Rung(way, timing, random));
    this.#hooks = hooks;
    this.#rounds = new Backoff(timing.round, timing.roundMost, random);
  }

  get status(): FeedStatus {
    const live = this.#current !== null && this.#current.live !== null && !this.#offline;
    const at = live ? (this.#current?.rung.transport === null ? "off" : "live") : this.#offline ? "offline" : "connecting";
    return {
      state: this.#state === "running" ? at : this.#state,
      transport: live && this.#current ? this.#current.rung.transport : null,
      latency: live ? this.#latency : null,
      interval: live ? this.#interval : null,
      realtime: this.#realtime,
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
    for (const rung of this.#rungs) rung.hurry();
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

  /** What the service offers from now on. Of two streams the one goes on until the other is live; states would be of another moment. */
  steer(realtime: Realtime): void {
    if (realtime === this.#realtime || !isRealtime(realtime)) return;
    this.#realtime = realtime;
    for (const rung of this.#rungs) rung.hurry();
    if (this.#state !== "running") return;
    if (this.#trial && !this.#may(this.#trial.rung)) this.#trial = this.#close(this.#trial);
    if (!this.#current) return this.#descend(0);
    if (this.#may(this.#current.rung)) {
      this.#tell();
      return this.#plan();
    }
    const next = this.#rungs.findIndex((rung) => this.#may(rung));
    if (this.#rungs[next]?.transport === "sse" && this.#current.rung.transport === "websocket" && this.#current.live !== null) {
      this.#trial ??= this.#open(next);
      this.#tell();
    } else {
      this.#leave();
    }
  }

  #may(rung: Rung): boolean {
    return rung.may(this.#realtime);
  }

  #close(attempt: Attempt | null): null {
    attempt?.wire?.close();
    return null;
  }

  /** Give up what there is, for the best that is offered. */
  #leave(): void {
    this.#trial = this.#close(this.#trial);
    this.#close(this.#current);
    this.#descend(0);
  }

  /** Take the first way from a rung on down; where there is none, all are tried again later. */
  #descend(from: number): void {
    clearTimeout(this.#roundTimer);
    const now = performance.now();
    const index = this.#rungs.findIndex((rung, at) => at >= from && this.#may(rung) && rung.notBefore <= now);
    const offered = this.#rungs.filter((rung) => this.#may(rung));
    if (index >= 0) {
      this.#current = this.#open(index);
    } else if (!offered.length) {
      this.#halt("ended");
      return;
    } else {
      this.#current = null;
      this.#offline = true;
      const soonest = Math.min(...offered.map((rung) => rung.notBefore)) - now;
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
        if ((message.type === "flags" || message.type === "auth_success") && message.realtime) this.steer(message.realtime);
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
    attempt.rung.note(attempt.live, end);
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

  /**
   * Try what is above the current rung, when its time has come. One that is not offered any more has some time until the service ends
   * it: as long as it lasts the stream below is tried, so that a crowd that moves together does not fall to polling.
   */
  #plan(): void {
    clearTimeout(this.#climbTimer);
    if (this.#trial || this.#current === null || this.#current.live === null) return;
    const { index, rung: at } = this.#current;
    const stays = this.#may(at);
    const above = this.#rungs.filter((rung, place) => this.#may(rung) && (stays ? place < index : rung.transport === "sse"));
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
    this.#current = this.#close(this.#current);
    this.#trial = this.#close(this.#trial);
    this.#tell();
  }

  #tell(): void {
    const at = this.#current;
    this.#hooks.changed(this.status, at && at.live !== null && at.rung.transport !== null ? at.wire : null);
  }
}
