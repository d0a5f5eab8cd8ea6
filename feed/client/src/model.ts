/**
 * A board's state, put together of what is known, what is pending and who is there.
 *
 * Invariant: listeners are called once for all that one `batch` changed, and not at all if nothing did. Only what was touched is
 * looked at again.
 */

import { Truth } from "./apply.js";
import { changesOf, overlay } from "./pending.js";
import { NOBODY } from "./people.js";
import type { Lane } from "./queue.js";
import type { BoardState, Conflict, Orphan } from "./state.js";
import type { Changes, Opportunity, Snapshot } from "./types.js";
import { build, update, type View } from "./view.js";

interface Pending {
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly orphans: readonly Orphan[];
}

const EMPTY: BoardState = {
  stage: "loading",
  problem: null,
  board: null,
  role: null,
  members: [],
  ...build([], []),
  pendingChanges: new Map(),
  pendingCount: 0,
  ...NOBODY,
  conflicts: new Map(),
  orphans: [],
  lastRemote: [],
};

export class Model {
  readonly truth: Truth;
  state = EMPTY;
  /** Cards as they were last seen, of those that are not there any more. */
  readonly departed = new Map<string, Opportunity>();
  readonly #pending: () => Pending;
  readonly #listeners = new Set<() => void>();
  readonly #touched = new Set<string>();
  #patch: Partial<BoardState> = {};
  #queued = false;
  #whole = false;
  #depth = 0;

  constructor(board: string, pending: () => Pending) {
    this.truth = new Truth(board);
    this.#pending = pending;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  batch(work: () => void): void {
    this.#depth++;
    try {
      work();
    } finally {
      if (--this.#depth === 0) this.#commit();
    }
  }

  /** The card is not what it was; `queue`: because of its writes. */
  touch(id: string, queue = false): void {
    this.batch(() => {
      this.#touched.add(id);
      this.#queued ||= queue;
    });
  }

  set(patch: Partial<BoardState>): void {
    this.batch(() => (this.#patch = { ...this.#patch, ...patch }));
  }

  /** Begin again from a snapshot. Rows that it has in the same version keep their identity. */
  install({ board, role, members, opportunities }: Snapshot): void {
    this.batch(() => {
      const known = this.truth.rows;
      this.truth.reset(
        opportunities.map((row) => {
          const old = known.get(row.id);
          return old?.version_number === row.version_number && old.last_sync_at === row.last_sync_at ? old : row;
        }),
      );
      this.#whole = this.#queued = true;
      this.set({ stage: "ready", problem: null, board, role, members });
    });
  }

  #commit(): void {
    const before = this.state;
    const patch = { ...this.#patch };
    const phases = (patch.board ?? before.board)?.phases ?? [];
    const view = this.#whole ? this.#rebuilt(phases) : this.#updated(phases);
    const pending = this.#queued ? summary(this.#pending(), before) : {};
    this.#patch = {};
    this.#touched.clear();
    this.#whole = this.#queued = false;
    const { opportunities, columns } = view;
    const next = { ...before, ...patch, ...pending, opportunities, columns };
    if ((Object.keys(next) as (keyof BoardState)[]).every((key) => next[key] === before[key])) return;
    this.state = next;
    for (const listener of [...this.#listeners]) listener();
  }

  #updated(phases: Snapshot["board"]["phases"]): View {
    if (this.#touched.size === 0) return this.state;
    const changed = new Map([...this.#touched].map((id) => [id, this.#card(id)]));
    for (const [id, card] of changed) {
      const before = this.state.opportunities.get(id);
      if (!card && before) this.departed.set(id, before);
      else if (card) this.departed.delete(id);
    }
    return update(this.state, phases, changed);
  }

  #rebuilt(phases: Snapshot["board"]["phases"]): View {
    const ids = new Set([...this.truth.rows.keys(), ...this.#pending().lanes.keys()]);
    const cards = [...ids].map((id) => this.#card(id)).filter((card) => card !== undefined);
    const view = build(phases, cards);
    for (const [id, card] of this.state.opportunities) if (!view.opportunities.has(id)) this.departed.set(id, card);
    for (const [phase, column] of view.columns) {
      const before = this.state.columns.get(phase);
      if (before?.length === column.length && before.every((card, at) => card === column[at])) (view.columns as Map<string, typeof column>).set(phase, before);
    }
    return view;
  }

  #card(id: string): Opportunity | undefined {
    const card = overlay(this.truth.rows.get(id), this.#pending().lanes.get(id)?.writes ?? []);
    // A card that is being given to another board is not shown on this one.
    return card?.board_id === this.truth.board ? card : undefined;
  }
}

function summary({ lanes, orphans }: Pending, before: BoardState): Partial<BoardState> {
  const pendingChanges = new Map<string, Changes>();
  const conflicts = new Map<string, Conflict>();
  let pendingCount = 0;
  for (const { id, writes, conflict } of lanes.values()) {
    if (writes.length > 0) pendingChanges.set(id, changesOf(writes));
    if (conflict) conflicts.set(id, conflict);
    pendingCount += writes.length;
  }
  return {
    pendingCount,
    orphans,
    pendingChanges: pendingChanges.size + before.pendingChanges.size === 0 ? before.pendingChanges : pendingChanges,
    conflicts: sameEntries(conflicts, before.conflicts) ? before.conflicts : conflicts,
  };
}

function sameEntries<K, V>(one: ReadonlyMap<K, V>, other: ReadonlyMap<K, V>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}
