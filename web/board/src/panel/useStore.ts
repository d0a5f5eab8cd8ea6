import type { BoardState, BoardStore } from "@boardcast/client";
import { useSyncExternalStore } from "react";

export function useStore(store: BoardStore): BoardState {
  return useSyncExternalStore(store.subscribe, store.getState);
}
