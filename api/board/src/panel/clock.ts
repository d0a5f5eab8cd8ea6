/**
 * The server's time, whatever this machine's clock says.
 *
 * A time that the server names had come there when it was heard here. So the latest of them, carried on by a counter that nobody
 * can set, is never ahead of the server's own; and what the server tells of is never in the future.
 */
import { createContext, use } from "react";

export class Clock {
  #ahead = -Infinity;

  /** Take note of a time of the server's: a timestamp of its JSON, or the Date of an answer. */
  heard(time: string | null | undefined): void {
    const at = Date.parse(time ?? "");
    if (!Number.isNaN(at)) this.#ahead = Math.max(this.#ahead, at - performance.now());
  }

  /** Milliseconds from a time of the server's until now. */
  since(time: string): number {
    this.heard(time);
    return performance.now() + this.#ahead - Date.parse(time);
  }
}

export const ClockContext = createContext<Clock | null>(null);

export function useClock(): Clock {
  const clock = use(ClockContext);
  if (!clock) throw new Error("useClock outside of ClockContext");
  return clock;
}
