/**
 * A board's state, computed from what the service has, what is pending, and who is present.
 *
 * Invariant: listeners are called once per `batch`, and only if something changed. Only cards that were touched are computed again.
 */

import { NOBODY } from "./boardPresence.js";
import type { CardQueue } from "./cardQueue.js";
import { Listeners } from "./listeners.js";
import { changesOf, overlay } from "./pending.js";
import { ServerState } from "./serverState.js";
import type { BoardState, Conflict, RejectedWrite } from "./state.js";
import type { BoardHead, Changes, Opportunity, Snapshot } from "./types.js";
import { build, update, type View } from "./view.js";

interface Pending {
  readonly queues: ReadonlyMap<string, CardQueue>;
  readonly rejectedWrites: readonly RejectedWrite[];
}

const EMPTY: BoardState = {
  status: "loading",
  problem: null,
  board: null,
  role: null,
  members: [],
  ...build([], []),
  pendingChanges: new Map(),
  pendingCount: 0,
  unanswered: false,
  ...NOBODY,
  conflicts: new Map(),
  rejectedWrites: [],
  lastRemote: [],
};

export class Model {
  readonly serverState: ServerState;
  state = EMPTY;
  /** Cards that are gone, as they were last shown. */
  readonly removed = new Map<string, Opportunity>();
  readonly #pending: () => Pending;
  readonly #listeners = new Listeners<void>();
  readonly #touched = new Set<string>();
  #patch: Partial<BoardState> = {};
  #writesChanged = false;
  #rebuild = false;
  #depth = 0;

  constructor(board: string, pending: () => Pending) {
    this.serverState = new ServerState(board);
    this.#pending = pending;
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  batch(work: () => void): void {
    this.#depth++;
    try {
      work();
    } finally {
      if (--this.#depth === 0) this.#commit();
    }
  }

  /** The card has changed; `writes`: because of its pending writes. */
  touch(id: string, writes = false): void {
    this.batch(() => {
      this.#touched.add(id);
      this.#writesChanged ||= writes;
    });
  }

  /** Apply what a response says of a card. */
  applyResponse(id: string, apply: (serverState: ServerState) => boolean): void {
    if (this.serverState.applyResponse(id, () => apply(this.serverState))) this.touch(id);
  }

  set(patch: Partial<BoardState>): void {
    this.batch(() => (this.#patch = { ...this.#patch, ...patch }));
  }

  /** Start over from a snapshot. Rows whose version did not change keep their identity. */
  install({ board, role, members, opportunities }: Snapshot): void {
    this.batch(() => {
      const known = this.serverState.rows;
      this.serverState.reset(
        opportunities.map((row) => {
          const old = known.get(row.id);
          return old?.version_number === row.version_number && old.last_sync_at === row.last_sync_at && old.details_version === row.details_version ? old : row;
        }),
      );
      this.#rebuild = this.#writesChanged = true;
      this.set({ status: "ready", problem: null, board, role, members });
    });
  }

  /** The board itself has changed, such as its name or its phases. An older state of it changes nothing. */
  applyBoard(board: BoardHead): void {
    if ((this.state.board?.version ?? 0) >= board.version) return;
    this.batch(() => {
      this.#rebuild = true;
      this.set({ board });
    });
  }

  #commit(): void {
    const before = this.state;
    const patch = { ...this.#patch };
    const phases = (patch.board ?? before.board)?.phases ?? [];
    const view = this.#rebuild ? this.#rebuilt(phases) : this.#updated(phases);
    const pending = this.#writesChanged ? summary(this.#pending(), before) : {};
    this.#patch = {};
    this.#touched.clear();
    this.#rebuild = this.#writesChanged = false;
    const { opportunities, columns } = view;
    const next = { ...before, ...patch, ...pending, opportunities, columns };
    if ((Object.keys(next) as (keyof BoardState)[]).every((key) => next[key] === before[key])) return;
    this.state = next;
    this.#listeners.call();
  }

  #updated(phases: Snapshot["board"]["phases"]): View {
    if (this.#touched.size === 0) return this.state;
    const changed = new Map([...this.#touched].map((id) => [id, this.#card(id)]));
    for (const [id, card] of changed) {
      const before = this.state.opportunities.get(id);
      if (!card && before) this.removed.set(id, before);
      else if (card) this.removed.delete(id);
    }
    return update(this.state, phases, changed);
  }

  #rebuilt(phases: Snapshot["board"]["phases"]): View {
    const ids = new Set([...this.serverState.rows.keys(), ...this.#pending().queues.keys()]);
    const cards = [...ids].map((id) => this.#card(id)).filter((card) => card !== undefined);
    const view = build(phases, cards);
    for (const [id, card] of this.state.opportunities) if (!view.opportunities.has(id)) this.removed.set(id, card);
    for (const [phase, column] of view.columns) {
      const before = this.state.columns.get(phase);
      if (before?.length === column.length && before.every((card, at) => card === column[at])) (view.columns as Map<string, typeof column>).set(phase, before);
    }
    return view;
  }

  #card(id: string): Opportunity | undefined {
    const card = overlay(this.serverState.rows.get(id), this.#pending().queues.get(id)?.writes ?? []);
    // A card that is being moved to another board is not shown on this one.
    return card?.board_id === this.serverState.board ? card : undefined;
  }
}

function summary({ queues, rejectedWrites }: Pending, before: BoardState): Partial<BoardState> {
  const pendingChanges = new Map<string, Changes>();
  const conflicts = new Map<string, Conflict>();
  let pendingCount = 0;
  for (const { id, writes, conflict } of queues.values()) {
    if (writes.length > 0) pendingChanges.set(id, changesOf(writes));
    if (conflict) conflicts.set(id, conflict);
    pendingCount += writes.length;
  }
  return {
    pendingCount,
    rejectedWrites,
    pendingChanges: pendingChanges.size + before.pendingChanges.size === 0 ? before.pendingChanges : pendingChanges,
    conflicts: sameEntries(conflicts, before.conflicts) ? before.conflicts : conflicts,
  };
}

function sameEntries<K, V>(one: ReadonlyMap<K, V>, other: ReadonlyMap<K, V>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}
