/**
 * One person editing one card: where they started, what they typed, and what others did in the meantime.
 *
 * Invariant: `base` is the card as this user knows it. Their own changes elsewhere move it, the changes of others do not. So the
 * difference between the base and the card is what others changed, and a field of it that the user typed in too is a clash, known
 * before it is saved.
 */

import type { Drafts } from "./drafts.js";
import { FIELDS } from "./fields.js";
import { Listeners } from "./listeners.js";
import { clashing, difference, fieldsOf, pick, same, tidy, without } from "./merge.js";
import type { BoardState, EditorState, RemoteEdit, SaveResult } from "./state.js";
import type { Changes, ClientMessage, Field, Opportunity } from "./types.js";

/** What an editor needs of its store. */
export interface EditorDelegate {
  readonly drafts: Drafts;
  subscribe(listener: () => void): () => void;
  getState(): BoardState;
  sendPresence(message: ClientMessage): void;
  save(id: string, changes: Changes, base: Opportunity): Promise<SaveResult>;
  closed(editor: Editor): void;
}

export class Editor {
  readonly #delegate: EditorDelegate;
  readonly #listeners = new Listeners<void>();
  readonly #authors = new Map<Field, { userId: string | null; at: number }>();
  readonly #unsubscribe: () => void;
  #card: Opportunity | undefined;
  #state: EditorState;
  #lastRemote: BoardState["lastRemote"];
  /** The version that others see this user editing; null: none. */
  #announced: number | null = null;

  constructor(
    readonly id: string,
    card: Opportunity,
    delegate: EditorDelegate,
  ) {
    this.#delegate = delegate;
    this.#lastRemote = delegate.getState().lastRemote;
    this.#card = card;
    const draft = delegate.drafts.get(id);
    this.#state = this.#compare(draft?.base ?? card, draft?.changes ?? {});
    this.#unsubscribe = delegate.subscribe(() => this.#follow());
    delegate.sendPresence({ type: "viewing", opportunityId: id });
    this.#announce();
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  /** The same object until something changes. */
  readonly getState = (): EditorState => this.#state;

  /** Set a field of the draft; the base's own value removes it. The draft is kept until it is saved or discarded. */
  set<F extends Field>(field: F, value: Changes[F]): void {
    const { base, draft } = this.#state;
    const rest = without(draft, [field]);
    this.#write(base, same(base[field], value) ? rest : { ...rest, [field]: value ?? null });
  }

  /** Send the draft; resolves when its result is known. The editor continues from what was saved. */
  save(): Promise<SaveResult> {
    const { base, draft } = this.#state;
    const changes = tidy(draft);
    this.#write({ ...base, ...changes }, {});
    return this.#delegate.save(this.id, changes, base);
  }

  /** Drop the draft and continue from the card as it is. */
  discard(): void {
    this.#write(this.#card ?? this.#state.base, {});
  }

  /** Stop editing; an unsaved draft is restored the next time. */
  close(): void {
    this.#unsubscribe();
    if (this.#announced !== null) this.#delegate.sendPresence({ type: "user_stopped_editing", opportunityId: this.id });
    this.#delegate.closed(this);
  }

  /** The user knows these values now, from changing them elsewhere or from seeing what others did. Other parts of the draft stay. */
  markSeen(changes: Changes): void {
    const { base, draft } = this.#state;
    this.#write({ ...base, ...changes }, without(draft, fieldsOf(changes).filter((field) => same(draft[field], changes[field]))));
  }

  #follow(): void {
    const state = this.#delegate.getState();
    const card = state.opportunities.get(this.id);
    if (state.lastRemote !== this.#lastRemote) this.#noteAuthors(state.lastRemote);
    if (card === this.#card) return;
    this.#card = card;
    const { base, draft } = this.#state;
    // If no field differs, only the version has moved.
    const moved = card && fieldsOf(difference(base, card)).length === 0 ? card : base;
    this.#setState(this.#compare(moved, draft));
  }

  #noteAuthors(changes: BoardState["lastRemote"]): void {
    this.#lastRemote = changes;
    for (const change of changes) {
      if (change.id !== this.id) continue;
      const author = { userId: change.userId, at: Date.now() - (performance.now() - change.at) };
      for (const field of FIELDS) if (change.fields.includes(field)) this.#authors.set(field, author);
    }
  }

  #write(base: Opportunity, draft: Changes): void {
    if (fieldsOf(draft).length > 0) this.#delegate.drafts.put(this.id, { base, changes: draft });
    else this.#delegate.drafts.drop(this.id);
    this.#setState(this.#compare(base, draft));
  }

  #compare(base: Opportunity, draft: Changes): EditorState {
    const card = this.#card;
    if (!card) return { base, draft, remote: [], clashes: [], gone: true };
    const theirs = fieldsOf(difference(base, card)).filter((field) => field !== "position");
    const remote = theirs.map((field) => this.#remoteEdit(field, card));
    return { base, draft, remote, clashes: clashing(base, draft, card), gone: false };
  }

  #remoteEdit(field: Field, card: Opportunity): RemoteEdit {
    const known = this.#authors.get(field);
    // If it changed before this page was loaded (a draft from yesterday), the row says who did it, and when by the service's clock.
    const timestamp = card.last_sync_at;
    const fromRow = { userId: card.last_modified_by, at: Date.parse(timestamp ?? "") || 0, ...(timestamp ? { timestamp } : {}) };
    return { field, value: card[field], ...(known ?? fromRow) };
  }

  #setState(state: EditorState): void {
    this.#state = state;
    this.#announce();
    this.#listeners.call();
  }

  /** A user who has typed something is editing; until then they are viewing. */
  #announce(): void {
    const { base, draft } = this.#state;
    const version = fieldsOf(draft).length > 0 ? base.version_number : null;
    if (version === this.#announced) return;
    this.#announced = version;
    if (version === null) this.#delegate.sendPresence({ type: "user_stopped_editing", opportunityId: this.id });
    else this.#delegate.sendPresence({ type: "user_editing", opportunityId: this.id, baseVersion: version });
  }
}

/** The values that the user knows after a write of these changes was saved. */
export function savedValues(changes: Changes, row: Opportunity | undefined): Changes {
  return row ? pick(row, fieldsOf(changes)) : {};
}
