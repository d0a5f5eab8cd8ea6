interface Point {
  readonly x: number;
  readonly y: number;
}

/** How close to an edge the pointer has to be to scroll, in px, and the speed at the edge itself, in px per second. */
const EDGE = 72;
const SPEED = 1320;
/** The longest frame that counts, in ms: after a longer one, the column must not jump past cards that were never shown. */
const LONGEST_FRAME = 100;

/**
 * Scroll the board horizontally and the column under the pointer vertically, if the pointer is close to their edges. `elapsed`: ms since the previous
 * frame.
 */
export function scrollTowards(root: HTMLElement, phase: string, { x, y }: Point, elapsed: number): void {
  const most = (SPEED * Math.min(elapsed, LONGEST_FRAME)) / 1000;
  const across = most * pull(x, root.getBoundingClientRect().left, root.getBoundingClientRect().right);
  if (across) root.scrollBy(across, 0);
  const column = root.querySelector<HTMLElement>(`[data-phase="${CSS.escape(phase)}"] [data-scroller]`);
  if (!column) return;
  const { top, bottom } = column.getBoundingClientRect();
  const along = most * pull(y, top, bottom);
  if (along) column.scrollBy(0, along);
}

/** How strongly the edges of a range pull at a point: -1 at the start, 1 at the end, 0 far from both. */
function pull(at: number, from: number, to: number): number {
  const edge = Math.min(EDGE, (to - from) / 6);
  if (at < from + edge) return -Math.min(1, (from + edge - at) / edge);
  if (at > to - edge) return Math.min(1, (at - to + edge) / edge);
  return 0;
}
