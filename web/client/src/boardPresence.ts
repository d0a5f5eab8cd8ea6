/** Who else is on a board, and who else edits which of its cards. */

import type { Presence } from "./types.js";

export interface BoardPresence {
  readonly editingUsers: ReadonlyMap<string, readonly Presence[]>;
  readonly presentUsers: readonly Presence[];
}

export const NOBODY: BoardPresence = { editingUsers: new Map(), presentUsers: [] };

/** Selects the presence of others on this board. What did not change keeps its identity. */
export function boardPresence(all: Iterable<Presence>, board: string, self: string, before: BoardPresence): BoardPresence {
  const editing = new Map<string, Presence[]>();
  const present = new Map<string, Presence>();
  for (const one of all) {
    if (one.boardId !== board || one.userId === self) continue;
    const card = one.opportunityId;
    if (one.action === "editing" && card !== null) editing.set(card, [...(editing.get(card) ?? []), one]);
    if (one.action === "editing" || !present.has(one.userId)) present.set(one.userId, one);
  }
  const sorted = [...present.values()].sort((one, other) => (one.userName < other.userName ? -1 : 1));
  const editingUsers = reuse(new Map([...editing].map(([id, users]) => [id, reuseList(before.editingUsers.get(id), users)])), before);
  const result = { editingUsers, presentUsers: reuseList(before.presentUsers, sorted) };
  return result.editingUsers === before.editingUsers && result.presentUsers === before.presentUsers ? before : result;
}

function reuse(editing: BoardPresence["editingUsers"], before: BoardPresence): BoardPresence["editingUsers"] {
  const old = before.editingUsers;
  return old.size === editing.size && [...editing].every(([id, users]) => old.get(id) === users) ? old : editing;
}

function reuseList(before: readonly Presence[] | undefined, now: readonly Presence[]): readonly Presence[] {
  return before && JSON.stringify(before) === JSON.stringify(now) ? before : now;
}
