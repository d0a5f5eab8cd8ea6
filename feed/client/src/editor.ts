/**
 * One person editing one card: what he began from, what he typed, and what the others did meanwhile.
 *
 * Invariant: `base` is the card as he knows it: what he does himself elsewhere moves it, what others do does not. So what differs
 * between base and card is theirs, and a field of it that he typed too is a clash before it is saved.
 */

import type { Drafts } from "./drafts.js";
import { clashing, difference, FIELDS, fieldsOf, pick, same, tidy, without } from "./merge.js";
import type { BoardState, EditorState, RemoteEdit, Saved } from "./state.js";
import type { Changes, ClientMessage, Field, Opportunity } from "./types.js";

/** What an editor needs of its store. */
export interface Desk {
  readonly drafts: Drafts;
  subscribe(listener: () => void): () => void;
  getState(): BoardState;
  say(message: ClientMessage): void;
  save(id: string, changes: Changes, base: Opportunity): Promise<Saved>;
  closed(editor: Editor): void;
}

export class Editor {
  readonly #desk: Desk;
  readonly #listeners = new Set<() => void>();
  readonly #authors = new Map<Field, { userId: string | null; at: number }>();
  readonly #leave: () => void;
  #card: Opportunity | undefined;
  #state: EditorState;
  #told: BoardState["lastRemote"];
  /** The version that the others were told this user edits. */
  #said: number | null = null;

  constructor(
    readonly id: string,
    card: Opportunity,
    desk: Desk,
  ) {
    this.#desk = desk;
    this.#told = desk.getState().lastRemote;
    this.#card = card;
    const kept = desk.drafts.get(id);
    this.#state = this.#against(kept?.base ?? card, kept?.changes ?? {});
    this.#leave = desk.subscribe(() => this.#follow());
    desk.say({ type: "viewing", opportunityId: id });
    this.#say();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The same object until something changes. */
  readonly getState = (): EditorState => this.#state;

  /** A value that is the base's is no change. The draft is kept until it is saved or discarded. */
  set<F extends Field>(field: F, value: Changes[F]): void {
    const { base, draft } = this.#state;
    const rest = without(draft, [field]);
    this.#write(base, same(base[field], value) ? rest : { ...rest, [field]: value ?? null });
  }

  /** Send the draft; resolves when it is known what became of it. The editor goes on from what was saved. */
  save(): Promise<Saved> {
    const { base, draft } = this.#state;
    const changes = tidy(draft);
    this.#write({ ...base, ...changes }, {});
    return this.#desk.save(this.id, changes, base);
  }

  /** Forget the draft and go on from the card as it is. */
  discard(): void {
    this.#write(this.#card ?? this.#state.base, {});
  }

  /** Stop editing; an unsaved draft is there again the next time. */
  close(): void {
    this.#leave();
    if (this.#said !== null) this.#desk.say({ type: "user_stopped_editing", opportunityId: this.id });
    this.#desk.closed(this);
  }

  /** The user knows these now: he changed them elsewhere, or has seen what others made of them. What he typed stays. */
  absorb(changes: Changes): void {
    const { base, draft } = this.#state;
    this.#write({ ...base, ...changes }, without(draft, fieldsOf(changes).filter((field) => same(draft[field], changes[field]))));
  }

  #follow(): void {
    const state = this.#desk.getState();
    const card = state.opportunities.get(this.id);
    if (state.lastRemote !== this.#told) this.#note(state.lastRemote);
    if (card === this.#card) return;
    this.#card = card;
    const { base, draft } = this.#state;
    // Nothing typed and nothing to tell apart: only the version moved.
    const moved = card && fieldsOf(difference(base, card)).length === 0 ? card : base;
    this.#show(this.#against(moved, draft));
  }

  #note(changes: BoardState["lastRemote"]): void {
    this.#told = changes;
    for (const change of changes) {
      if (change.id !== this.id) continue;
      const author = { userId: change.userId, at: Date.now() - (performance.now() - change.at) };
      for (const field of FIELDS) if (change.fields.includes(field)) this.#authors.set(field, author);
    }
  }

  #write(base: Opportunity, draft: Changes): void {
    if (fieldsOf(draft).length > 0) this.#desk.drafts.put(this.id, { base, changes: draft });
    else this.#desk.drafts.drop(this.id);
    this.#show(this.#against(base, draft));
  }

  #against(base: Opportunity, draft: Changes): EditorState {
    const card = this.#card;
    if (!card) return { base, draft, remote: [], clashes: [], gone: true };
    const theirs = fieldsOf(difference(base, card)).filter((field) => field !== "position");
    const remote = theirs.map((field) => this.#edit(field, card));
    return { base, draft, remote, clashes: clashing(base, draft, card), gone: false };
  }

  #edit(field: Field, card: Opportunity): RemoteEdit {
    const known = this.#authors.get(field);
    // Changed before this page was there (a draft of yesterday): the row tells who, and when by the service's clock.
    const timestamp = card.last_sync_at;
    const before = { userId: card.last_modified_by, at: Date.parse(timestamp ?? "") || 0, ...(timestamp ? { timestamp } : {}) };
    return { field, value: card[field], ...(known ?? before) };
  }

  #show(state: EditorState): void {
    this.#state = state;
    this.#say();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Who has typed something edits; who has not looks. */
  #say(): void {
    const { base, draft } = this.#state;
    const version = fieldsOf(draft).length > 0 ? base.version_number : null;
    if (version === this.#said) return;
    this.#said = version;
    if (version === null) this.#desk.say({ type: "user_stopped_editing", opportunityId: this.id });
    else this.#desk.say({ type: "user_editing", opportunityId: this.id, baseVersion: version });
  }

}

/** What the user can know of a card by what became of his write. */
export function absorbed(changes: Changes, row: Opportunity | undefined): Changes {
  return row ? pick(row, fieldsOf(changes)) : {};
}
