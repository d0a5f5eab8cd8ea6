/** Input that is not part of a card yet: new cards, and texts that are not valid values. It survives the page, like the store's drafts. */
import type { BoardStore, Changes } from "@boardcast/client";
import { load, save } from "@boardcast/storage";
import { useState } from "react";
import type { FormField } from "./fields";
import type { Unreadable } from "./Form";

export function newDraftKey(store: BoardStore): string {
  return `new.${store.userId}.${store.board}`;
}

export function useNewDraft(store: BoardStore): [Changes, (draft: Changes) => void] {
  const key = newDraftKey(store);
  return useStored<Changes>(key);
}

/** Leave a draft for the form of a new card. */
export function leaveNewDraft(store: BoardStore, draft: Changes): void {
  save(newDraftKey(store), JSON.stringify(draft));
}

export function useUnreadable(store: BoardStore, id: string): [Unreadable, (field: FormField, text: string | null) => void] {
  const [texts, setTexts] = useStored<Unreadable>(`unreadable.${store.userId}.${id}`);
  return [
    texts,
    (field, text) => {
      if ((texts[field] ?? null) === text) return;
      const { [field]: _, ...rest } = texts;
      setTexts(text === null ? rest : { ...rest, [field]: text });
    },
  ];
}

function useStored<T extends object>(key: string): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => read(key) as T);
  return [
    value,
    (next) => {
      save(key, Object.keys(next).length > 0 ? JSON.stringify(next) : null);
      setValue(next);
    },
  ];
}

function read(key: string): object {
  try {
    const stored: unknown = JSON.parse(load(key) ?? "{}");
    return typeof stored === "object" && stored !== null ? stored : {};
  } catch {
    return {};
  }
}
