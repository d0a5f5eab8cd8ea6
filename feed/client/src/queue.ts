/**
 * The writes of a board on their way to the service.
 *
 * Invariant: the writes of one card are sent one at a time, in their order, and each leaves the queue in one of three ways: it is
 * confirmed (by its answer or by the event with its origin), it becomes an orphan, or the user takes it back. Nothing else drops one.
 */

import { Backoff } from "./backoff.js";
import { conflictOf, decide } from "./conflicts.js";
import type { Http } from "./http.js";
import { orphanOf } from "./orphans.js";
import type { Outbox } from "./outbox.js";
import { changesOf, rebase, settle, unseat, type Write } from "./pending.js";
import { send, type Outcome } from "./requests.js";
import type { Conflict, Orphan, Resolution, Saved } from "./state.js";
import type { Opportunity } from "./types.js";

/** What the queue stands on: the cards as they are known, and who wants to hear of it. */
export interface Ground {
  row(id: string): Opportunity | undefined;
  deletedBy(id: string): string | null;
  land(row: Opportunity): void;
  bury(id: string, version: number): void;
  /** The card's writes are not what they were. */
  changed(id: string): void;
  told(write: Write, result: Saved): void;
  batch(work: () => void): void;
}

export interface Lane {
  readonly id: string;
  readonly writes: Write[];
  conflict: Conflict | null;
  busy: boolean;
}

type Refusal = Extract<Outcome, { is: "refused" }>;

const AT_ONCE = 4;

export class Queue {
  readonly lanes = new Map<string, Lane>();
  orphans: readonly Orphan[] = [];
  readonly #backoff = new Backoff(500, 30_000);
  #pause: ReturnType<typeof setTimeout> | undefined;
  #running = 0;
  #open = false;

  constructor(
    readonly http: Http,
    readonly ground: Ground,
    readonly outbox: Outbox,
  ) {}

  /** Take over what was left the last time; it is sent from `start` on. */
  async load(): Promise<readonly Write[]> {
    const { writes, orphans } = await this.outbox.open();
    this.orphans = [...orphans, ...this.orphans];
    for (const write of writes) this.#lane(write.id).writes.push(write);
    this.ground.batch(() => {
      for (const write of writes) this.ground.changed(write.id);
    });
    this.#keep();
    return writes;
  }

  start(): void {
    this.#open = true;
    this.#pump();
  }

  /** What is not confirmed stays in the outbox. */
  stop(): void {
    this.#open = false;
    this.#resume();
    this.outbox.close();
  }

  /** The service may be there again: do not wait any longer. */
  wake(): void {
    this.#resume();
    this.#pump();
  }

  writes(id: string): readonly Write[] {
    return this.lanes.get(id)?.writes ?? [];
  }

  push(write: Write): void {
    this.#lane(write.id).writes.push(write);
    this.changed(write.id);
  }

  /** The card's writes were changed in place. */
  changed(id: string): void {
    this.ground.changed(id);
    this.#keep();
    this.#pump();
  }

  /** Whether the card's writes wait for a decision. */
  asks(id: string): boolean {
    return Boolean(this.lanes.get(id)?.conflict);
  }

  /** Whether a write of this card would go out now. */
  sends(id: string): boolean {
    return this.#open && this.#pause === undefined && !this.asks(id);
  }

  /** Take back the last write of a card, if it is a deletion that was not sent. */
  unremove(id: string): boolean {
    const lane = this.lanes.get(id);
    const last = lane?.writes.at(-1);
    if (!lane || last?.kind !== "remove" || last.tries > 0) return false;
    this.#drop(lane, last);
    return true;
  }

  /** An event came with this origin: the write is done. */
  acknowledge(id: string, origin: string): boolean {
    const lane = this.lanes.get(id);
    const write = lane?.writes.find((one) => one.mutation === origin);
    if (!lane || !write) return false;
    this.#done(lane, write);
    return true;
  }

  /** The card is not what it was: an open conflict is about what it is now, or is none any more. */
  reconsider(id: string): void {
    const lane = this.lanes.get(id);
    const write = lane?.writes[0];
    if (!lane?.conflict || write?.kind !== "change") return;
    const row = this.ground.row(id);
    const fields = settle(write, row);
    const before = lane.conflict;
    lane.conflict = row && fields.length > 0 ? conflictOf(write, row, fields, before) : null;
    if (lane.conflict !== before) this.changed(id);
  }

  decide(id: string, decision: Resolution): void {
    const lane = this.lanes.get(id);
    const write = lane?.writes[0];
    if (!lane?.conflict || write?.kind !== "change") return;
    const before = write.changes;
    decide(write, lane.conflict, decision);
    unseat(lane.writes.slice(1), before, { ...lane.conflict.theirs, ...write.changes });
    lane.conflict = null;
    this.changed(id);
  }

