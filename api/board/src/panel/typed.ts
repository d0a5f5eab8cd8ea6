/** What was typed and is no part of a card yet: new cards, and texts that are no amounts. It outlives the page, like the store's drafts. */
import type { BoardStore, Changes } from "@boardcast/client";
import { useState } from "react";
import { keep, recall } from "../kept";
import type { FormField } from "./fields";
import type { Unreadable } from "./Form";

export function newDraftKey(store: BoardStore): string {
  return `new.${store.userId}.${store.board}`;
}

export function useNewDraft(store: BoardStore): [Changes, (draft: Changes) => void] {
  const key = newDraftKey(store);
  return useKept<Changes>(key);
}

/** Leave a draft for the form of new cards to find. */
export function leaveNewDraft(store: BoardStore, draft: Changes): void {
  keep(newDraftKey(store), JSON.stringify(draft));
}

export function useUnreadable(store: BoardStore, id: string): [Unreadable, (field: FormField, text: string | null) => void] {
  const [texts, setTexts] = useKept<Unreadable>(`unreadable.${store.userId}.${id}`);
  return [
    texts,
    (field, text) => {
      if ((texts[field] ?? null) === text) return;
      const { [field]: _, ...rest } = texts;
      setTexts(text === null ? rest : { ...rest, [field]: text });
    },
  ];
}

function useKept<T extends object>(key: string): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => read(key) as T);
  return [
    value,
    (next) => {
      keep(key, Object.keys(next).length > 0 ? JSON.stringify(next) : null);
      setValue(next);
    },
  ];
}

function read(key: string): object {
  try {
    const kept: unknown = JSON.parse(recall(key) ?? "{}");
    return typeof kept === "object" && kept !== null ? kept : {};
  } catch {
    return {};
  }
}
