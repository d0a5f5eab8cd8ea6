/**
 * Writes that are not confirmed yet, and what they make of a card.
 *
 * Invariant: a change knows the card as its author had seen it, until what others did meanwhile is known not to touch its fields:
 * then it stands on the card as it is now.
 */

import { clashing, fieldsOf, pick } from "./merge.js";
import type { Changes, Field, Opportunity } from "./types.js";

interface Common {
  readonly mutation: string;
  readonly id: string;
  /** How often it was sent; once it was, it may have been done. */
  tries: number;
  /** How often the service broke on it. */
  faults: number;
}

export interface Create extends Common {
  readonly kind: "create";
  card: Opportunity;
}

export interface Change extends Common {
  readonly kind: "change";
  changes: Changes;
  /** The card as its author had seen it. */
  seen: Opportunity;
  /** Set where a conflict was decided: by a person, or by merging the notes' lines. `from`: the version that it began with. */
  resolving?: { readonly from: number; readonly how: "client" | "server" | "merge" | "lines" };
  /** The service could not merge the notes: a person must. */
  unmergeable?: boolean;
}

export interface Remove extends Common {
  readonly kind: "remove";
  readonly seen: Opportunity;
}

export interface Restore extends Common {
  readonly kind: "restore";
  /** The version to come back; null: the last one of a deleted card. */
  readonly version: number | null;
  /** The card that it replaces; null where it was deleted. */
  readonly seen: Opportunity | null;
  /** What to show meanwhile of one that was deleted, where that is known. */
  readonly card: Opportunity | null;
}

export type Write = Create | Change | Remove | Restore;

/** A card that was not confirmed yet. */
export function blank(id: string): Opportunity {
  const nothing = { company: null, contact: null, value: null, owner_id: null, probability: null, expected_close_date: null, notes: null };
  const start = { id, board_id: null, title: "", currency: "BRL", phase: "", position: "", created_at: new Date().toISOString() };
  return { ...start, ...nothing, version_number: 0, last_modified_by: null, last_sync_at: null };
}

/** The card as its user sees it: what is confirmed with his writes over it; undefined where there is none. */
export function overlay(row: Opportunity | undefined, writes: readonly Write[]): Opportunity | undefined {
  let card = row;
  for (const write of writes) {
    if (write.kind === "create") card ??= write.card;
    else if (write.kind === "change") card = card && fieldsOf(write.changes).length > 0 ? { ...card, ...write.changes } : card;
    else if (write.kind === "remove") card = undefined;
    else card ??= write.card ?? undefined;
  }
  return card;
}

/** All fields that the writes set. */
export function changesOf(writes: readonly Write[]): Changes {
  let all: Changes = {};
  for (const write of writes) {
    if (write.kind === "change") all = { ...all, ...write.changes };
    else if (write.kind === "create") all = { ...all, ...createFields(write.card) };
  }
  return all;
}

/** What a new card is made of, in the words of the API. */
export function createFields(card: Opportunity): Changes {
  return pick(
    card,
    fieldsOf(card).filter((field) => card[field] !== null),
  );
}

/** Lay a write on the card as it is now: it can be sent, or these fields have to be decided first. */
export function settle(write: Write, row: Opportunity | undefined): Field[] {
  if (write.kind !== "change" || !row) return [];
  const clashes = rebase(write, row);
  if (clashes.length === 0 && write.resolving?.how === "lines") delete write.resolving;
  if (clashes.length !== 1 || clashes[0] !== "notes" || write.unmergeable) return clashes;
  write.resolving = { from: write.seen.version_number, how: "lines" };
  return [];
}

/** Put a change on the card as it is now, unless others changed the same fields since; returns those. */
export function rebase(change: Change, row: Opportunity): Field[] {
  const clashes = clashing(change.seen, change.changes, row);
  if (clashes.length === 0) change.seen = row;
  return clashes;
}

/** Take a later change into one that was not sent yet; false where it must be sent by itself. */
export function coalesce(last: Write | undefined, changes: Changes, seen: Opportunity): boolean {
  if (!last || last.tries > 0) return false;
  if (last.kind === "create") {
    last.card = { ...last.card, ...changes };
    return true;
  }
  if (last.kind !== "change" || last.resolving) return false;
  const fresh = fieldsOf(changes).filter((field) => last.changes[field] === undefined);
  last.seen = { ...last.seen, ...pick(seen, fresh) };
  last.changes = { ...last.changes, ...changes };
  return true;
}

/** A write of the same card was undone: what came after it had seen its values, and stands on the card's own now. */
export function unseat(later: readonly Write[], undone: Changes, row: Opportunity): void {
  for (const write of later) {
    if (write.kind === "change") write.seen = { ...write.seen, ...pick(row, fieldsOf(undone)) };
  }
}
