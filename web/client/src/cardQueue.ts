/** The unconfirmed writes of one card, in order, and the conflict of the first. */

import { conflictOf, decide } from "./conflicts.js";
import { rebaseAfterUndo, settle, type Write } from "./pending.js";
import type { Conflict, Resolution } from "./state.js";
import type { Opportunity } from "./types.js";

export class CardQueue {
  readonly writes: Write[] = [];
  conflict: Conflict | null = null;
  /** A write is being sent. */
  busy = false;

  constructor(readonly id: string) {}

  /** Whether its first write can be sent now. */
  get ready(): boolean {
    return !this.busy && !this.conflict && this.writes.length > 0;
  }

  /** Prepare the first write for the current row. Returns false if the user has to decide first. */
  settle(write: Write, row: Opportunity | undefined): boolean {
    const clashes = settle(write, row);
    if (clashes.length === 0 || !row || write.kind !== "change") return true;
    this.conflict = conflictOf(write, row, clashes, null);
    return false;
  }

  /** The card has changed: update the conflict, or drop it. Returns whether it changed. */
  updateConflict(row: Opportunity | undefined): boolean {
    const write = this.writes[0];
    const before = this.conflict;
    if (!before || write?.kind !== "change") return false;
    const fields = settle(write, row);
    this.conflict = row && fields.length > 0 ? conflictOf(write, row, fields, before) : null;
    return this.conflict !== before;
  }

  /** Returns whether there was a conflict to decide. */
  decide(decision: Resolution): boolean {
    const write = this.writes[0];
    if (!this.conflict || write?.kind !== "change") return false;
    const before = write.changes;
    decide(write, this.conflict, decision);
    rebaseAfterUndo(this.writes.slice(1), before, { ...this.conflict.theirs, ...write.changes });
    this.conflict = null;
    return true;
  }

  drop(write: Write): void {
    const at = this.writes.indexOf(write);
    if (at >= 0) this.writes.splice(at, 1);
    if (at === 0) this.conflict = null;
  }
}
