/**
 * A board's cards as the service has them, without this user's pending writes.
 *
 * Invariant: a row is always one whole version, and nothing older replaces it. An event that does not directly follow a row is not
 * applied to it; the card is marked `incomplete` instead. An older event does not bring back a deleted card.
 */

import { detailsAfter, versionOf, withDetails, withoutDetails } from "./details.js";
import type { Opportunity, OpportunityEvent, RowEvent } from "./types.js";

/** An event that has not arrived this many ms after a checkpoint is no longer on its way. */
const LATE = 10_000;

interface Tombstone {
  readonly version: number;
  readonly seq: number | null;
  readonly by: string | null;
}

export class ServerState {
  rows = new Map<string, Opportunity>();
  readonly #tombstones = new Map<string, Tombstone>();
  /** Cards known from a response whose event has not arrived; the value is the time of the first checkpoint since (ms), or 0. */
  readonly awaitingEvent = new Map<string, number>();
  /** Cards with a version that is known only in part, and has to be fetched. */
  readonly incomplete = new Map<string, number>();

  constructor(readonly board: string) {}

  /** Start over from a snapshot; events after its cursor follow. */
  reset(rows: readonly Opportunity[]): void {
    this.rows = new Map(rows.map((row) => [row.id, row]));
    this.#tombstones.clear();
    this.incomplete.clear();
    this.awaitingEvent.clear();
  }

  /** Apply what a response says of a card before the stream does. Returns whether the card changed. */
  applyResponse(id: string, apply: () => boolean): boolean {
    const changed = apply();
    if (changed) this.awaitingEvent.set(id, 0);
    return changed;
  }

  /** Whether the rows can be compared with a checkpoint: not while events are on their way. */
  comparable(now: number): boolean {
    for (const [id, since] of this.awaitingEvent) {
      if (!since) this.awaitingEvent.set(id, now);
      else if (now - since > LATE) this.awaitingEvent.delete(id);
    }
    return this.awaitingEvent.size + this.incomplete.size === 0;
  }

  /** Returns whether the card changed. */
  applyEvent(event: OpportunityEvent): boolean {
    if (event.boardId !== this.board) return false;
    this.#eventArrived(event.opportunityId, event.version);
    if (event.type === "opportunity_created") return this.#created(event.opportunity, event.version, event.seq);
    const { opportunityId: id, version } = event;
    const row = this.rows.get(id);
    if (event.type === "opportunity_deleted") {
      if (row && row.version_number > version) return false;
      return this.markDeleted(id, version, event.seq, event.userId);
    }
    if (row ? version <= row.version_number : version <= (this.#tombstones.get(id)?.version ?? 0)) return false;
    if (!row || row.version_number !== version - (event.collapsed ?? 1)) {
      this.incomplete.set(id, Math.max(version, this.incomplete.get(id) ?? 0));
      return false;
    }
    this.rows.set(id, { ...row, ...withoutDetails(event.changes), id, version_number: version });
    return true;
  }

  #eventArrived(id: string, version: number): void {
    const known = this.rows.get(id)?.version_number ?? this.#tombstones.get(id)?.version ?? 0;
    if (version >= known) this.awaitingEvent.delete(id);
  }

  #created(row: Opportunity, version: number, seq: number): boolean {
    const tombstone = this.#tombstones.get(row.id);
    if (tombstone && (tombstone.seq === null ? version <= tombstone.version : seq <= tombstone.seq)) return false;
    this.#tombstones.delete(row.id);
    return this.applyRow(withDetails(withoutDetails(row), this.rows.get(row.id)));
  }

  /** Apply a change of the details of a card. Returns whether the card changed. */
  applyDetails(event: RowEvent): boolean {
    const id = String(event.key);
    const row = this.rows.get(id);
    // A card that left the board, or comes with its own event, has its details from there.
    if (!row || event.type === "row_deleted" || event.version <= versionOf(row)) return false;
    const details = detailsAfter(row, event);
    if (details) this.rows.set(id, withDetails(row, details));
    else this.incomplete.set(id, Math.max(row.version_number, this.incomplete.get(id) ?? 0));
    return details !== null;
  }

  /** Apply a whole row of a response or a poll. Returns whether the card changed. */
  applyRow(row: Opportunity): boolean {
    const { id, version_number: version } = row;
    const known = this.rows.get(id);
    if ((this.incomplete.get(id) ?? 0) <= version) this.incomplete.delete(id);
    if (row.board_id !== this.board) return known !== undefined && known.version_number < version && this.markDeleted(id, version);
    if (known && version <= known.version_number) return this.#applyDetailsOf(row, known);
    if (!known && version <= (this.#tombstones.get(id)?.version ?? -1)) return false;
    this.#tombstones.delete(id);
    this.rows.set(id, known && versionOf(known) > versionOf(row) ? withDetails(row, known) : row);
    return true;
  }

  #applyDetailsOf(row: Opportunity, known: Opportunity): boolean {
    if (versionOf(row) <= versionOf(known)) return false;
    this.rows.set(row.id, withDetails(known, row));
    return true;
  }

  /** Returns whether there was such a card. */
  markDeleted(id: string, version: number, seq: number | null = null, by: string | null = null): boolean {
    const before = this.#tombstones.get(id);
    const tombstone = { version: Math.max(version, before?.version ?? 0), seq: seq ?? before?.seq ?? null, by: by ?? before?.by ?? null };
    this.#tombstones.set(id, tombstone);
    this.incomplete.delete(id);
    return this.rows.delete(id);
  }

  /** Remove a card that a poll did not find. The next poll may find it, so it leaves no tombstone. */
  remove(id: string): boolean {
    this.incomplete.delete(id);
    return this.rows.delete(id);
  }

  deletedBy(id: string): string | null {
    return this.#tombstones.get(id)?.by ?? null;
  }
}
