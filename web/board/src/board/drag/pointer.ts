import type { Target } from "./target";

interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The drop target under a point: the horizontally nearest column, and in it the place above the first card whose middle is below the point. Only
 * rendered cards count, which is enough, because the point is on the screen.
 */
export function targetAt(root: HTMLElement, { x, y }: Point, dragged: string, allowed: readonly string[]): Target | null {
  const columns = [...root.querySelectorAll<HTMLElement>("[data-phase]")].filter(({ dataset }) => allowed.includes(dataset["phase"] ?? ""));
  const nearest = columns.map((column) => ({ column, distance: beside(column.getBoundingClientRect(), x) })).sort((a, b) => a.distance - b.distance)[0]?.column;
  const phase = nearest?.dataset["phase"];
  if (!nearest || phase === undefined) return null;
  const cards = [...nearest.querySelectorAll<HTMLElement>("[data-card]")].filter(({ dataset }) => dataset["card"] !== dragged);
  const below = cards.find((card) => middle(card.getBoundingClientRect()) > y);
  if (below) return { phase, before: below.dataset["card"] ?? null };
  // Below the last rendered card is the end, unless the column continues out of view.
  const next = cards.at(-1)?.dataset["next"];
  const own = nearest.querySelector<HTMLElement>(`[data-card="${CSS.escape(dragged)}"]`);
  return { phase, before: (next === dragged ? own?.dataset["next"] : next) ?? null };
}

function beside({ left, right }: DOMRect, x: number): number {
  return x < left ? left - x : x > right ? x - right : 0;
}

function middle({ top, height }: DOMRect): number {
  return top + height / 2;
}
