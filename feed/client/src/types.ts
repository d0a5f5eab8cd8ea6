/** What travels: rows as the table has them (snake_case), messages as docs/protocol.md lists them (camelCase). */

/** A card: the row of `opportunities` as PostgreSQL makes JSON of it. Columns that another program added come along. */
export interface Opportunity {
  readonly id: string;
  readonly board_id: string | null;
  readonly title: string;
  readonly company: string | null;
  readonly contact: string | null;
  readonly value: number | null;
  readonly currency: string;
  readonly phase: string;
  /** Fractional index: cards of a phase are sorted by it as text, then by id. */
  readonly position: string;
  readonly owner_id: string | null;
  /** Per cent. */
  readonly probability: number | null;
  /** YYYY-MM-DD. */
  readonly expected_close_date: string | null;
  readonly notes: string | null;
  readonly created_at: string;
  readonly version_number: number;
  readonly last_modified_by: string | null;
  readonly last_sync_at: string | null;
  readonly [column: string]: unknown;
}

/** What a person can change of a card. */
export type Changes = Partial<
  Pick<
    Opportunity,
    | "title"
    | "company"
    | "contact"
    | "value"
    | "currency"
    | "phase"
    | "position"
    | "owner_id"
    | "probability"
    | "expected_close_date"
    | "notes"
    | "board_id"
  >
>;
export type Field = keyof Changes;

export interface Phase {
  readonly id: string;
  readonly name: string;
}

export type Role = "viewer" | "editor" | "admin";

export interface Member {
  readonly userId: string;
  readonly name: string;
  readonly role: Role;
}

/** `GET /api/boards/{id}`: a board and the cursor to follow it from. */
export interface Snapshot {
  readonly board: { readonly id: string; readonly name: string; readonly phases: readonly Phase[] };
  readonly role: Role;
  readonly members: readonly Member[];
  readonly opportunities: readonly Opportunity[];
  readonly presence: readonly Presence[];
  readonly cursor: string;
}

/** Somebody who has a card open, or (null) looks at the board and at no card. */
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

/** By opportunity; under null those who look at a board and at no card, of all boards. */
export type Everybody = ReadonlyMap<string | null, readonly Presence[]>;

/** What every event of the log has. */
interface Logged {
  readonly boardId: string | null;
  readonly userId: string;
  readonly timestamp: string;
  readonly version: number;
  readonly seq: number;
  readonly xid: string;
  /** The mutation id of the write that made it. */
  readonly origin: string | null;
  readonly traceparent?: string;
  readonly collapsed?: number;
  readonly cursor?: string;
}

export type OpportunityEvent = Logged &
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

export type Message =
  | OpportunityEvent
  | (Logged & { readonly type: "row_inserted" | "row_updated" | "row_deleted"; readonly table: string; readonly key: unknown })
  | (Omit<Logged, "version"> & { readonly type: "resync"; readonly reason: "bulk" | "truncate" | "reload"; readonly table: string; readonly count?: number })
  | { readonly type: "reset"; readonly reason: string; readonly cursor: string }
  | { readonly type: "board_granted"; readonly boardId: string; readonly role: Role; readonly seq?: number; readonly cursor?: string }
  | { readonly type: "board_revoked"; readonly boardId: string; readonly seq?: number; readonly cursor?: string }
  | {
      readonly type: "presence_state";
      readonly presence: readonly Presence[];
      readonly boardId?: string;
      /** null: of those who look at the board and at no card. */
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
  | ({ readonly type: "checkpoint"; readonly boardId: string; readonly cursor: string } & Held)
  | { readonly type: "error"; readonly code: string; readonly message: string }
  /** Made by the client itself of an answer of `/api/sync/opportunities`: states instead of events, as they are at `at`. */
  | { readonly type: "state"; readonly opportunities: readonly Opportunity[]; readonly deletedIds: readonly string[]; readonly at: string };

/** How many opportunities, and the hash of them: see Checkpoints in docs/protocol.md. */
export interface Held {
  readonly count: number;
  readonly hash: string;
}

/**
 * What arrived together: whole transactions, in order, without those that came before (known by `seq`). Apply it at once.
 * Events may come again after a `reset` or a change of tabs: apply one only if its version is newer than the card's.
 */
export interface Delivery {
  readonly messages: readonly Message[];
  /** The position after it; null where it does not move the position (presence, errors). */
  readonly cursor: string | null;
}

export type Transport = "websocket" | "sse" | "polling";

/** The best way that the service offers this user now, see Flags in docs/protocol.md; `off`: nothing live. */
export type Realtime = "websocket" | "sse" | "poll" | "off";

export interface FeedStatus {
  /**
   * `live`: what is shown is what there is. `connecting`: not yet, or again. `offline`: no way through now. `off`: the service offers
   * nothing live; what is shown is as of the last look. `ended`: it will not come back by itself (see problem).
   */
  readonly state: "idle" | "connecting" | "live" | "offline" | "off" | "ended";
  readonly transport: Transport | null;
  /** Round trip over the WebSocket, in ms. */
  readonly latency: number | null;
  /** Time between polls, in ms, while polling. */
  readonly interval: number | null;
  /** What the service offers, as far as it has said so: of two ways that would work it may be the lesser. */
  readonly realtime: Realtime;
  /** Whether this tab holds the connection for the others of the browser. */
  readonly leader: boolean;
  /** Why it is not live, where the service said so: a code of docs/protocol.md. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** A token and whose it is; expires in ms since 1970 by this machine's clock. */
export interface Session {
  readonly token: string;
  readonly userId: string;
  readonly expires: number;
}

/** What follows a feed and tells of it; `Feed` is the one there is. The store and the hooks know no more than this. */
export interface Source {
  readonly status: FeedStatus;
  readonly cursor: string | null;
  /** Everybody's presence on the user's boards, see Everybody. */
  readonly presence: Everybody;
  /** Returns the function that ends it. */
  onDelivery(listener: (delivery: Delivery) => void): () => void;
  onStatus(listener: (status: FeedStatus) => void): () => void;
  onPresence(listener: (presence: Everybody) => void): () => void;
  /**
   * Follow from a snapshot's cursor. The first call begins the connection there; where one is running already (another board,
   * another tab's) what lies between is fetched and delivered as `state` to this caller's listeners. Rejects with a
   * ProblemError (`cursor-reset`) if it cannot be followed from there: take a new snapshot. `board` is whose presence is asked
   * for where it has to be asked for (while polling).
   */
  follow(cursor: string, board?: string): Promise<void>;
  /** Say something to the service, by whatever transport: user_editing, user_stopped_editing, viewing. */
  send(message: ClientMessage): void;
  stop(): void;
}

export type ClientMessage =
  | { readonly type: "user_editing"; readonly opportunityId: string; readonly baseVersion?: number }
  | { readonly type: "user_stopped_editing"; readonly opportunityId: string }
  /** At a card; at a board and no card; or, without both, at nothing any more. */
  | { readonly type: "viewing"; readonly opportunityId: string | null; readonly boardId?: string | null };
