/** Asks about the first conflict that was not put off. */
import type { BoardStore } from "@boardcast/client";
import { useState } from "react";
import { Decision } from "./Decision";
import { useStore } from "./useStore";

export function ConflictDialog({ store }: { readonly store: BoardStore }) {
  const { conflicts } = useStore(store);
  const [later, setLater] = useState<ReadonlySet<string>>(new Set());
  // One that was decided may come again, and then it is asked about again.
  if ([...later].some((id) => !conflicts.has(id))) setLater(new Set([...later].filter((id) => conflicts.has(id))));
  const open = [...conflicts.values()].filter((conflict) => !later.has(conflict.id));
  const [first] = open;
  if (!first) return null;
  return <Decision key={first.id} store={store} conflict={first} more={open.length - 1} onLater={() => setLater(new Set([...later, first.id]))} />;
}
