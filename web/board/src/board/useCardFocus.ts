import { useCallback, useLayoutEffect, useRef, useState, type FocusEvent, type KeyboardEvent, type RefObject } from "react";
import { targetOf, type Columns } from "./drag/target";

interface Place {
  readonly phase: string;
  readonly index: number;
}

/**
 * The keyboard focus among the cards. Each column is one tab stop, and arrow keys go from card to card. A card keeps the focus when somebody moves
 * it, when it is scrolled out of view, and when it is dragged with the keyboard. If it is deleted, the next card gets the focus.
 */
export function useCardFocus(root: RefObject<HTMLElement | null>, columns: Columns, dragged: string | null) {
  const [current, setCurrent] = useState<string | null>(null);
  const wanted = useRef<string | null>(null);
  const focused = useRef(false);
  const last = useRef<Place | null>(null);
  const phase = current === null ? null : (targetOf(columns, current)?.phase ?? null);

  const to = useCallback((id: string) => {
    wanted.current = id;
    setCurrent(id);
  }, []);

  useLayoutEffect(() => {
    const place = current === null ? null : positionOf(columns, current);
    if (place) last.current = place;
    const lost = focused.current && document.activeElement === document.body;
    if (lost && current !== null) wanted.current = place ? current : successor(columns, last.current);
    if (dragged !== null && document.activeElement === document.body) wanted.current = dragged;
    const id = wanted.current;
    if (id === null) return;
    if (id !== current) setCurrent(id); // rendered in the next pass, if it was out of view
    const element = opener(root.current, id);
    if (!element) return;
    wanted.current = null;
    element.focus();
  });

  const onFocus = useCallback((event: FocusEvent<HTMLElement>) => {
    const id = event.target.closest<HTMLElement>("[data-card]")?.dataset["card"];
    focused.current = id !== undefined;
    if (id !== undefined) setCurrent(id);
  }, []);

  const onBlur = useCallback((event: FocusEvent<HTMLElement>) => {
    // An element that is removed loses the focus too, but not because the user left it.
    const { target, relatedTarget } = event;
    if (relatedTarget instanceof Element && relatedTarget.closest("[data-card]")) return;
    queueMicrotask(() => {
      if (target.isConnected) focused.current = false;
    });
  }, []);

  const onKeyDown = useCallback(
    (event: KeyboardEvent<HTMLElement>) => {
      const { target } = event;
      if (!(target instanceof HTMLElement) || !target.matches("[data-open]") || event.ctrlKey || event.metaKey || event.altKey) return;
      const card = target.closest<HTMLElement>("[data-card]");
      const id = card?.dataset["card"];
      if (!card || id === undefined) return;
      if (event.key.toLowerCase() === "m") {
        event.preventDefault();
        card.querySelector<HTMLElement>("[aria-haspopup=menu]")?.click();
        return;
      }
      const next = neighbor(columns, id, event.key);
      if (next === undefined) return;
      event.preventDefault();
      to(next);
    },
    [columns, to],
  );

  return { current, phase, to, onFocus, onBlur, onKeyDown };
}

function opener(root: HTMLElement | null, id: string): HTMLElement | null {
  return root?.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"] [data-open]`) ?? null;
}

function positionOf(columns: Columns, id: string): Place | null {
  for (const [phase, cards] of columns) {
    const index = cards.findIndex((card) => card.id === id);
    if (index !== -1) return { phase, index };
  }
  return null;
}

/** The card that follows a card that is gone. */
function successor(columns: Columns, place: Place | null): string | null {
  const cards = place ? (columns.get(place.phase) ?? []) : [];
  return cards[Math.min(place?.index ?? 0, cards.length - 1)]?.id ?? null;
}

function neighbor(columns: Columns, id: string, key: string): string | undefined {
  const place = positionOf(columns, id);
  if (!place) return undefined;
  const cards = columns.get(place.phase) ?? [];
  if (key === "ArrowUp") return cards[place.index - 1]?.id;
  if (key === "ArrowDown") return cards[place.index + 1]?.id;
  if (key === "Home") return cards[0]?.id;
  if (key === "End") return cards.at(-1)?.id;
  if (key !== "ArrowLeft" && key !== "ArrowRight") return undefined;
  const filled = [...columns.keys()].filter((phase) => phase === place.phase || (columns.get(phase)?.length ?? 0) > 0);
  const beside = filled[filled.indexOf(place.phase) + (key === "ArrowLeft" ? -1 : 1)];
  const there = beside === undefined ? [] : (columns.get(beside) ?? []);
  return there[Math.min(place.index, there.length - 1)]?.id;
}
