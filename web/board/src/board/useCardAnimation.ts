import type { BoardState, BoardStore, RemoteChange } from "@boardcast/client";
import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";

const TRAVEL = { duration: 280, easing: "cubic-bezier(0.2, 0.7, 0.2, 1)" } as const;
const FLASH = 1800;
/** Nobody can follow more moves than this per second: then cards take their places at once, and nothing is measured. */
const MOVES_PER_SECOND = 6;

/**
 * Animates cards that others move (First, Last, Invert, Play), and highlights what others changed. Old positions are measured when the store reports
 * a move, before React renders it.
 */
export function useCardAnimation(root: RefObject<HTMLElement | null>, store: BoardStore): void {
  const first = useRef<ReadonlyMap<string, DOMRect> | null>(null);
  const remote = useRef<BoardState["lastRemote"]>([]);
  useEffect(() => {
    let before = store.getState();
    let moves: number[] = [];
    return store.subscribe(() => {
      const state = store.getState();
      const news = state.lastRemote === before.lastRemote ? null : state.lastRemote;
      // Without news from others, the user has changed something.
      const moved = news === null ? 1 : news.filter(changesPlace).length;
      if (moved > 0 && state.columns !== before.columns) {
        const now = performance.now();
        moves = [...moves.filter((at) => now - at < 1000), ...Array<number>(moved).fill(now)];
        if (moves.length <= MOVES_PER_SECOND && root.current && !first.current) first.current = places(root.current);
      }
      if (news) remote.current = [...remote.current, ...news];
      before = state;
    });
  }, [root, store]);
  useLayoutEffect(() => {
    const [from, changes] = [first.current, remote.current];
    first.current = null;
    remote.current = [];
    if (!root.current) return;
    if (from && !matchMedia("(prefers-reduced-motion: reduce)").matches) travel(root.current, from);
    for (const { id, kind } of changes) if (kind !== "deleted") flash(face(root.current, id));
  });
}

function changesPlace({ kind, fields }: RemoteChange): boolean {
  return kind !== "updated" || fields.includes("position");
}

function cards(root: HTMLElement): readonly HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>("[data-card]")];
}

function places(root: HTMLElement): ReadonlyMap<string, DOMRect> {
  return new Map(cards(root).map((card) => [card.dataset["card"] ?? "", card.getBoundingClientRect()]));
}

function face(root: HTMLElement, id: string): HTMLElement | null {
  return root.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"] [data-face]`);
}

function travel(root: HTMLElement, from: ReadonlyMap<string, DOMRect>): void {
  for (const card of cards(root)) {
    const element = card.querySelector<HTMLElement>("[data-face]");
    if (!element) continue;
    const was = from.get(card.dataset["card"] ?? "");
    const is = card.getBoundingClientRect();
    if (!was) {
      element.animate([{ opacity: 0, transform: "scale(0.96)" }, {}], TRAVEL);
      continue;
    }
    const [dx, dy] = [was.left - is.left, was.top - is.top];
    if (Math.abs(dx) < 2 && Math.abs(dy) < 2) continue;
    // The column would clip a card that comes from another column.
    if (Math.abs(dx) > 2) fly(element, was, is);
    else element.animate([{ transform: `translateY(${String(dy)}px)` }, {}], TRAVEL);
  }
}

/** A clone flies over the board while the card itself is invisible. */
function fly(element: HTMLElement, was: DOMRect, is: DOMRect): void {
  const clone = element.cloneNode(true) as HTMLElement;
  clone.inert = true;
  for (const each of clone.querySelectorAll("[id], [data-open]")) {
    each.removeAttribute("id");
    each.removeAttribute("data-open");
  }
  Object.assign(clone.style, { position: "fixed", left: `${String(is.left)}px`, top: `${String(is.top)}px`, width: `${String(is.width)}px`, zIndex: "30", pointerEvents: "none", margin: "0" });
  clone.setAttribute("aria-hidden", "true");
  document.body.append(clone);
  element.animate([{ opacity: 0 }, { opacity: 0 }], TRAVEL.duration);
  const flight = clone.animate([{ transform: `translate(${String(was.left - is.left)}px, ${String(was.top - is.top)}px)` }, {}], TRAVEL);
  flight.onfinish = flight.oncancel = () => clone.remove();
}

function flash(element: HTMLElement | null): void {
  element?.animate([{ background: "var(--warn-soft)", borderColor: "var(--warn)" }, {}], { duration: FLASH, easing: "ease-out" });
}
