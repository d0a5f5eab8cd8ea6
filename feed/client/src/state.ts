/** What a board is at one moment, as its store shows it. Everything here is immutable; what did not change keeps its identity. */

import type { Changes, Field, Member, Opportunity, Presence, Role, Snapshot } from "./types.js";

export interface BoardState {
  /** `loading`: there is no snapshot yet. `gone`: the board was deleted, or the user is no member any more; what was there stays to be seen. */
  readonly stage: "loading" | "ready" | "gone";
  /** Why loading takes long: what the last attempt said. */
  readonly problem: Trouble | null;
  readonly board: Snapshot["board"] | null;
  readonly role: Role | null;
  readonly members: readonly Member[];
  /** The cards with this user's pending changes laid over them. */
  readonly opportunities: ReadonlyMap<string, Opportunity>;
  /** Cards by phase, sorted by position and id: the board's phases in their order, then those that it does not know. */
  readonly columns: ReadonlyMap<string, readonly Opportunity[]>;
  /** By card, what is not confirmed yet. A card that is to be deleted has an entry without fields. */
  readonly pendingChanges: ReadonlyMap<string, Changes>;
  /** Writes that are waiting or under way, of all cards. */
  readonly pendingCount: number;
  /** By card: the others who are editing it. */
  readonly editingUsers: ReadonlyMap<string, readonly Presence[]>;
  /** The others who are on this board, once each. */
  readonly here: readonly Presence[];
  readonly conflicts: ReadonlyMap<string, Conflict>;
  readonly orphans: readonly Orphan[];
  /** What others did, of the newest delivery that had something. */
  readonly lastRemote: readonly RemoteChange[];
}

/** A problem's slug (docs/protocol.md; `network`: nothing answered) and words for people. */
export interface Trouble {
  readonly code: string;
  readonly message: string;
  /** What is wrong with which field (`pointer`: "/title"), where the service says. */
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[];
}

/** Two people changed the same fields: this user is asked. Until then his values are shown, and the card's later writes wait. */
export interface Conflict {
  /** The card's. */
  readonly id: string;
  /** What the user had seen when he made the change. */
  readonly base: Opportunity;
  /** The card as it is now; follows what arrives. */
  readonly theirs: Opportunity;
  /** All that the write changes, also where nobody else did. */
  readonly mine: Changes;
  /** The fields to decide on. */
  readonly fields: readonly Field[];
  /** Who changed it last. */
  readonly by: string | null;
}

/** What a person decides: all of mine, all of theirs, or these values (`data`: a value for each field of the conflict). */
export type Resolution =
  | { readonly resolution: "client" | "server" }
  | { readonly resolution: "merge"; readonly data: Changes };

/** A write that could not be made. It was undone on the board; what was typed is here until it is tried again or discarded. */
export interface Orphan {
  readonly id: string;
  readonly opportunityId: string;
  readonly kind: "create" | "change" | "remove" | "restore";
  /** `deleted`: the card is not there any more. `refused`: see `problem`. */
  readonly reason: "deleted" | "refused";
  readonly problem: Trouble;
  /** Who deleted it, where that was told. */
  readonly by: string | null;
  /** What the user wrote. */
  readonly changes: Changes;
  /** The whole card as he saw it, his changes included: what a new card would be made of. */
  readonly card: Opportunity;
}

export interface RemoteChange {
  readonly id: string;
  readonly kind: "created" | "updated" | "moved" | "deleted";
  readonly userId: string | null;
  readonly fields: readonly string[];
  /** `performance.now()` when it was applied here. */
  readonly at: number;
  readonly fromPhase?: string;
  readonly toPhase?: string;
}

/** A field that somebody else changed while this user edits the card. */
export interface RemoteEdit {
  readonly field: Field;
  readonly value: unknown;
  readonly userId: string | null;
  /** Ms since 1970 by this machine's clock: fit for "20 s ago", unless there is a `timestamp`. */
  readonly at: number;
  /** By the service's clock, of what was changed before this page was there to see it. */
  readonly timestamp?: string;
}

export interface EditorState {
  /** The card as it was when editing began. */
  readonly base: Opportunity;
  /** What was typed and differs from the base. */
  readonly draft: Changes;
  /** What others changed since. */
  readonly remote: readonly RemoteEdit[];
  /** Fields of the draft that saving now would bring into conflict. */
  readonly clashes: readonly Field[];
  /** The card was deleted meanwhile: saving makes an orphan of the draft. */
  readonly gone: boolean;
}

/**
 * `saved`: confirmed. `queued`: kept, and sent when the service can be reached. `conflict`: the user is asked (BoardState.conflicts).
 * `gone`, `refused`: undone; what was typed is in BoardState.orphans.
 */
export type Saved = "saved" | "queued" | "conflict" | "gone" | "refused";

/** What a new card needs; the rest may be left out. */
export type NewOpportunity = Changes & { readonly title: string; readonly phase: string };
