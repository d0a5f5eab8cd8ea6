import type { Opportunity } from "@boardcast/client";

/** Where a dragged card would be dropped: above another card, or (null) at the end. */
export interface Target {
  readonly phase: string;
  readonly before: string | null;
}

export type Columns = ReadonlyMap<string, readonly Opportunity[]>;

/** A column's cards with the dragged one at its target. The same array if it is not involved. */
export function withDragged(cards: readonly Opportunity[], phase: string, dragged: Opportunity, target: Target): readonly Opportunity[] {
  const rest = cards.filter(({ id }) => id !== dragged.id);
  if (target.phase !== phase) return rest.length === cards.length ? cards : rest;
  return rest.toSpliced(indexIn(rest, target), 0, dragged);
}

/** The index of a target in a column without the dragged card. If the card below is gone, the end. */
export function indexIn(rest: readonly Opportunity[], { before }: Target): number {
  const at = before === null ? -1 : rest.findIndex(({ id }) => id === before);
  return at === -1 ? rest.length : at;
}

/** The current place of a card, as a target; null if it is on no column. */
export function targetOf(columns: Columns, id: string): Target | null {
  for (const [phase, cards] of columns) {
    const at = cards.findIndex((card) => card.id === id);
    if (at !== -1) return { phase, before: cards[at + 1]?.id ?? null };
  }
  return null;
}

/** The neighbors of a target among all cards of the column, including those that a filter hides. */
export function neighbors(cards: readonly Opportunity[], id: string, target: Target): { above: string | null; below: string | null } {
  const rest = cards.filter((card) => card.id !== id);
  const place = indexIn(rest, target);
  return { above: rest[place - 1]?.id ?? null, below: rest[place]?.id ?? null };
}

/** One step with an arrow key; null if there is none. A horizontal step keeps the index. */
export function step(columns: Columns, open: readonly string[], id: string, target: Target, key: string): Target | null {
  const rest = (phase: string): readonly Opportunity[] => (columns.get(phase) ?? []).filter((card) => card.id !== id);
  const to = (phase: string, place: number): Target => ({ phase, before: rest(phase)[place]?.id ?? null });
  const here = rest(target.phase);
  const at = indexIn(here, target);
  if (key === "ArrowUp") return at > 0 ? to(target.phase, at - 1) : null;
  if (key === "ArrowDown") return at < here.length ? to(target.phase, at + 1) : null;
  if (key === "Home") return to(target.phase, 0);
  if (key === "End") return { phase: target.phase, before: null };
  const column = open.indexOf(target.phase) + (key === "ArrowLeft" ? -1 : 1);
  const phase = column >= 0 ? open[column] : undefined;
  return phase === undefined ? null : to(phase, Math.min(at, rest(phase).length));
}
