/**
 * Writes that are not confirmed yet, and how they change a card.
 *
 * Invariant: a change holds the card as its author saw it. It moves on to the current card only if others did not change the same
 * fields in the meantime.
 */

import { clashing, fieldsOf, pick } from "./merge.js";
import type { Changes, Field, Opportunity } from "./types.js";

interface Common {
  readonly mutation: string;
  readonly id: string;
  /** How often it was sent. If it was, it may have been done. */
  tries: number;
  /** How often the service failed on it with an internal error. */
  serverErrors: number;
}

export interface Create extends Common {
  readonly kind: "create";
  card: Opportunity;
}

export interface Change extends Common {
  readonly kind: "change";
  changes: Changes;
  /** The card as its author saw it. */
  seen: Opportunity;
  /** Set when a conflict was decided: by the user, or by merging the lines of the notes. `from`: the version before the change. */
  resolving?: { readonly from: number; readonly how: "client" | "server" | "merge" | "lines" };
  /** The service could not merge the notes: the user has to. */
  unmergeable?: boolean;
}

export interface Remove extends Common {
  readonly kind: "remove";
  readonly seen: Opportunity;
}

export interface Restore extends Common {
  readonly kind: "restore";
  /** The version to restore; null: the last one of a deleted card. */
  readonly version: number | null;
  /** The card that it replaces; null if the card was deleted. */
  readonly seen: Opportunity | null;
  /** What to show of a deleted card until then, if that is known. */
  readonly card: Opportunity | null;
}

export type Write = Create | Change | Remove | Restore;

/** A card that the service does not know yet. */
export function blank(id: string): Opportunity {
  const nothing = { company: null, contact: null, value: null, owner_id: null, probability: null, expected_close_date: null, notes: null, next_activity: null, next_activity_date: null };
  const start = { id, board_id: null, title: "", currency: "BRL", phase: "", position: "", created_at: new Date().toISOString() };
  return { ...start, ...nothing, version_number: 0, last_modified_by: null, last_sync_at: null };
}

/** The card as the user sees it: the confirmed row with their writes applied; undefined if there is no such card. */
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

/** The fields of a new card, as the API expects them. */
export function createFields(card: Opportunity): Changes {
  return pick(
    card,
    fieldsOf(card).filter((field) => card[field] !== null),
  );
}

/** Prepare a write for the current card. Returns the fields that the user has to decide on before it can be sent. */
export function settle(write: Write, row: Opportunity | undefined): Field[] {
  if (write.kind !== "change" || !row) return [];
  const clashes = rebase(write, row);
  if (clashes.length === 0 && write.resolving?.how === "lines") delete write.resolving;
  if (clashes.length !== 1 || clashes[0] !== "notes" || write.unmergeable) return clashes;
  write.resolving = { from: write.seen.version_number, how: "lines" };
  return [];
}

/** Base a change on the current card, unless others have changed the same fields; returns those. */
export function rebase(change: Change, row: Opportunity): Field[] {
  const clashes = clashing(change.seen, change.changes, row);
  if (clashes.length === 0) change.seen = row;
  return clashes;
}

/** Merge a later change into one that was not sent yet; false if it has to be sent by itself. */
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

/** An earlier write of the same card was undone. Later writes were based on its values; base them on the card's own values. */
export function rebaseAfterUndo(later: readonly Write[], undone: Changes, row: Opportunity): void {
  for (const write of later) {
    if (write.kind === "change") write.seen = { ...write.seen, ...pick(row, fieldsOf(undone)) };
  }
}
