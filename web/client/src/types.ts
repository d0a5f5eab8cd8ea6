/** The data on the wire: rows as in the table (snake_case), and the messages of docs/protocol.md (camelCase). */

import type { FIELDS } from "./fields.js";

/** A card: a row of `opportunities`, as PostgreSQL converts it to JSON. Includes columns that other programs added. */
export interface Opportunity {
  readonly id: string;
  readonly board_id: string | null;
  readonly title: string;
  readonly company: string | null;
  readonly contact: string | null;
  readonly value: number | null;
  readonly currency: string;
  readonly phase: string;
  /** A fractional index: the cards of a phase are sorted by it, as text, and then by id. */
  readonly position: string;
  readonly owner_id: string | null;
  /** Percent. */
  readonly probability: number | null;
  /** YYYY-MM-DD. */
  readonly expected_close_date: string | null;
  readonly notes: string | null;
  readonly created_at: string;
  readonly version_number: number;
  readonly last_modified_by: string | null;
  readonly last_sync_at: string | null;
  /** When it entered its phase, if that is of kind won or lost; null or missing: it is open. */
  readonly closed_at?: string | null;
  /** Why it was won or lost; null: no reason was given. */
  readonly close_reason?: string | null;
  readonly next_activity?: string | null;
  /** YYYY-MM-DD. */
  readonly next_activity_date?: string | null;
  /** Counts the changes of the four fields before it. */
  readonly details_version?: number;
  readonly [column: string]: unknown;
}

/** A field of a card that users can change. */
export type Field = (typeof FIELDS)[number];
export type Changes = Partial<Pick<Opportunity, Field>>;

export interface Phase {
  readonly id: string;
  readonly name: string;
  /** Default: open. */
  readonly kind?: "open" | "won" | "lost";
  readonly color?: string;
  /** Percent, of new cards. */
  readonly probability?: number | null;
}

/** A board without its cards and members. */
export interface BoardHead {
  readonly id: string;
  readonly name: string;
  readonly phases: readonly Phase[];
  /** Of new cards. */
  readonly currency: string;
  /** Nobody can change its cards. */
  readonly archived: boolean;
  /** What a change of it names in If-Match. */
  readonly version: number;
  /** Usual reasons why a deal is lost. */
  readonly closeReasons: readonly string[];
  /** An open card without a change for more days than this is stale. */
  readonly staleDays: number;
}

export type Role = "viewer" | "editor" | "admin";

export interface Member {
  readonly userId: string;
  readonly name: string;
  readonly role: Role;
}

/** The response of `GET /api/boards/{id}`: a board, and the cursor to follow it from. */
export interface Snapshot {
  readonly board: BoardHead;
  readonly role: Role;
  readonly members: readonly Member[];
  readonly opportunities: readonly Opportunity[];
  readonly presence: readonly Presence[];
  readonly cursor: string;
}

/** A user who has a card open, or (null) views the board without a card. */
export interface Presence {
  readonly opportunityId: string | null;
  readonly boardId: string | null;
  readonly userId: string;
  readonly userName: string;
  readonly action: "editing" | "viewing";
  readonly since: string;
  /** The version that the editor started from. */
  readonly baseVersion?: number;
}

/** By opportunity; under null, users who view a board without a card, of all boards. */
export type PresenceMap = ReadonlyMap<string | null, readonly Presence[]>;

/** The fields of every event of the log. */
interface LogEvent {
  readonly boardId: string | null;
  readonly userId: string;
  readonly timestamp: string;
  readonly version: number;
  readonly seq: number;
  readonly xid: string;
  /** The mutation id of the write that caused it. */
  readonly origin: string | null;
  readonly traceparent?: string;
  readonly collapsed?: number;
  readonly cursor?: string;
}

export type OpportunityEvent = LogEvent &
  (
    | { readonly type: "opportunity_created"; readonly opportunityId: string; readonly opportunity: Opportunity }
    | { readonly type: "opportunity_updated"; readonly opportunityId: string; readonly changes: Partial<Opportunity> }
    | {
        readonly type: "opportunity_moved";
        readonly opportunityId: string;
        readonly changes: Partial<Opportunity>;
        readonly fromPhase: string;
        readonly toPhase: string;
      }
    | { readonly type: "opportunity_deleted"; readonly opportunityId: string }
  );

/** A change of a row of another table. */
export type RowEvent = LogEvent & { readonly type: "row_inserted" | "row_updated" | "row_deleted"; readonly table: string; readonly key: unknown; readonly changes?: Readonly<Record<string, unknown>>; readonly row?: Readonly<Record<string, unknown>> };

