/** One person editing one card: what he began from, what he typed, and what the others did meanwhile. */

import type { EditorState, Saved } from "./state.js";
import type { Changes, Field } from "./types.js";

export interface Editor {
  readonly id: string;
  readonly subscribe: (listener: () => void) => () => void;
  /** The same object until something changes. */
  readonly getState: () => EditorState;
  /** A value that is the base's is no change. The draft is kept until it is saved or discarded. */
  set<F extends Field>(field: F, value: Changes[F]): void;
  /** Send the draft; resolves when it is known what became of it. The editor goes on from what was saved. */
  save(): Promise<Saved>;
  /** Forget the draft and go on from the card as it is. */
  discard(): void;
  /** Stop editing; an unsaved draft is there again the next time. */
  close(): void;
}
