/**
 * The server's time, independent of this machine's clock.
 *
 * When a timestamp of the server arrives, that time has already passed there. So the latest of them, advanced by a monotonic counter, is never ahead
 * of the server's clock, and an observed event is never in the future.
 */
import { createContext, use } from "react";

export class ServerClock {
  #ahead = -Infinity;

  /** Observe a time of the server: a timestamp in JSON, or the Date header of a response. */
  observe(time: string | null | undefined): void {
    const at = Date.parse(time ?? "");
    if (!Number.isNaN(at)) this.#ahead = Math.max(this.#ahead, at - performance.now());
  }

  /** Milliseconds from a time of the server until now. */
  since(time: string): number {
    this.observe(time);
    return performance.now() + this.#ahead - Date.parse(time);
  }
}

export const ServerClockContext = createContext<ServerClock | null>(null);

export function useServerClock(): ServerClock {
  const clock = use(ServerClockContext);
  if (!clock) throw new Error("useServerClock outside of ServerClockContext");
  return clock;
}