export type Message =
  | OpportunityEvent
  | RowEvent
  | (Omit<LogEvent, "version"> & { readonly type: "resync"; readonly reason: "bulk" | "large" | "truncate" | "reload"; readonly table: string; readonly key?: string; readonly count?: number })
  | { readonly type: "reset"; readonly reason: string; readonly cursor: string }
  | { readonly type: "board_granted"; readonly boardId: string; readonly role: Role; readonly seq?: number; readonly cursor?: string }
  | { readonly type: "board_revoked"; readonly boardId: string; readonly seq?: number; readonly cursor?: string }
  | {
      readonly type: "presence_state";
      readonly presence: readonly Presence[];
      readonly boardId?: string;
      /** null: of users who view the board without a card. */
      readonly opportunityId?: string | null;
    }
  | {
      readonly type: "user_editing";
      readonly opportunityId: string;
      readonly boardId: string;
      readonly userId: string;
      readonly userName: string;
      readonly timestamp: string;
      readonly baseVersion?: number;
    }
  | { readonly type: "user_stopped_editing"; readonly opportunityId: string; readonly userId: string; readonly timestamp: string }
  | ({ readonly type: "checkpoint"; readonly boardId: string; readonly cursor: string } & BoardDigest)
  | { readonly type: "error"; readonly code: string; readonly message: string }
  /** Created by the client from a response of `/api/sync/opportunities`: states instead of events, as of `at`. */
  | { readonly type: "state"; readonly opportunities: readonly Opportunity[]; readonly deletedIds: readonly string[]; readonly changedBoards?: readonly string[]; readonly at: string };

/** The number of opportunities and their hash: see Checkpoints in docs/protocol.md. */
export interface BoardDigest {
  readonly count: number;
  readonly hash: string;
}

/**
 * Messages to apply together: whole transactions, in order, without events that were delivered before (by `seq`). After a `reset` or a
 * change of tabs, events may be repeated: apply an event only if its version is newer than the card's.
 */
export interface Delivery {
  readonly messages: readonly Message[];
  /** The cursor after it; null if it does not move the cursor (presence, errors). */
  readonly cursor: string | null;
}

export type TransportName = "websocket" | "sse" | "polling";

/** The best transport that the service allows this user now: see Flags in docs/protocol.md. `off`: nothing live. */
export type Realtime = "websocket" | "sse" | "poll" | "off";

export interface FeedStatus {
  /**
   * `live`: connected. `connecting`: not connected yet, or reconnecting. `offline`: no transport works, the service does not answer, or
   * reconnecting takes long. `off`: the service offers nothing live; the data is from the last snapshot. `ended`: it will not reconnect
   * by itself (see `problem`).
   */
  readonly state: "idle" | "connecting" | "live" | "offline" | "off" | "ended";
  readonly transport: TransportName | null;
  /** An answer of the service is late, so more than a second may be missing from what was delivered. Can be true only while `live`. */
  readonly behind: boolean;
  /** The round-trip time of the WebSocket, in ms. */
  readonly latency: number | null;
  /** The time between polls, in ms, while polling. */
  readonly interval: number | null;
  /** What the service allows, as far as it has said so. A better transport than this one might work, but is not used. */
  readonly realtime: Realtime;
  /** Whether this tab holds the connection for the other tabs of the browser. */
  readonly leader: boolean;
  /** Why it is not live, if the service said so: a code of docs/protocol.md. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** A token and its user. `expires` is in ms since 1970, by this machine's clock. */
export interface Session {
  readonly token: string;
  readonly userId: string;
  readonly expires: number;
}

/** What the store and the hooks need of a feed. `Feed` implements it. */
export interface Source {
  readonly status: FeedStatus;
  readonly cursor: string | null;
  /** The presence of all users on the user's boards. */
  readonly presence: PresenceMap;
  /** Returns a function that unsubscribes. */
  onDelivery(listener: (delivery: Delivery) => void): () => void;
  onStatus(listener: (status: FeedStatus) => void): () => void;
  onPresence(listener: (presence: PresenceMap) => void): () => void;
  /**
   * Follow from a snapshot's cursor. The first call opens the connection there. If a connection is already open (for another board, or
   * in another tab), the changes between the two cursors are fetched and delivered as `state`. Rejects with a ProblemError
   * (`cursor-reset`) if the feed cannot continue from there: take a new snapshot. `board`: the board whose presence is polled.
   */
  follow(cursor: string, board?: string): Promise<void>;
  /** Send presence by whichever transport is open: user_editing, user_stopped_editing, viewing. */
  send(message: ClientMessage): void;
  stop(): void;
}

export type ClientMessage =
  | { readonly type: "user_editing"; readonly opportunityId: string; readonly baseVersion?: number }
  | { readonly type: "user_stopped_editing"; readonly opportunityId: string }
  /** Viewing a card; viewing a board without a card; or, without both, nothing. */
  | { readonly type: "viewing"; readonly opportunityId: string | null; readonly boardId?: string | null };
