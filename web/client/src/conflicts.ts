/** A write that conflicts with somebody else's: what the user is asked, and the write that follows from the decision. */

import { without } from "./merge.js";
import type { Change } from "./pending.js";
import type { Conflict, Resolution } from "./state.js";
import type { Field, Opportunity } from "./types.js";

/** Returns the same object while nothing in it changes. */
export function conflictOf(write: Change, theirs: Opportunity, fields: readonly Field[], before: Conflict | null): Conflict {
  const unchanged = before?.theirs === theirs && before.mine === write.changes && before.base === write.seen;
  if (unchanged && before.fields.length === fields.length && before.fields.every((field, at) => field === fields[at])) return before;
  return { id: write.id, base: write.seen, theirs, mine: write.changes, fields, by: theirs.last_modified_by };
}

/**
 * Change a write as the user decided. Its changes to other fields are sent in any case. The user saw `theirs`, so that is what the
 * write is based on from now on.
 */
export function decide(write: Change, conflict: Conflict, decision: Resolution): void {
  const from = write.resolving?.from ?? write.seen.version_number;
  const others = without(write.changes, conflict.fields);
  if (decision.resolution === "merge") write.changes = { ...write.changes, ...decision.data };
  else if (decision.resolution === "server") write.changes = others;
  const nothing = decision.resolution === "server" && Object.keys(others).length === 0;
  const how = decision.resolution === "server" && !nothing ? "merge" : decision.resolution;
  write.resolving = { from, how };
  write.seen = conflict.theirs;
  delete write.unmergeable;
}
