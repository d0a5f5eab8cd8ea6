/** Three-way merge by field: what a card was when somebody looked at it, what he made of it, and what it is now. */

import type { Changes, Field, Opportunity } from "./types.js";

/** What a person can change; the database says the rest. */
export const FIELDS = [
  "title",
  "company",
  "contact",
  "value",
  "currency",
  "phase",
  "position",
  "owner_id",
  "probability",
  "expected_close_date",
  "notes",
  "board_id",
] as const satisfies readonly Field[];

export function same(one: unknown, other: unknown): boolean {
  return one === other || (one ?? null) === (other ?? null);
}

export function fieldsOf(changes: Changes): Field[] {
  return FIELDS.filter((field) => changes[field] !== undefined);
}

/** The fields that were changed on both sides, and not to the same value. A place never clashes: the later one wins. */
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

/** As the service will keep it, so that what comes back is recognised. */
export function tidy(changes: Changes): Changes {
  const known = pick(changes, fieldsOf(changes));
  return typeof known.title === "string" ? { ...known, title: known.title.trim() } : known;
}

/** The order of a column. */
export function byPlace(one: Opportunity, other: Opportunity): number {
  if (one.position !== other.position) return one.position < other.position ? -1 : 1;
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}
