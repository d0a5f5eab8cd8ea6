/** The state of a board at one moment, as its store shows it. All of it is immutable; what did not change keeps its identity. */

import type { Changes, Field, Member, Opportunity, Presence, Role, Snapshot } from "./types.js";

export interface BoardState {
  /**
   * `loading`: there is no snapshot yet. `gone`: the board was deleted, or the user is no longer a member; what was shown stays
   * readable.
   */
  readonly status: "loading" | "ready" | "gone";
  /** Why loading takes long: the error of the last attempt. */
  readonly problem: Problem | null;
  readonly board: Snapshot["board"] | null;
  readonly role: Role | null;
  readonly members: readonly Member[];
  /** The cards, with this user's pending changes applied. */
  readonly opportunities: ReadonlyMap<string, Opportunity>;
  /** Cards by phase, sorted by position and id. First the board's phases in their order, then phases that it does not have. */
  readonly columns: ReadonlyMap<string, readonly Opportunity[]>;
  /** By card: changes that are not confirmed yet. A card that is about to be deleted has an entry without fields. */
  readonly pendingChanges: ReadonlyMap<string, Changes>;
  /** The number of writes that are waiting or being sent, of all cards. */
  readonly pendingCount: number;
  /** A write has had no answer for some seconds: the service cannot be reached, whatever the feed's state. */
  readonly unanswered: boolean;
  /** By card: others who are editing it. */
  readonly editingUsers: ReadonlyMap<string, readonly Presence[]>;
  /** Others who are on this board, once each. */
  readonly presentUsers: readonly Presence[];
  readonly conflicts: ReadonlyMap<string, Conflict>;
  readonly rejectedWrites: readonly RejectedWrite[];
  /** What others changed, in the newest delivery with such changes. */
  readonly lastRemote: readonly RemoteChange[];
}

/** The slug of a problem (docs/protocol.md; `network`: no response) and a text for people. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  /** What is wrong with which field (`pointer`: "/title"), where the service says so. */
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[];
}

/** Two people changed the same fields, and this user has to decide. Until then their values are shown, and later writes of the card wait. */
export interface Conflict {
  /** The card's id. */
  readonly id: string;
  /** What the user saw when making the change. */
  readonly base: Opportunity;
  /** The card as it is now; follows what arrives. */
  readonly theirs: Opportunity;
  /** All changes of the write, including fields that nobody else changed. */
  readonly mine: Changes;
  /** The fields to decide on. */
  readonly fields: readonly Field[];
  /** The user who changed the card last. */
  readonly by: string | null;
}

/** A user's decision: all mine, all theirs, or these values (`data`: one for each field of the conflict). */
export type Resolution =
  | { readonly resolution: "client" | "server" }
  | { readonly resolution: "merge"; readonly data: Changes };

/** A write that the service rejected. It is undone on the board; what the user typed is kept here until it is retried or discarded. */
export interface RejectedWrite {
  readonly id: string;
  readonly opportunityId: string;
  readonly kind: "create" | "change" | "remove" | "restore";
  /** `deleted`: the card no longer exists. `rejected`: see `problem`. */
  readonly reason: "deleted" | "rejected";
  readonly problem: Problem;
  /** The user who deleted it, if known. */
  readonly by: string | null;
  /** What the user wrote. */
  readonly changes: Changes;
  /** The whole card as the user saw it, including their changes: what a new card would be made of. */
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
  /** Ms since 1970 by this machine's clock: good enough for "20 s ago", unless there is a `timestamp`. */
  readonly at: number;
  /** By the service's clock, for changes from before this page was loaded. */
  readonly timestamp?: string;
}

export interface EditorState {
  /** The card as it was when editing began. */
  readonly base: Opportunity;
  /** What was typed and differs from the base. */
  readonly draft: Changes;
  /** What others have changed since. */
  readonly remote: readonly RemoteEdit[];
  /** Fields of the draft that would conflict if it were saved now. */
  readonly clashes: readonly Field[];
  /** The card was deleted in the meantime: saving turns the draft into a rejected write. */
  readonly gone: boolean;
}

/**
 * `saved`: confirmed. `queued`: kept, and sent when the service can be reached. `conflict`: the user has to decide
 * (BoardState.conflicts). `gone`, `rejected`: undone; what was typed is in BoardState.rejectedWrites.
 */
export type SaveResult = "saved" | "queued" | "conflict" | "gone" | "rejected";

/** What a new card needs; the rest is optional. */
export type NewOpportunity = Changes & { readonly title: string; readonly phase: string };
