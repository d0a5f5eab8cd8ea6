import { useCallback, useSyncExternalStore } from "react";

/** The board that the address names, and the way to another one: the browser's back button leads to the one before. */
export function useAddress(): readonly [board: string | null, open: (board: string) => void] {
  const board = useSyncExternalStore(onMove, named);
  const open = useCallback((wanted: string) => {
    history.pushState(null, "", `?board=${encodeURIComponent(wanted)}`);
    dispatchEvent(new PopStateEvent("popstate"));
  }, []);
  return [board, open];
}

export function named(): string | null {
  return new URLSearchParams(location.search).get("board");
}

function onMove(listener: () => void): () => void {
  addEventListener("popstate", listener);
  return () => removeEventListener("popstate", listener);
}