  adopt(orphan: Orphan): void {
    this.orphans = [...this.orphans, orphan];
    this.#keep();
  }

  takeOrphan(orphanId: string): Orphan | undefined {
    const found = this.orphans.find((orphan) => orphan.id === orphanId);
    this.orphans = this.orphans.filter((orphan) => orphan !== found);
    if (found) this.changed(found.opportunityId);
    return found;
  }

  #lane(id: string): Lane {
    const lane = this.lanes.get(id) ?? { id, writes: [], conflict: null, busy: false };
    this.lanes.set(id, lane);
    return lane;
  }

  #pump(): void {
    for (const lane of this.lanes.values()) {
      if (!this.#open || this.#pause !== undefined || this.#running >= AT_ONCE) return;
      if (!lane.busy && !lane.conflict && lane.writes.length > 0) void this.#work(lane);
    }
  }

  async #work(lane: Lane): Promise<void> {
    lane.busy = true;
    this.#running++;
    for (let write = lane.writes[0]; write && this.#open && this.#pause === undefined && !lane.conflict; write = lane.writes[0]) {
      await this.#step(lane, write);
    }
    lane.busy = false;
    this.#running--;
    this.#forget(lane);
    this.#pump();
  }

  async #step(lane: Lane, write: Write): Promise<void> {
    const row = this.ground.row(lane.id);
    const clashes = settle(write, row);
    if (clashes.length > 0 && row && write.kind === "change") {
      lane.conflict = conflictOf(write, row, clashes, null);
      this.ground.batch(() => {
        this.changed(lane.id);
        this.ground.told(write, "conflict");
      });
      return;
    }
    write.tries++;
    this.#keep();
    const outcome = await send(this.http, write, row);
    if (!this.#open) return;
    this.ground.batch(() => this.#take(lane, write, row, outcome));
  }

  #take(lane: Lane, write: Write, row: Opportunity | undefined, outcome: Outcome): void {
    if (outcome.is === "later") return this.#later(write, outcome.wait, outcome.broken);
    this.#backoff.reset();
    if (outcome.is === "done" && outcome.row) this.ground.land(outcome.row);
    if (outcome.is === "stale" || outcome.is === "unmerged") this.ground.land(outcome.current);
    if (lane.writes[0] !== write) return; // its event was here first
    if (outcome.is === "done") {
      if (!outcome.row) this.ground.bury(write.id, row?.version_number ?? 0);
      this.#done(lane, write);
    } else if (outcome.is === "unmerged" && write.kind === "change") {
      write.unmergeable = true;
      delete write.resolving;
    } else if (outcome.is === "become") {
      lane.writes[0] = outcome.write;
      this.changed(lane.id);
    } else if (outcome.is === "refused") {
      this.#refused(lane, write, outcome);
    } else if (write.tries % 4 === 0) {
      this.#later(write, null, false); // stale again and again: let the others through
    }
  }

  #done(lane: Lane, write: Write): void {
    this.#drop(lane, write);
    const next = lane.writes[0];
    const row = this.ground.row(lane.id);
    if (next?.kind === "change" && row) rebase(next, row);
    this.ground.told(write, "saved");
  }

  #refused(lane: Lane, write: Write, refusal: Refusal): void {
    const whole = refusal.reason === "deleted" || write.kind === "create";
    const undone = whole ? lane.writes.slice() : [write];
    const row = this.ground.row(lane.id);
    // Who meant to delete it in the end has what he wanted.
    const wanted = whole && undone.at(-1)?.kind === "remove";
    if (!wanted) this.adopt(orphanOf(undone, refusal.reason, refusal.problem, this.ground.deletedBy(lane.id)));
    for (const one of undone) this.#drop(lane, one);
    if (row) unseat(lane.writes, changesOf(undone), row);
    for (const one of undone) this.ground.told(one, refusal.reason === "deleted" ? "gone" : "refused");
  }

  #later(write: Write, wait: number | null, broken: boolean): void {
    if (broken) write.faults++;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.wake(), Math.max(wait ?? 0, this.#backoff.next()));
    for (const lane of this.lanes.values()) for (const one of lane.writes) this.ground.told(one, "queued");
  }

  #resume(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #drop(lane: Lane, write: Write): void {
    const at = lane.writes.indexOf(write);
    if (at >= 0) lane.writes.splice(at, 1);
    if (at === 0) lane.conflict = null;
    this.#forget(lane);
    this.changed(lane.id);
  }

  #forget(lane: Lane): void {
    if (lane.writes.length === 0 && !lane.busy) this.lanes.delete(lane.id);
  }

  #keep(): void {
    this.outbox.keep({ writes: [...this.lanes.values()].flatMap((lane) => lane.writes), orphans: this.orphans });
  }
}
