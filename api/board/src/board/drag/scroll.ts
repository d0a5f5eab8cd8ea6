interface Point {
  readonly x: number;
  readonly y: number;
}

/** How near an edge one has to point for what is behind it to come, and how fast it comes at the edge itself, in px per frame. */
const EDGE = 72;
const SPEED = 22;

/** Scroll the board sideways and the column that is pointed at up or down, if the point is near their edges. */
export function scrollTowards(root: HTMLElement, phase: string, { x, y }: Point): void {
  const across = pull(x, root.getBoundingClientRect().left, root.getBoundingClientRect().right);
  if (across) root.scrollBy(across, 0);
  const column = root.querySelector<HTMLElement>(`[data-phase="${CSS.escape(phase)}"] [data-scroller]`);
  if (!column) return;
  const { top, bottom } = column.getBoundingClientRect();
  const along = pull(y, top, bottom);
  if (along) column.scrollBy(0, along);
}

function pull(at: number, from: number, to: number): number {
  const edge = Math.min(EDGE, (to - from) / 6);
  if (at < from + edge) return -SPEED * Math.min(1, (from + edge - at) / edge);
  if (at > to - edge) return SPEED * Math.min(1, (at - to + edge) / edge);
  return 0;
}
