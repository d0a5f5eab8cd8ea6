/** The board: a snapshot, what was delivered since, and this user's writes laid over it until they are confirmed. */

import type { Editor } from "./editor.js";
import type { Http } from "./http.js";
import type { BoardState, NewOpportunity, Resolution } from "./state.js";
import type { Changes, Opportunity, Presence, Snapshot, Source } from "./types.js";

export interface StoreOptions {
  readonly source: Source;
  readonly http: Http;
  readonly board: string;
  readonly userId: string;
  /** Where unsent writes and drafts outlive the page; default: nowhere. */
  readonly storage?: Storage;
}

const LATER = "the store is being written";

export class BoardStore {
  readonly board: string;
  readonly userId: string;

  constructor(options: StoreOptions) {
    this.board = options.board;
    this.userId = options.userId;
  }

  /** Show the board, of a snapshot that is there already or of one to be fetched, and follow it. Resolves when it is ready or gone. */
  start(_snapshot?: Snapshot): Promise<void> {
    throw new Error(LATER);
  }
  stop(): void {
    throw new Error(LATER);
  }
  readonly subscribe = (_listener: () => void): (() => void) => {
    throw new Error(LATER);
  };
  /** The same object until something changes. */
  readonly getState = (): BoardState => {
    throw new Error(LATER);
  };

  /** Make a card, at the end of its phase unless `position` says else; returns its id. */
  create(_fields: NewOpportunity): string {
    throw new Error(LATER);
  }
  /** Change a card; `base`: what the user was looking at, if that is not the card as it is now. Returns the mutation's id. */
  update(_id: string, _changes: Changes, _base?: Opportunity): string {
    throw new Error(LATER);
  }
  /** Put a card between the one above it and the one below it, by their ids; without both: at the end of the phase. */
  move(_id: string, _phase: string, _above?: string | null, _below?: string | null): string {
    throw new Error(LATER);
  }
  remove(_id: string): string {
    throw new Error(LATER);
  }
  /** Take a deletion back, whether it was sent already or not. */
  undoRemove(_id: string): void {
    throw new Error(LATER);
  }
  /** Bring an old version back as a new one. */
  restore(_id: string, _version: number): string {
    throw new Error(LATER);
  }
  /** Decide a conflict of BoardState.conflicts. */
  resolve(_id: string, _resolution: Resolution): void {
    throw new Error(LATER);
  }
  /** Try an orphan again, amended or as it was: on its card, or as a new card where that is gone. Returns the card's id. */
  retry(_orphanId: string, _changes?: Changes): string {
    throw new Error(LATER);
  }
  discard(_orphanId: string): void {
    throw new Error(LATER);
  }
  /** Begin to edit a card, with the draft that was left last time; null where there is no such card. Close it in the end. */
  openEditor(_id: string): Editor | null {
    throw new Error(LATER);
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
  setUserEditing(_id: string): void {
    throw new Error(LATER);
  }
  removeUserEditing(_id: string): void {
    throw new Error(LATER);
  }
}
