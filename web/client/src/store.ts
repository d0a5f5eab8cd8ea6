/** A board: a snapshot, the deliveries since then, and this user's writes on top of them until they are confirmed. */

import { BoardSync } from "./boardSync.js";
import { atOnce, type Schedule } from "./deliveryQueue.js";
import { Drafts } from "./drafts.js";
import { type Editor, savedValues } from "./editor.js";
import { Editors } from "./editors.js";
import type { Http } from "./http.js";
import { newId } from "./ids.js";
import { difference, tidy } from "./merge.js";
import { Model } from "./model.js";
import { Outbox } from "./outbox.js";
import { Outcomes } from "./outcomes.js";
import { watchPage } from "./pageEvents.js";
import { blank, coalesce, createFields, type Write } from "./pending.js";
import { indexBetween, place } from "./position.js";
import type { BoardState, NewOpportunity, Resolution, SaveResult } from "./state.js";
import type { BoardHead, Changes, Opportunity, Presence, Snapshot, Source } from "./types.js";
import { WriteQueue } from "./writeQueue.js";

export interface StoreOptions {
  readonly source: Source;
  readonly http: Http;
  readonly board: string;
  readonly userId: string;
  /** Where unsent writes and drafts survive the page; default: nowhere. */
  readonly storage?: Storage;
  /** When to apply what the feed delivers, for example once per frame of a page; default: at once. */
  readonly schedule?: Schedule;
}

export class BoardStore {
  readonly board: string;
  readonly userId: string;
  /** What was typed and not saved; the editors' drafts by card. */
  readonly drafts: Drafts;
  readonly #source: Source;
  readonly #model: Model;
  readonly #writeQueue: WriteQueue;
  readonly #sync: BoardSync;
  readonly #mutations = new Set<string>();
  readonly #outcomes = new Outcomes();
  readonly #editors: Editors;
  #unwatch: () => void = () => undefined;
  #stopped = false;

  constructor({ source, http, board, userId, storage, schedule = atOnce }: StoreOptions) {
    this.board = board;
    this.userId = userId;
    this.drafts = new Drafts(storage, userId);
    this.#source = source;
    this.#model = new Model(board, () => this.#writeQueue);
    const outbox = new Outbox(storage, userId, board);
    this.#writeQueue = new WriteQueue(http, this.#model, outbox, (write, result) => this.#report(write, result));
    this.#editors = new Editors(
      {
        drafts: this.drafts,
        subscribe: this.subscribe,
        getState: this.getState,
        sendPresence: (message) => source.send(message),
        save: (id, changes, base) => this.#result(this.update(id, changes, base), id),
      },
      () => {
        if (!this.#stopped) this.#announceViewing();
      },
    );
    this.#sync = new BoardSync(source, http, this.#model, this.#writeQueue, board, userId, (mutation) => this.#mutations.has(mutation), schedule);
  }

