/**
 * The writes of a board on their way to the service, with one queue per card.
 *
 * Invariant: the writes of a card are sent one at a time and in order. Each leaves its queue in one of three ways: it is confirmed (by
 * its response, or by the event with its origin), it is rejected, or the user takes it back. Nothing else drops a write, and no
 * exception stops the others.
 */

import { Backoff } from "./backoff.js";
import { CardQueue } from "./cardQueue.js";
import type { Http } from "./http.js";
import type { Model } from "./model.js";
import type { Outbox } from "./outbox.js";
import { changesOf, rebase, rebaseAfterUndo, type Write } from "./pending.js";
import { rejectedWrite } from "./rejectedWrites.js";
import { isolated, reportUncaught } from "./reportUncaught.js";
import { send, type Outcome } from "./requests.js";
import type { RejectedWrite, Resolution, SaveResult } from "./state.js";
import type { Opportunity } from "./types.js";

type Rejection = Extract<Outcome, { is: "rejected" }>;

/** This many cards send at the same time. */
const PARALLEL = 4;
/** A write without an answer for this many ms shows that the service cannot be reached. */
const UNANSWERED = 3_000;

export class WriteQueue {
  /** By card. */
  readonly queues = new Map<string, CardQueue>();
  rejectedWrites: readonly RejectedWrite[] = [];
  readonly #backoff = new Backoff(500, 30_000);
  #pause: ReturnType<typeof setTimeout> | undefined;
  readonly #report: (write: Write, result: SaveResult) => void;
  #running = 0;
  #open = false;

  constructor(
    readonly http: Http,
    readonly model: Model,
    readonly outbox: Outbox,
    /** Called with each result of a write. */
    report: (write: Write, result: SaveResult) => void,
  ) {
    this.#report = (write, result) => isolated(() => report(write, result));
  }

  /** Load what earlier pages left behind; `start` sends it. `taken` gets those writes, also of pages that close later. */
  async load(taken: (writes: readonly Write[]) => void): Promise<void> {
    await this.outbox.open(({ writes, rejectedWrites }) => {
      this.rejectedWrites = [...rejectedWrites, ...this.rejectedWrites];
      for (const write of writes) this.#queueOf(write.id).writes.push(write);
      taken(writes);
      this.model.batch(() => {
        for (const { id } of writes) this.model.touch(id, true);
        for (const { opportunityId } of rejectedWrites) this.model.touch(opportunityId, true);
      });
      this.#save();
      this.#pump();
    });
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

  /** The service may be reachable again: stop waiting. */
  wake(): void {
    this.#resume();
    this.#pump();
  }

  writes(id: string): readonly Write[] {
    return this.queues.get(id)?.writes ?? [];
  }

  /** Returns the mutation's id. */
  push(write: Write): string {
    this.#queueOf(write.id).writes.push(write);
    this.changed(write.id);
    return write.mutation;
  }

  /** The card's writes were changed in place. */
  changed(id: string): void {
    this.model.touch(id, true);
    this.#save();
    this.#pump();
  }

  hasConflict(id: string): boolean {
    return Boolean(this.queues.get(id)?.conflict);
  }

  /** Whether a write of this card would be sent now. */
  sendsNow(id: string): boolean {
    return this.#open && this.#pause === undefined && !this.hasConflict(id);
  }

  /** Take back the last write of a card if it is a deletion that was not sent. */
  cancelRemove(id: string): boolean {
    const queue = this.queues.get(id);
    const last = queue?.writes.at(-1);
    if (!queue || last?.kind !== "remove" || last.tries > 0) return false;
    this.#drop(queue, last);
    return true;
  }

  /** An event with this origin arrived, so the write is done. Returns whether there was such a write. */
  acknowledge(id: string, origin: string): boolean {
    const queue = this.queues.get(id);
    const write = queue?.writes.find((one) => one.mutation === origin);
    if (!queue || !write) return false;
    this.#done(queue, write);
    return true;
  }

  /** The card has changed: update its conflict, or drop it. */
  updateConflict(id: string): void {
    if (this.queues.get(id)?.updateConflict(this.#row(id))) this.changed(id);
  }

  decide(id: string, decision: Resolution): void {
    if (this.queues.get(id)?.decide(decision)) this.changed(id);
  }

  /** Take a rejected write out, to retry it or to forget it. */
  takeRejected(id: string): RejectedWrite | undefined {
    const found = this.rejectedWrites.find((rejected) => rejected.id === id);
    this.rejectedWrites = this.rejectedWrites.filter((rejected) => rejected !== found);
    if (found) this.changed(found.opportunityId);
    return found;
  }

  #row(id: string): Opportunity | undefined {
    return this.model.serverState.rows.get(id);
  }

  #queueOf(id: string): CardQueue {
    const queue = this.queues.get(id) ?? new CardQueue(id);
    this.queues.set(id, queue);
    return queue;
  }

  #pump(): void {
    for (const queue of this.queues.values()) {
      if (!this.#open || this.#pause !== undefined || this.#running >= PARALLEL) return;
      if (queue.ready) void this.#work(queue);
    }
  }

  async #work(queue: CardQueue): Promise<void> {
    queue.busy = true;
    this.#running++;
    try {
      for (let write = queue.writes[0]; write && this.#open && this.#pause === undefined && !queue.conflict; write = queue.writes[0]) {
        await this.#send(queue, write);
      }
    } catch (error) {
      reportUncaught(error);
      this.#later(null);
    } finally {
      queue.busy = false;
      this.#running--;
      this.#removeIfEmpty(queue);
      this.#pump();
    }
  }

