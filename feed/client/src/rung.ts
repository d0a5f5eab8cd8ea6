/** One way of the ladder: whether it may be taken, and when it is worth trying again. */
import { Backoff } from "./backoff.js";
import type { Timing } from "./timing.js";
import type { Realtime, Transport } from "./types.js";
import type { End, Open } from "./wire.js";

export interface Way {
  /** null: the one for when nothing live is offered. */
  readonly transport: Transport | null;
  readonly open: Open;
}

const OFFERED: Readonly<Record<Realtime, readonly (Transport | null)[]>> = {
  websocket: ["websocket", "sse", "polling"],
  sse: ["sse", "polling"],
  poll: ["polling"],
  off: [null],
};

export function isRealtime(value: string): value is Realtime {
  return Object.hasOwn(OFFERED, value);
}

export class Rung {
  readonly transport: Transport | null;
  readonly open: Open;
  readonly #backoff: Backoff;
  readonly #timing: Timing;
  readonly #random: () => number;
  /** Not in this page's life. */
  #dead = false;
  /** When the service lets us come again, and when we mean to climb to it. */
  notBefore = 0;
  climbAt = 0;

  constructor({ transport, open }: Way, timing: Timing, random: () => number) {
    this.transport = transport;
    this.open = open;
    this.#backoff = new Backoff(timing.climb, timing.climbMost, random);
    this.#timing = timing;
    this.#random = random;
  }

  /** Whether it works, as far as is known, and is one that the service offers. */
  may(realtime: Realtime): boolean {
    return !this.#dead && OFFERED[realtime].includes(this.transport);
  }

  /** What the end of a wire means, which was live since then. */
  note(live: number | null, { next, retry }: End): void {
    const now = performance.now();
    if (live !== null && now - live > this.#timing.steady) this.#backoff.reset();
    if (next === "never") this.#dead = true;
    this.climbAt = now + (next === "crowded" ? this.#backoff.longest() : this.#backoff.next());
    if (next === "crowded") this.notBefore = this.climbAt;
    if (retry !== null && next !== "barred") this.climbAt = this.notBefore = now + retry * (1 + this.#random() / 5);
  }

  /** It is worth trying as soon as we are let. */
  hurry(): void {
    this.climbAt = Math.min(this.climbAt, Math.max(performance.now(), this.notBefore));
  }
}
