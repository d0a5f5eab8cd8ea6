/** The feed and the board in React 18 and later. A component renders again only when the value that its hook returns has changed. */

import { useCallback, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Feed, type FeedOptions } from "./feed.js";
import type { BoardState, Conflict } from "./state.js";
import type { BoardStore } from "./store.js";
import type { Changes, ClientMessage, FeedStatus, Message, Opportunity, Presence, Snapshot, Source } from "./types.js";

/** Subscribe to a value that is the same object until it changes. A page rendered on a server shows its current value. */
function useValue<T>(subscribe: (changed: () => void) => () => void, get: () => T): T {
  return useSyncExternalStore(subscribe, get, get);
}

/** The state of the connection. */
export function useFeed(source: Source): FeedStatus {
  const subscribe = useCallback((changed: () => void) => source.onStatus(changed), [source]);
  return useValue(subscribe, () => source.status);
}

/** The whole state of a board. */
export function useBoard(store: BoardStore): BoardState {
  return useValue(store.subscribe, store.getState);
}

const NOBODY: readonly Presence[] = [];

/** Others who are on the board, or (with a card) others who edit it. */
export function usePresence(store: BoardStore, opportunityId?: string): readonly Presence[] {
  return useValue(store.subscribe, () => {
    const { presentUsers, editingUsers } = store.getState();
    return opportunityId === undefined ? presentUsers : (editingUsers.get(opportunityId) ?? NOBODY);
  });
}

export interface OpportunityHandle {
  readonly opportunity: Opportunity | undefined;
  /** Changes that are not confirmed yet. */
  readonly pending: Changes | undefined;
  readonly editing: readonly Presence[];
  readonly conflict: Conflict | undefined;
  readonly update: (changes: Changes) => void;
  readonly move: (phase: string, above?: string | null, below?: string | null) => void;
  readonly remove: () => void;
}

/** One card, and the actions on it. */
export function useOpportunity(store: BoardStore, id: string): OpportunityHandle {
  const opportunity = useValue(store.subscribe, () => store.getState().opportunities.get(id));
  const pending = useValue(store.subscribe, () => store.getState().pendingChanges.get(id));
  const conflict = useValue(store.subscribe, () => store.getState().conflicts.get(id));
  const editing = usePresence(store, id);
  const actions = useMemo(
    () => ({
      update: (changes: Changes) => void store.update(id, changes),
      move: (phase: string, above?: string | null, below?: string | null) => void store.move(id, phase, above, below),
      remove: () => void store.remove(id),
    }),
    [store, id],
  );
  return useMemo(() => ({ opportunity, pending, editing, conflict, ...actions }), [opportunity, pending, editing, conflict, actions]);
}

export interface WebSocketHandle {
  readonly isConnected: boolean;
  readonly lastMessage: Message | null;
  /** Start, or start again after a stop. From then on it reconnects by itself. */
  readonly connect: () => Promise<void>;
  readonly sendMessage: (message: ClientMessage) => void;
}

/** The hook of the original design: messages as they arrive. For a board, prefer a BoardStore. */
export function useWebSocket(options: FeedOptions & { readonly board: string }): WebSocketHandle {
  const [feed] = useState(() => new Feed(options));
  const board = useRef(options.board);
  board.current = options.board;
  const isConnected = useFeed(feed).state === "live";
  const last = useRef<Message | null>(null);
  const subscribe = useCallback(
    (changed: () => void) => {
      const end = feed.onDelivery(({ messages }) => {
        last.current = messages.at(-1) ?? last.current;
        changed();
      });
      return () => {
        end();
        feed.stop();
      };
    },
    [feed],
  );
  const lastMessage = useValue(subscribe, () => last.current);
  const connect = useCallback(async () => {
    const from = `/api/boards/${encodeURIComponent(board.current)}`;
    const snapshot = (await feed.http.request("GET", from)).body as Snapshot;
    await feed.follow(snapshot.cursor, board.current);
  }, [feed]);
  const sendMessage = useCallback((message: ClientMessage) => feed.send(message), [feed]);
  return { isConnected, lastMessage, connect, sendMessage };
}
