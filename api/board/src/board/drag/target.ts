import type { Opportunity } from "@boardcast/client";

/** Where a card that is dragged would go: above another one, or (null) to the end. */
export interface Target {
  readonly phase: string;
  readonly before: string | null;
}

export type Columns = ReadonlyMap<string, readonly Opportunity[]>;

/** A column's cards with the dragged one where it would go. The same array where it has no part in it. */
export function arranged(cards: readonly Opportunity[], phase: string, dragged: Opportunity, target: Target): readonly Opportunity[] {
  const rest = cards.filter(({ id }) => id !== dragged.id);
  if (target.phase !== phase) return rest.length === cards.length ? cards : rest;
  return rest.toSpliced(placeOf(rest, target), 0, dragged);
}

/** The index in a column without the dragged card. If the card below has left meanwhile, it is the end. */
export function placeOf(rest: readonly Opportunity[], { before }: Target): number {
  const at = before === null ? -1 : rest.findIndex(({ id }) => id === before);
  return at === -1 ? rest.length : at;
}

/** Where a card is now, said as a target; null if it is nowhere. */
export function standing(columns: Columns, id: string): Target | null {
  for (const [phase, cards] of columns) {
    const at = cards.findIndex((card) => card.id === id);
    if (at !== -1) return { phase, before: cards[at + 1]?.id ?? null };
  }
  return null;
}

/** Its neighbours there, of all the column's cards, also of those that a filter hides. */
export function neighbours(cards: readonly Opportunity[], id: string, target: Target): { above: string | null; below: string | null } {
  const rest = cards.filter((card) => card.id !== id);
  const place = placeOf(rest, target);
  return { above: rest[place - 1]?.id ?? null, below: rest[place]?.id ?? null };
}

/** One step by an arrow key; null where there is none. Sideways it keeps the place from the top. */
export function step(columns: Columns, open: readonly string[], id: string, target: Target, key: string): Target | null {
  const rest = (phase: string): readonly Opportunity[] => (columns.get(phase) ?? []).filter((card) => card.id !== id);
  const to = (phase: string, place: number): Target => ({ phase, before: rest(phase)[place]?.id ?? null });
  const here = rest(target.phase);
  const at = placeOf(here, target);
  if (key === "ArrowUp") return at > 0 ? to(target.phase, at - 1) : null;
  if (key === "ArrowDown") return at < here.length ? to(target.phase, at + 1) : null;
  if (key === "Home") return to(target.phase, 0);
  if (key === "End") return { phase: target.phase, before: null };
  const column = open.indexOf(target.phase) + (key === "ArrowLeft" ? -1 : 1);
  const phase = column >= 0 ? open[column] : undefined;
  return phase === undefined ? null : to(phase, Math.min(at, rest(phase).length));
}
