/** The board: a snapshot, what was delivered since, and this user's writes laid over it until they are confirmed. */

import { Drafts } from "./drafts.js";
import { absorbed, type Desk, Editor } from "./editor.js";
import { Following } from "./following.js";
import type { Http } from "./http.js";
import { newId } from "./ids.js";
import { difference, tidy } from "./merge.js";
import { Model } from "./model.js";
import { Outbox } from "./outbox.js";
import { Outcomes } from "./outcomes.js";
import { watchPage } from "./page.js";
import { blank, coalesce, createFields, type Write } from "./pending.js";
import { place } from "./position.js";
import { Queue } from "./queue.js";
import type { BoardState, NewOpportunity, Orphan, Resolution, Saved } from "./state.js";
import type { Changes, Opportunity, Presence, Snapshot, Source } from "./types.js";

export interface StoreOptions {
  readonly source: Source;
  readonly http: Http;
  readonly board: string;
  readonly userId: string;
  /** Where unsent writes and drafts outlive the page; default: nowhere. */
  readonly storage?: Storage;
}

export class BoardStore {
  readonly board: string;
  readonly userId: string;
  /** What was typed and not saved; the editors' by card. */
  readonly drafts: Drafts;
  readonly #source: Source;
  readonly #model: Model;
  readonly #queue: Queue;
  readonly #following: Following;
  readonly #mutations = new Set<string>();
  readonly #outcomes = new Outcomes();
  readonly #editors = new Set<Editor>();
  #unwatch: () => void = () => undefined;
  #stopped = false;

