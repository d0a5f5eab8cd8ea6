import type { BoardStore, Editor, EditorState } from "@boardcast/client";
import { useEffect, useLayoutEffect, useState, useSyncExternalStore } from "react";

/**
 * The store's editor of a card, open for as long as the component is mounted; null before that, and if there is no such card. `present` opens it when
 * the card appears or comes back.
 */
export function useEditor(store: BoardStore, id: string, present: boolean): Editor | null {
  const [editor, setEditor] = useState<Editor | null>(null);
  const gone = useEditorState(editor)?.gone ?? true;
  const wanted = present && gone;
  useLayoutEffect(() => {
    if (wanted) setEditor(store.openEditor(id));
  }, [store, id, wanted]);
  useEffect(() => () => editor?.close(), [editor]);
  return editor;
}

export function useEditorState(editor: Editor | null): EditorState | null {
  return useSyncExternalStore(editor?.subscribe ?? never, editor?.getState ?? nothing);
}

function never(): () => void {
  return () => undefined;
}

function nothing(): null {
  return null;
}
