/**
 * The columns of a board, updated as cards change. Only columns that a change touches are new objects; the others keep their identity.
 *
 * Invariant: each visible card is in exactly one column, at its position.
 */

import { byPosition } from "./merge.js";
import type { Opportunity, Phase } from "./types.js";

export type Cards = ReadonlyMap<string, Opportunity>;
export type Columns = ReadonlyMap<string, readonly Opportunity[]>;

export interface View {
  readonly opportunities: Cards;
  readonly columns: Columns;
}

/** Build all columns: the board's phases in their order, then phases of cards that the board does not have. */
export function build(phases: readonly Phase[], cards: Iterable<Opportunity>): View {
  const opportunities = new Map<string, Opportunity>();
  const columns = new Map<string, Opportunity[]>(phases.map((phase) => [phase.id, []]));
  for (const card of cards) {
    opportunities.set(card.id, card);
    const column = columns.get(card.phase);
    if (column) column.push(card);
    else columns.set(card.phase, [card]);
  }
  for (const column of columns.values()) column.sort(byPosition);
  return { opportunities, columns };
}

/** The view after cards changed (undefined: removed); the same object if none did. */
export function update(view: View, phases: readonly Phase[], changed: ReadonlyMap<string, Opportunity | undefined>): View {
  const news = [...changed].filter(([id, card]) => view.opportunities.get(id) !== card);
  if (news.length === 0) return view;
  const leaving = new Map<string, Set<string>>();
  const coming = new Map<string, Opportunity[]>();
  const opportunities = new Map(view.opportunities);
  for (const [id, card] of news) {
    const before = opportunities.get(id);
    if (before) leaving.set(before.phase, (leaving.get(before.phase) ?? new Set()).add(id));
    if (!card) {
      opportunities.delete(id);
      continue;
    }
    opportunities.set(id, card);
    coming.set(card.phase, [...(coming.get(card.phase) ?? []), card]);
  }
  const columns = new Map(view.columns);
  for (const phase of new Set([...leaving.keys(), ...coming.keys()])) {
    const column = merged(columns.get(phase) ?? [], leaving.get(phase), coming.get(phase) ?? []);
    if (column.length === 0 && !phases.some((known) => known.id === phase)) columns.delete(phase);
    else columns.set(phase, column);
  }
  return { opportunities, columns };
}

/** A column without the cards that leave, and with each new card at its position. */
function merged(column: readonly Opportunity[], leaving: ReadonlySet<string> | undefined, coming: Opportunity[]): Opportunity[] {
  const sorted = coming.sort(byPosition);
  const result: Opportunity[] = [];
  let next = 0;
  for (const card of column) {
    if (leaving?.has(card.id)) continue;
    for (let one = sorted[next]; one && byPosition(one, card) < 0; one = sorted[++next]) result.push(one);
    result.push(card);
  }
  return result.concat(sorted.slice(next));
}