  async #send(queue: CardQueue, write: Write): Promise<void> {
    const row = this.#row(queue.id);
    if (!queue.settle(write, row)) {
      this.model.batch(() => {
        this.changed(queue.id);
        this.#report(write, "conflict");
      });
      return;
    }
    write.tries++;
    this.#save();
    const late = setTimeout(() => this.model.set({ unanswered: true }), UNANSWERED);
    const outcome = await send(this.http, write, row);
    clearTimeout(late);
    if (!this.#open) return;
    this.model.batch(() => {
      if (outcome.is !== "later" || outcome.answered) this.model.set({ unanswered: false });
      this.#apply(queue, write, row, outcome);
    });
  }

  #apply(queue: CardQueue, write: Write, row: Opportunity | undefined, outcome: Outcome): void {
    if (outcome.is === "later") {
      if (outcome.broken) write.serverErrors++;
      return this.#later(outcome.wait);
    }
    this.#backoff.reset();
    const current = "row" in outcome ? outcome.row : null;
    if (current) this.model.applyResponse(current.id, (server) => server.applyRow(current));
    if (queue.writes[0] !== write) return; // its event came first
    if (outcome.is === "done") {
      if (!outcome.row) this.model.applyResponse(write.id, (server) => server.markDeleted(write.id, row?.version_number ?? 0));
      this.#done(queue, write);
    } else if (outcome.is === "unmerged" && write.kind === "change") {
      write.unmergeable = true;
      delete write.resolving;
    } else if (outcome.is === "replaced") {
      queue.writes[0] = outcome.write;
      this.changed(queue.id);
    } else if (outcome.is === "rejected") {
      this.#rejected(queue, write, outcome);
    } else if (write.tries % 4 === 0) {
      this.#later(null); // stale again and again: let the others through
    }
  }

  #done(queue: CardQueue, write: Write): void {
    this.#drop(queue, write);
    const next = queue.writes[0];
    const row = this.#row(queue.id);
    if (next?.kind === "change" && row) rebase(next, row);
    this.model.set({ unanswered: false });
    this.#report(write, "saved");
  }

  #rejected(queue: CardQueue, write: Write, { reason, problem }: Rejection): void {
    const whole = reason === "deleted" || write.kind === "create";
    const undone = whole ? queue.writes.slice() : [write];
    const row = this.#row(queue.id);
    // If the user's last write was a deletion, the result is what they wanted.
    const wanted = whole && undone.at(-1)?.kind === "remove";
    if (!wanted) {
      this.rejectedWrites = [...this.rejectedWrites, rejectedWrite(undone, reason, problem, this.model.serverState.deletedBy(queue.id))];
      this.#save();
    }
    for (const one of undone) this.#drop(queue, one);
    if (row) rebaseAfterUndo(queue.writes, changesOf(undone), row);
    for (const one of undone) this.#report(one, reason === "deleted" ? "gone" : "rejected");
  }

  /** Send nothing for a while: at least `wait` ms. */
  #later(wait: number | null): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.wake(), Math.max(wait ?? 0, this.#backoff.next()));
    for (const queue of this.queues.values()) for (const one of queue.writes) this.#report(one, "queued");
  }

  #resume(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #drop(queue: CardQueue, write: Write): void {
    queue.drop(write);
    this.#removeIfEmpty(queue);
    this.changed(queue.id);
  }

  #removeIfEmpty(queue: CardQueue): void {
    if (queue.writes.length === 0 && !queue.busy) this.queues.delete(queue.id);
  }

  #save(): void {
    this.outbox.save({ writes: [...this.queues.values()].flatMap((queue) => queue.writes), rejectedWrites: this.rejectedWrites });
  }
}
