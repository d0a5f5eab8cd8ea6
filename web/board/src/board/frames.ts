import type { Schedule } from "@boardcast/client";
import { flushSync } from "react-dom";

/** A page that is hidden draws no frames, and is shown what arrived when it is visible again. */
const WITHOUT_FRAMES = 200;
/** The longest pause after a frame that took long. */
const LONGEST_REST = 250;

/**
 * Applies what arrives once per frame. After a frame that took long, the page rests as long, so that at least half of the time is left for the user.
 */
export function perFrame(): Schedule {
  let restUntil = 0;
  const painted = new MessageChannel();
  painted.port1.onmessage = ({ data: begin }: MessageEvent<number>) => {
    const now = performance.now();
    restUntil = now + Math.min(now - begin, LONGEST_REST);
  };
  return (run) => {
    let frame = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const cancel = (): void => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
    const show = (): void => {
      cancel();
      painted.port2.postMessage(performance.now());
      flushSync(run);
    };
    const ask = (): void => {
      frame = requestAnimationFrame(show);
      timer = setTimeout(show, WITHOUT_FRAMES);
    };
    const rest = restUntil - performance.now();
    if (rest > 4) timer = setTimeout(ask, rest);
    else ask();
    return cancel;
  };
}
