/** Asks about the first conflict that was not postponed. */
import type { BoardStore } from "@boardcast/client";
import { useBoard } from "@boardcast/client/react";
import { useState } from "react";
import { ConflictDecision } from "./lazy";

export function ConflictDialog({ store }: { readonly store: BoardStore }) {
  const { conflicts } = useBoard(store);
  const [later, setLater] = useState<ReadonlySet<string>>(new Set());
  // If a conflict occurs again after it was decided, ask again.
  if ([...later].some((id) => !conflicts.has(id))) setLater(new Set([...later].filter((id) => conflicts.has(id))));
  const open = [...conflicts.values()].filter((conflict) => !later.has(conflict.id));
  const [first] = open;
  if (!first) return null;
  return <ConflictDecision key={first.id} store={store} conflict={first} more={open.length - 1} onLater={() => setLater(new Set([...later, first.id]))} />;
}
