import { useCallback, useSyncExternalStore } from "react";

/** The board in the URL, and a function that opens another one. The browser's back button returns to the previous board. */
export function useBoardUrl(): readonly [board: string | null, open: (board: string) => void] {
  const board = useSyncExternalStore(onMove, boardInUrl);
  const open = useCallback((wanted: string) => {
    history.pushState(null, "", `?board=${encodeURIComponent(wanted)}`);
    dispatchEvent(new PopStateEvent("popstate"));
  }, []);
  return [board, open];
}

export function boardInUrl(): string | null {
  return new URLSearchParams(location.search).get("board");
}

function onMove(listener: () => void): () => void {
  addEventListener("popstate", listener);
  return () => removeEventListener("popstate", listener);
}
