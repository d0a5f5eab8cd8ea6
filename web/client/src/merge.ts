/** Three-way merge by field: the card as the user saw it, as the user changed it, and as it is now. */

import { FIELDS } from "./fields.js";
import type { Changes, Field, Opportunity } from "./types.js";

export function same(one: unknown, other: unknown): boolean {
  return one === other || (one ?? null) === (other ?? null);
}

export function fieldsOf(changes: Changes): Field[] {
  return FIELDS.filter((field) => changes[field] !== undefined);
}

/** The fields that both sides changed to different values. Positions never clash: the later one wins. */
export function clashing(seen: Changes, mine: Changes, current: Changes): Field[] {
  return fieldsOf(mine).filter(
    (field) => field !== "position" && !same(current[field], seen[field]) && !same(current[field], mine[field]),
  );
}

export function difference(from: Changes, to: Changes): Changes {
  return pick(
    to,
    FIELDS.filter((field) => !same(from[field], to[field])),
  );
}

export function pick(from: Changes, fields: readonly Field[]): Changes {
  return Object.fromEntries(fields.map((field) => [field, from[field] ?? null])) as Changes;
}

export function without(changes: Changes, fields: readonly Field[]): Changes {
  return pick(
    changes,
    fieldsOf(changes).filter((field) => !fields.includes(field)),
  );
}

/** Normalize as the service does, so that the values that come back are equal. */
export function tidy(changes: Changes): Changes {
  const known = pick(changes, fieldsOf(changes));
  return typeof known.title === "string" ? { ...known, title: known.title.trim() } : known;
}

/** The order of a column. */
export function byPosition(one: Opportunity, other: Opportunity): number {
  if (one.position !== other.position) return one.position < other.position ? -1 : 1;
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}
