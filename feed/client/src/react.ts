/** The feed and the board in React 18 and later. Each hook renders again only when what it gives has changed. */

import { useCallback, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Feed, type FeedOptions } from "./feed.js";
import type { BoardState, Conflict } from "./state.js";
import type { BoardStore } from "./store.js";
import type { Changes, ClientMessage, FeedStatus, Message, Opportunity, Presence, Snapshot, Source } from "./types.js";

/** A value that is the same object until it changes; a page that is made on a server shows it as it is then. */
function useValue<T>(subscribe: (changed: () => void) => () => void, get: () => T): T {
  return useSyncExternalStore(subscribe, get, get);
}

/** How the connection is. */
export function useFeed(source: Source): FeedStatus {
  const subscribe = useCallback((changed: () => void) => source.onStatus(changed), [source]);
  return useValue(subscribe, () => source.status);
}

/** All of a board. */
export function useBoard(store: BoardStore): BoardState {
  return useValue(store.subscribe, store.getState);
}

const NOBODY: readonly Presence[] = [];

/** Who else is on the board, or (with a card) who else edits it. */
export function usePresence(store: BoardStore, opportunityId?: string): readonly Presence[] {
  return useValue(store.subscribe, () => {
    const { here, editingUsers } = store.getState();
    return opportunityId === undefined ? here : (editingUsers.get(opportunityId) ?? NOBODY);
  });
}

export interface OpportunityHandle {
  readonly opportunity: Opportunity | undefined;
  /** What of it is not confirmed yet. */
  readonly pending: Changes | undefined;
  readonly editing: readonly Presence[];
  readonly conflict: Conflict | undefined;
  readonly update: (changes: Changes) => void;
  readonly move: (phase: string, above?: string | null, below?: string | null) => void;
  readonly remove: () => void;
}

/** One card, and what can be done with it. */
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
  /** Begin, or begin again after a stop; goes on by itself from then on. */
  readonly connect: () => Promise<void>;
  readonly sendMessage: (message: ClientMessage) => void;
}

/** The shape that the original design gave to its hook: messages as they come. A board is better served by a BoardStore. */
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
