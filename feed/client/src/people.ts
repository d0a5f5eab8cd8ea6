/** Who else is on the board, and who else edits which card. */

import type { Presence } from "./types.js";

export interface People {
  readonly editingUsers: ReadonlyMap<string, readonly Presence[]>;
  readonly here: readonly Presence[];
}

export const NOBODY: People = { editingUsers: new Map(), here: [] };

/** Of everybody's presence, the others' on this board. What did not change keeps its identity. */
export function people(all: Iterable<Presence>, board: string, self: string, before: People): People {
  const editing = new Map<string, Presence[]>();
  const here = new Map<string, Presence>();
  for (const one of all) {
    if (one.boardId !== board || one.userId === self) continue;
    const card = one.opportunityId;
    if (one.action === "editing" && card !== null) editing.set(card, [...(editing.get(card) ?? []), one]);
    if (one.action === "editing" || !here.has(one.userId)) here.set(one.userId, one);
  }
  const present = [...here.values()].sort((one, other) => (one.userName < other.userName ? -1 : 1));
  const editingUsers = keep(new Map([...editing].map(([id, users]) => [id, keepList(before.editingUsers.get(id), users)])), before);
  const result = { editingUsers, here: keepList(before.here, present) };
  return result.editingUsers === before.editingUsers && result.here === before.here ? before : result;
}

function keep(editing: People["editingUsers"], before: People): People["editingUsers"] {
  const old = before.editingUsers;
  return old.size === editing.size && [...editing].every(([id, users]) => old.get(id) === users) ? old : editing;
}

function keepList(before: readonly Presence[] | undefined, now: readonly Presence[]): readonly Presence[] {
  return before && JSON.stringify(before) === JSON.stringify(now) ? before : now;
}
