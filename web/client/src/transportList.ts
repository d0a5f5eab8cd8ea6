/** The transports, the best first: which of them the service allows, and when each is worth another attempt. */
import type { Timing } from "./timing.js";
import { isRealtime, type TransportFactory, TransportState } from "./transportState.js";
import type { Realtime } from "./types.js";

export class TransportList {
  readonly #states: readonly TransportState[];
  realtime: Realtime = "websocket";

  constructor(factories: readonly TransportFactory[], timing: Timing, random: () => number) {
    this.#states = factories.map((factory) => new TransportState(factory, timing, random));
  }

  at(index: number): TransportState {
    return this.#states[index] as TransportState;
  }

  get length(): number {
    return this.#states.length;
  }

  /** Set what the service allows. Returns whether it is something else than before. */
  allow(realtime: Realtime): boolean {
    if (realtime === this.realtime || !isRealtime(realtime)) return false;
    this.realtime = realtime;
    this.hurry();
    return true;
  }

  allows(state: TransportState): boolean {
    return state.allowed(this.realtime);
  }

  /** Try better transports as soon as the service permits. */
  hurry(): void {
    for (const state of this.#states) state.hurry();
  }

  /** The first transport that is allowed, from an index on; with `now`, only those that the service wants us on by then. -1: none. */
  first(from = 0, now = Infinity): number {
    return this.#states.findIndex((state, at) => at >= from && this.allows(state) && state.notBefore <= now);
  }

  /** When the service wants us on any of the allowed transports; null: none is allowed. */
  soonest(): number | null {
    const allowed = this.#states.filter((state) => this.allows(state));
    return allowed.length ? Math.min(...allowed.map((state) => state.notBefore)) : null;
  }

  /**
   * The transport to upgrade to next, and when. A WebSocket that is no longer allowed stays open for a while before the service closes
   * it. During that time the event stream is tried, so that clients that move together do not all fall back to polling.
   */
  upgrade(from: number): { index: number; at: number } | null {
    const stays = this.allows(this.at(from));
    const better = this.#states.filter((state, at) => this.allows(state) && (stays ? at < from : state.name === "sse"));
    if (!better.length) return null;
    const now = performance.now();
    const at = Math.min(...better.map((state) => state.upgradeAt));
    const next = better.find((state) => state.upgradeAt <= Math.max(at, now)) as TransportState;
    return { index: this.#states.indexOf(next), at };
  }
}
