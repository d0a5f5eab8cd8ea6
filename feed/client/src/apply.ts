/**
 * What the service told of a board's cards.
 *
 * Invariant: a row is always the whole row of one version: nothing older replaces it, and an event that does not follow it
 * directly is not laid on it but makes it `behind`. A deleted card does not come back by an event that is older.
 */

import type { Opportunity, OpportunityEvent } from "./types.js";

/** So many ms behind a checkpoint an event is not on its way any more. */
const LATE = 10_000;

interface Grave {
  readonly version: number;
  readonly seq: number | null;
  readonly by: string | null;
}

export class Truth {
  rows = new Map<string, Opportunity>();
  readonly #graves = new Map<string, Grave>();
  /** Cards that are as an answer had them, whose event has not come: since which checkpoint (ms), 0 before the first. */
  readonly ahead = new Map<string, number>();
  /** Cards that have a version which was told only in part: to be fetched. */
  readonly behind = new Map<string, number>();

  constructor(readonly board: string) {}

  /** Begin again from a snapshot; what comes after its cursor will be told. */
  reset(rows: readonly Opportunity[]): void {
    this.rows = new Map(rows.map((row) => [row.id, row]));
    this.#graves.clear();
    this.behind.clear();
    this.ahead.clear();
  }

  /** What an answer says of a card, before the stream does. Returns whether the card changed. */
  early(id: string, apply: () => boolean): boolean {
    const changed = apply();
    if (changed) this.ahead.set(id, 0);
    return changed;
  }

  /** Whether this can be compared with what a checkpoint says: not before the events have come that are on their way. */
  comparable(now: number): boolean {
    for (const [id, since] of this.ahead) {
      if (!since) this.ahead.set(id, now);
      else if (now - since > LATE) this.ahead.delete(id);
    }
    return this.ahead.size + this.behind.size === 0;
  }

  /** Returns whether the card changed. */
  event(event: OpportunityEvent): boolean {
    if (event.boardId !== this.board) return false;
    this.#caughtUp(event.opportunityId, event.version);
    if (event.type === "opportunity_created") return this.#created(event.opportunity, event.version, event.seq);
    const { opportunityId: id, version } = event;
    const row = this.rows.get(id);
    if (event.type === "opportunity_deleted") {
      if (row && row.version_number > version) return false;
      return this.bury(id, version, event.seq, event.userId);
    }
    if (row ? version <= row.version_number : version <= (this.#graves.get(id)?.version ?? 0)) return false;
    if (!row || row.version_number !== version - (event.collapsed ?? 1)) {
      this.behind.set(id, Math.max(version, this.behind.get(id) ?? 0));
      return false;
    }
    this.rows.set(id, { ...row, ...event.changes, id, version_number: version });
    return true;
  }

  #caughtUp(id: string, version: number): void {
    const known = this.rows.get(id)?.version_number ?? this.#graves.get(id)?.version ?? 0;
    if (version >= known) this.ahead.delete(id);
  }

  #created(row: Opportunity, version: number, seq: number): boolean {
    const grave = this.#graves.get(row.id);
    if (grave && (grave.seq === null ? version <= grave.version : seq <= grave.seq)) return false;
    this.#graves.delete(row.id);
    return this.row(row);
  }

  /** A whole row, of an answer or of a poll. Returns whether the card changed. */
  row(row: Opportunity): boolean {
    const { id, version_number: version } = row;
    const known = this.rows.get(id);
    if ((this.behind.get(id) ?? 0) <= version) this.behind.delete(id);
    if (row.board_id !== this.board) return known !== undefined && known.version_number < version && this.bury(id, version);
    if (known ? version <= known.version_number : version <= (this.#graves.get(id)?.version ?? -1)) return false;
    this.#graves.delete(id);
    this.rows.set(id, row);
    return true;
  }

  bury(id: string, version: number, seq: number | null = null, by: string | null = null): boolean {
    const grave = this.#graves.get(id);
    this.#graves.set(id, { version: Math.max(version, grave?.version ?? 0), seq: seq ?? grave?.seq ?? null, by: by ?? grave?.by ?? null });
    this.behind.delete(id);
    return this.rows.delete(id);
  }

  /** A poll says that it is not there; the next one may say else, so there is no grave. */
  gone(id: string): boolean {
    this.behind.delete(id);
    return this.rows.delete(id);
  }

  deletedBy(id: string): string | null {
    return this.#graves.get(id)?.by ?? null;
  }
}
