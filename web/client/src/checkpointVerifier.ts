/** Compares the confirmed rows of a board with the checkpoints that the service sends. */

import { Backoff } from "./backoff.js";
import { covers } from "./compareCursors.js";
import { digestOf } from "./hash.js";
import type { ServerState } from "./serverState.js";
import type { BoardDigest, Message } from "./types.js";

export type Checkpoint = Extract<Message, { type: "checkpoint" }>;

/** What the service expected at a cursor, and what is held here. */
export interface Gap {
  readonly cursor: string;
  readonly expected: BoardDigest;
  readonly held: BoardDigest;
}

export class CheckpointVerifier {
  /** Until when a mismatch is ignored (ms). */
  #ignoreUntil = 0;
  readonly #backoff = new Backoff(1_000, 600_000);

  /** The gap to report; null if there is none, if one was found just now, or if the rows are newer and cannot be compared. */
  gap({ cursor, count, hash }: Checkpoint, serverState: ServerState, baseCursors: readonly string[]): Gap | null {
    const now = performance.now();
    if (!serverState.comparable(now) || !baseCursors.every((base) => covers(cursor, base))) return null;
    const held = digestOf(serverState.rows.values());
    if (held.count === count && held.hash === hash) {
      this.#backoff.reset();
      return null;
    }
    if (now < this.#ignoreUntil) return null;
    this.#ignoreUntil = now + this.#backoff.next();
    return { cursor, expected: { count, hash }, held };
  }
}