  constructor({ source, http, board, userId, storage }: StoreOptions) {
    this.board = board;
    this.userId = userId;
    this.drafts = new Drafts(storage, userId);
    this.#source = source;
    this.#model = new Model(board, () => this.#queue);
    const model = this.#model;
    const truth = model.truth;
    this.#queue = new Queue(
      http,
      {
        row: (id) => truth.rows.get(id),
        deletedBy: (id) => truth.deletedBy(id),
        land: (row) => {
          if (truth.early(row.id, () => truth.row(row))) model.touch(row.id);
        },
        bury: (id, version) => {
          if (truth.early(id, () => truth.bury(id, version))) model.touch(id);
        },
        changed: (id) => model.touch(id, true),
        told: (write, result) => this.#told(write, result),
        batch: (work) => model.batch(work),
      },
      new Outbox(storage, userId, board),
    );
    this.#following = new Following(source, http, model, this.#queue, board, userId, (mutation) => this.#mutations.has(mutation));
  }

  /** Show the board, of a snapshot that is there already or of one to be fetched, and follow it. Resolves when it is ready or gone. */
  async start(snapshot?: Snapshot): Promise<void> {
    this.#unwatch = watchPage({ wake: () => this.#queue.wake(), offline: () => undefined, seen: () => undefined });
    this.#look();
    const ready = this.#following.start(snapshot);
    const [left] = await Promise.all([this.#queue.load(), ready]);
    for (const { mutation } of left) this.#mutations.add(mutation);
    if (!this.#stopped) this.#queue.start();
  }

  /** Writes that were not confirmed stay in the storage, for the next store of this board. */
  stop(): void {
    this.#stopped = true;
    for (const editor of [...this.#editors]) editor.close();
    this.#look();
    this.#unwatch();
    this.#following.stop();
    this.#queue.stop();
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#model.subscribe(listener);
  /** The same object until something changes. */
  readonly getState = (): BoardState => this.#model.state;

  /**
   * What becomes of mutations: `conflict` and `queued` are news, the others its end. A mutation of which nothing is heard was taken
   * into one before it, or taken back.
   */
  onOutcome(listener: (mutation: string, result: Saved) => void): () => void {
    return this.#outcomes.listen(listener);
  }

  /** Make a card, at the end of its phase unless `position` says else; returns its id. */
  create(fields: NewOpportunity): string {
    const id = newId();
    const column = this.getState().columns.get(fields.phase) ?? [];
    const position = fields.position ?? place(column, column.length, id)[0]?.position;
    const card = { ...blank(id), ...tidy(fields), ...(position ? { position } : {}), board_id: this.board };
    this.#push({ kind: "create", ...this.#mutation(id), card });
    return id;
  }

  /** Change a card; `base`: what the user was looking at, if that is not the card as it is now. Returns the mutation's id. */
  update(id: string, changes: Changes, base?: Opportunity): string {
    const seen = base ?? this.#seen(id);
    const wanted = tidy(changes);
    const real = difference(seen, { ...seen, ...wanted });
    const last = this.#queue.writes(id).at(-1);
    const write = { kind: "change" as const, ...this.#mutation(id), changes: real, seen };
    if (Object.keys(real).length === 0) {
      queueMicrotask(() => this.#told(write, "saved"));
      return write.mutation;
    }
    this.#absorb(id, real);
    if (!base && last && !this.#queue.asks(id) && coalesce(last, real, seen)) {
      this.#queue.changed(id);
      return last.mutation;
    }
    this.#push(write);
    return write.mutation;
  }

  /** Put a card between the one above it and the one below it, by their ids; without both: at the end of the phase. */
  move(id: string, phase: string, above?: string | null, below?: string | null): string {
    const column = (this.getState().columns.get(phase) ?? []).filter((card) => card.id !== id);
    const at = (other: string | null | undefined): number => (other ? column.findIndex((card) => card.id === other) : -1);
    const upper = at(above);
    const lower = at(below);
    const top = above === null && !below;
    const index = upper >= 0 ? upper + 1 : lower >= 0 ? lower : top ? 0 : column.length;
    const [placed, ...others] = place(column, index, id);
    let mutation = "";
    this.#model.batch(() => {
      mutation = this.update(id, { phase, ...(placed ? { position: placed.position } : {}) });
      for (const { id: other, position } of others) this.update(other, { position });
    });
    return mutation;
  }

  remove(id: string): string {
    return this.#push({ kind: "remove", ...this.#mutation(id), seen: this.#seen(id) });
  }

  /** Take a deletion back, whether it was sent already or not. */
  undoRemove(id: string): void {
    if (this.#queue.unremove(id)) return;
    this.#push({ kind: "restore", ...this.#mutation(id), version: null, seen: null, card: this.#model.departed.get(id) ?? null });
  }

  /** Bring an old version back as a new one; also that of a card that was deleted. */
  restore(id: string, version: number): string {
    const seen = this.getState().opportunities.get(id) ?? null;
    return this.#push({ kind: "restore", ...this.#mutation(id), version, seen, card: seen ?? this.#model.departed.get(id) ?? null });
  }

  /** Decide a conflict of BoardState.conflicts. */
  resolve(id: string, resolution: Resolution): void {
    this.#queue.decide(id, resolution);
    const card = this.getState().opportunities.get(id);
    if (card) this.#absorb(id, card);
  }

  /** Try an orphan again, amended or as it was: on its card, or as a new card where that is gone. Returns the card's id. */
  retry(orphanId: string, changes: Changes = {}): string {
    const orphan = this.#queue.takeOrphan(orphanId);
    if (!orphan) return "";
    return this.#again(orphan, { ...orphan.changes, ...changes });
  }

  discard(orphanId: string): void {
    this.#queue.takeOrphan(orphanId);
  }

  /** Begin to edit a card, with the draft that was left last time; null where there is no such card. Close it in the end. */
  openEditor(id: string): Editor | null {
    const card = this.getState().opportunities.get(id);
    if (!card) return null;
    const editor = new Editor(id, card, this.#desk());
    this.#editors.add(editor);
    return editor;
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
  /** Tell the others that this user edits the card; an Editor does so by itself. */
  setUserEditing(id: string): void {
    const version = this.getState().opportunities.get(id)?.version_number;
    this.#source.send({ type: "user_editing", opportunityId: id, ...(version ? { baseVersion: version } : {}) });
  }
  removeUserEditing(id: string): void {
    this.#source.send({ type: "user_stopped_editing", opportunityId: id });
  }

  #mutation(id: string): Pick<Write, "mutation" | "id" | "tries" | "faults"> {
    const mutation = newId();
    this.#mutations.add(mutation);
    return { mutation, id, tries: 0, faults: 0 };
  }

  #push(write: Write): string {
    this.#queue.push(write);
    return write.mutation;
  }

  #seen(id: string): Opportunity {
    const card = this.getState().opportunities.get(id) ?? this.#model.departed.get(id);
    if (!card) throw new Error(`there was no card ${id}`);
    return card;
  }

  #again(orphan: Orphan, changes: Changes): string {
    const { opportunityId: id } = orphan;
    if (this.getState().opportunities.has(id)) {
      if (orphan.kind === "remove") this.remove(id);
      else this.update(id, changes);
      return id;
    }
    const { position: _, ...fields } = createFields({ ...orphan.card, ...changes });
    return this.create(fields as NewOpportunity);
  }

  #absorb(id: string, changes: Changes): void {
    for (const editor of this.#editors) if (editor.id === id) editor.absorb(changes);
  }

  #desk(): Desk {
    return {
      drafts: this.drafts,
      subscribe: this.subscribe,
      getState: this.getState,
      say: (message) => this.#source.send(message),
      save: (id, changes, base) => this.#saved(this.update(id, changes, base), id),
      closed: (editor) => {
        this.#editors.delete(editor);
        if (!this.#stopped) this.#look();
      },
    };
  }

  /** Say where this user is: at the card that he opened last, else at the board; at nothing when this store has stopped. */
  #look(): void {
    const last = [...this.#editors].at(-1);
    const boardId = this.#stopped ? null : this.board;
    this.#source.send({ type: "viewing", opportunityId: last?.id ?? null, boardId });
  }

  #saved(mutation: string, id: string): Promise<Saved> {
    if (this.#queue.asks(id)) return Promise.resolve("conflict");
    return this.#queue.sends(id) ? this.#outcomes.first(mutation) : Promise.resolve("queued");
  }

  #told(write: Write, result: Saved): void {
    if (result === "saved" && write.kind === "change") {
      this.#absorb(write.id, absorbed(write.changes, this.#model.truth.rows.get(write.id)));
    }
    this.#outcomes.tell(write.mutation, result);
  }
}
