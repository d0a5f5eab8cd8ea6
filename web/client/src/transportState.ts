/** What is known of one transport: whether it may be used, and when it is worth another attempt. */
import { Backoff } from "./backoff.js";
import type { Timing } from "./timing.js";
import type { OpenTransport, TransportEnd } from "./transport.js";
import type { Realtime, TransportName } from "./types.js";

export interface TransportFactory {
  /** null: the one that waits while nothing live is offered. */
  readonly name: TransportName | null;
  readonly open: OpenTransport;
}

const ALLOWED: Readonly<Record<Realtime, readonly (TransportName | null)[]>> = {
  websocket: ["websocket", "sse", "polling"],
  sse: ["sse", "polling"],
  poll: ["polling"],
  off: [null],
};

export function isRealtime(value: string): value is Realtime {
  return Object.hasOwn(ALLOWED, value);
}

export class TransportState {
  readonly name: TransportName | null;
  readonly open: OpenTransport;
  readonly #backoff: Backoff;
  readonly #timing: Timing;
  readonly #random: () => number;
  /** Not to be used again while the page is open. */
  #dead = false;
  /** The service asked us not to reconnect before this time. */
  notBefore = 0;
  /** When to try to upgrade to it. */
  upgradeAt = 0;

  constructor({ name, open }: TransportFactory, timing: Timing, random: () => number) {
    this.name = name;
    this.open = open;
    this.#backoff = new Backoff(timing.upgrade, timing.upgradeMax, random);
    this.#timing = timing;
    this.#random = random;
  }

  /** Whether it works, as far as is known, and the service allows it. */
  allowed(realtime: Realtime): boolean {
    return !this.#dead && ALLOWED[realtime].includes(this.name);
  }

  /** Record why an attempt ended; `live`: since when it was live, or null if it never was. */
  recordEnd(live: number | null, { reaction, retryAfter }: TransportEnd): void {
    const now = performance.now();
    if (live !== null && now - live > this.#timing.stable) this.#backoff.reset();
    if (reaction === "never") this.#dead = true;
    this.upgradeAt = now + (reaction === "fallBackLong" ? this.#backoff.longest() : this.#backoff.next());
    if (reaction === "fallBackLong") this.notBefore = this.upgradeAt;
    if (retryAfter !== null && reaction !== "notAllowed") this.upgradeAt = this.notBefore = now + retryAfter * (1 + this.#random() / 5);
  }

  /** Try it as soon as the service permits. */
  hurry(): void {
    this.upgradeAt = Math.min(this.upgradeAt, Math.max(performance.now(), this.notBefore));
  }
}
