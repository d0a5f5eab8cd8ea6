/** Summaries of what others changed: to highlight cards, and to announce changes to screen readers. */

import { difference, fieldsOf } from "./merge.js";
import type { RemoteChange } from "./state.js";
import type { Changes, Opportunity, OpportunityEvent } from "./types.js";

export function remoteChangeOf(event: OpportunityEvent): RemoteChange {
  const common = { id: event.opportunityId, userId: event.userId, at: performance.now() };
  switch (event.type) {
    case "opportunity_created":
      return { ...common, kind: "created", fields: [] };
    case "opportunity_deleted":
      return { ...common, kind: "deleted", fields: [] };
    case "opportunity_updated":
      return { ...common, kind: "updated", fields: fieldsOf(event.changes as Changes) };
    case "opportunity_moved": {
      const { fromPhase, toPhase, changes } = event;
      return { ...common, kind: "moved", fields: fieldsOf(changes as Changes), fromPhase, toPhase };
    }
  }
}

/** The same from two states, where there was no event; undefined: the card does not exist. */
export function remoteChangeBetween(id: string, before: Opportunity | undefined, after: Opportunity | undefined): RemoteChange {
  const common = { id, userId: after?.last_modified_by ?? null, at: performance.now() };
  if (!after) return { ...common, userId: null, kind: "deleted", fields: [] };
  if (!before) return { ...common, kind: "created", fields: [] };
  const fields = fieldsOf(difference(before, after));
  if (before.phase === after.phase) return { ...common, kind: "updated", fields };
  return { ...common, kind: "moved", fields, fromPhase: before.phase, toPhase: after.phase };
}
