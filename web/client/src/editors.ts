/** The open editors of a board's cards. */

import { Editor, type EditorDelegate } from "./editor.js";
import type { Changes, Opportunity } from "./types.js";

export class Editors {
  readonly #open = new Set<Editor>();
  readonly #delegate: EditorDelegate;

  /** `closed` is called after an editor was closed. */
  constructor(delegate: Omit<EditorDelegate, "closed">, closed: () => void) {
    this.#delegate = {
      ...delegate,
      closed: (editor) => {
        this.#open.delete(editor);
        closed();
      },
    };
  }

  /** The editor that was opened last. */
  get last(): Editor | undefined {
    return [...this.#open].at(-1);
  }

  open(id: string, card: Opportunity): Editor {
    const editor = new Editor(id, card, this.#delegate);
    this.#open.add(editor);
    return editor;
  }

  /** The user knows these values of a card now. */
  markSeen(id: string, changes: Changes): void {
    for (const editor of this.#open) if (editor.id === id) editor.markSeen(changes);
  }

  close(): void {
    for (const editor of [...this.#open]) editor.close();
  }
}
