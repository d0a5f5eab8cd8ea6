/** Writes that the service rejected: undone on the board, but kept, together with the whole card as their author saw it. */

import { blank, changesOf, overlay, type Write } from "./pending.js";
import type { Problem, RejectedWrite } from "./state.js";

/** `writes`: of one card, at least one. */
export function rejectedWrite(writes: readonly Write[], reason: RejectedWrite["reason"], problem: Problem, by: string | null): RejectedWrite {
  const first = writes[0] as Write;
  const base = (first.kind === "create" || first.kind === "restore" ? first.card : first.seen) ?? blank(first.id);
  const edits = writes.filter((write) => write.kind === "create" || write.kind === "change");
  return {
    id: first.mutation,
    opportunityId: first.id,
    kind: first.kind,
    reason,
    problem,
    by,
    changes: changesOf(writes),
    card: overlay(base, edits) ?? base,
  };
}
