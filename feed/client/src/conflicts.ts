/** A write that clashes with somebody else's, as the user is asked about it; and the write that his decision makes of it. */

import { without } from "./merge.js";
import type { Change } from "./pending.js";
import type { Conflict, Resolution } from "./state.js";
import type { Field, Opportunity } from "./types.js";

/** The same object while nothing of it changes. */
export function conflictOf(write: Change, theirs: Opportunity, fields: readonly Field[], before: Conflict | null): Conflict {
  const unchanged = before?.theirs === theirs && before.mine === write.changes && before.base === write.seen;
  if (unchanged && before.fields.length === fields.length && before.fields.every((field, at) => field === fields[at])) return before;
  return { id: write.id, base: write.seen, theirs, mine: write.changes, fields, by: theirs.last_modified_by };
}

/**
 * What was changed beside the conflict is sent in any case. The decision was made with `theirs` in view: it stands on that.
 */
export function decide(write: Change, conflict: Conflict, decision: Resolution): void {
  const from = write.resolving?.from ?? write.seen.version_number;
  const beside = without(write.changes, conflict.fields);
  if (decision.resolution === "merge") write.changes = { ...write.changes, ...decision.data };
  else if (decision.resolution === "server") write.changes = beside;
  const nothing = decision.resolution === "server" && Object.keys(beside).length === 0;
  const how = decision.resolution === "server" && !nothing ? "merge" : decision.resolution;
  write.resolving = { from, how };
  write.seen = conflict.theirs;
  delete write.unmergeable;
}