  /** Show the board and follow it, from a snapshot that you have or from one that is fetched. Resolves when it is ready or gone. */
  async start(snapshot?: Snapshot): Promise<void> {
    this.#unwatch = watchPage({ wake: () => this.#writeQueue.wake(), offline: () => undefined, visibilityChanged: () => undefined });
    this.#announceViewing();
    const ready = this.#sync.start(snapshot);
    const load = this.#writeQueue.load((left) => left.forEach(({ mutation }) => this.#mutations.add(mutation)));
    await Promise.all([load, ready]);
    if (!this.#stopped) this.#writeQueue.start();
  }

  /** Unconfirmed writes stay in the storage, for the next store of this board. */
  stop(): void {
    this.#stopped = true;
    this.#editors.close();
    this.#announceViewing();
    this.#unwatch();
    this.#sync.stop();
    this.#writeQueue.stop();
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#model.subscribe(listener);
  /** The same object until something changes. */
  readonly getState = (): BoardState => this.#model.state;

  /**
   * Reports the results of mutations. `conflict` and `queued` are intermediate, the others final. A mutation without a report was
   * merged into an earlier one, or taken back.
   */
  onOutcome(listener: (mutation: string, result: SaveResult) => void): () => void {
    return this.#outcomes.listen(listener);
  }

  /** Create a card, at the end of its column unless there is a `position`; returns its id. */
  create(fields: NewOpportunity): string {
    const id = newId();
    const column = this.getState().columns.get(fields.phase) ?? [];
    const position = fields.position ?? place(column, column.length, id)[0]?.position;
    const card = { ...blank(id), ...tidy(fields), ...(position ? { position } : {}), board_id: this.board };
    this.#writeQueue.push({ kind: "create", ...this.#mutation(id), card });
    return id;
  }

  /** Change a card; `base`: what the user was looking at, if that is not the current card. Returns the mutation's id. */
  update(id: string, changes: Changes, base?: Opportunity): string {
    const seen = base ?? this.#lastShown(id);
    const wanted = tidy(changes);
    const real = difference(seen, { ...seen, ...wanted });
    const last = this.#writeQueue.writes(id).at(-1);
    const write = { kind: "change" as const, ...this.#mutation(id), changes: real, seen };
    if (Object.keys(real).length === 0) {
      queueMicrotask(() => this.#report(write, "saved"));
      return write.mutation;
    }
    this.#editors.markSeen(id, real);
    if (!base && last && !this.#writeQueue.hasConflict(id) && coalesce(last, real, seen)) {
      this.#writeQueue.changed(id);
      return last.mutation;
    }
    return this.#writeQueue.push(write);
  }

  /** Move a card between two others, given by their ids; without both: to the end of the column. */
  move(id: string, phase: string, above?: string | null, below?: string | null): string {
    const column = (this.getState().columns.get(phase) ?? []).filter((card) => card.id !== id);
    const [placed, ...others] = place(column, indexBetween(column, above, below), id);
    let mutation = "";
    this.#model.batch(() => {
      mutation = this.update(id, { phase, ...(placed ? { position: placed.position } : {}) });
      for (const { id: other, position } of others) this.update(other, { position });
    });
    return mutation;
  }

  remove(id: string): string {
    return this.#writeQueue.push({ kind: "remove", ...this.#mutation(id), seen: this.#lastShown(id) });
  }

  /** Undo a deletion, whether it was already sent or not. */
  undoRemove(id: string): void {
    if (this.#writeQueue.cancelRemove(id)) return;
    this.#writeQueue.push({ kind: "restore", ...this.#mutation(id), version: null, seen: null, card: this.#model.removed.get(id) ?? null });
  }

  /** Restore an old version as a new one, also of a deleted card. */
  restore(id: string, version: number): string {
    const seen = this.getState().opportunities.get(id) ?? null;
    return this.#writeQueue.push({ kind: "restore", ...this.#mutation(id), version, seen, card: seen ?? this.#model.removed.get(id) ?? null });
  }

  /** Show what a response said about the board itself, before the stream does. */
  applyBoard(board: BoardHead): void {
    this.#model.applyBoard(board);
  }

  /** Take a new snapshot, after a change of the members. */
  reload(): void {
    this.#sync.reload();
  }

  /** Decide a conflict of BoardState.conflicts. */
  resolve(id: string, resolution: Resolution): void {
    this.#writeQueue.decide(id, resolution);
    const card = this.getState().opportunities.get(id);
    if (card) this.#editors.markSeen(id, card);
  }

  /** Try a rejected write again, amended or as it was: on its card, or as a new card if that is gone. Returns the card's id. */
  retry(rejectedId: string, changes: Changes = {}): string {
    const rejected = this.#writeQueue.takeRejected(rejectedId);
    if (!rejected) return "";
    const { opportunityId: id, kind, card } = rejected;
    const wanted = { ...rejected.changes, ...changes };
    if (!this.getState().opportunities.has(id)) {
      const { position: _, ...fields } = createFields({ ...card, ...wanted });
      return this.create(fields as NewOpportunity);
    }
    if (kind === "remove") this.remove(id);
    else this.update(id, wanted);
    return id;
  }

  /** Forget a rejected write. */
  discard(rejectedId: string): void {
    this.#writeQueue.takeRejected(rejectedId);
  }

  /** Start to edit a card, with the draft that was left last time; null if there is no such card. Close the editor when done. */
  openEditor(id: string): Editor | null {
    const card = this.getState().opportunities.get(id);
    return card ? this.#editors.open(id, card) : null;
  }

  /** The names of the original design's real-time store. */
  get opportunities(): ReadonlyMap<string, Opportunity> {
    return this.getState().opportunities;
  }
  get editingUsers(): ReadonlyMap<string, readonly Presence[]> {
    return this.getState().editingUsers;
  }
  get pendingChanges(): ReadonlyMap<string, Changes> {
    return this.getState().pendingChanges;
  }
  updateOpportunity(id: string, changes: Changes): void {
    this.update(id, changes);
  }
  /** Show others that this user edits the card. An Editor does this by itself. */
  setUserEditing(id: string): void {
    const version = this.getState().opportunities.get(id)?.version_number;
    this.#source.send({ type: "user_editing", opportunityId: id, ...(version ? { baseVersion: version } : {}) });
  }
  removeUserEditing(id: string): void {
    this.#source.send({ type: "user_stopped_editing", opportunityId: id });
  }

  #mutation(id: string): Pick<Write, "mutation" | "id" | "tries" | "serverErrors"> {
    const mutation = newId();
    this.#mutations.add(mutation);
    return { mutation, id, tries: 0, serverErrors: 0 };
  }

  #lastShown(id: string): Opportunity {
    const card = this.getState().opportunities.get(id) ?? this.#model.removed.get(id);
    if (!card) throw new Error(`unknown card ${id}`);
    return card;
  }

  /** Announce where this user is: at the card opened last, else at the board; nowhere after this store has stopped. */
  #announceViewing(): void {
    const boardId = this.#stopped ? null : this.board;
    this.#source.send({ type: "viewing", opportunityId: this.#editors.last?.id ?? null, boardId });
  }

  #result(mutation: string, id: string): Promise<SaveResult> {
    if (this.#writeQueue.hasConflict(id)) return Promise.resolve("conflict");
    return this.#writeQueue.sendsNow(id) ? this.#outcomes.first(mutation) : Promise.resolve("queued");
  }

  #report(write: Write, result: SaveResult): void {
    if (result === "saved" && write.kind === "change") {
      this.#editors.markSeen(write.id, savedValues(write.changes, this.#model.serverState.rows.get(write.id)));
    }
    this.#outcomes.report(write.mutation, result);
  }
}
