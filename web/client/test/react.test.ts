import { createElement, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { Http } from "../src/http.js";
import { blank } from "../src/pending.js";
import { useBoard, useFeed, useOpportunity, usePresence, useWebSocket } from "../src/react.js";
import { BoardStore } from "../src/store.js";
import type { ClientMessage, FeedStatus, Presence, Snapshot, Source } from "../src/types.js";

const STATUS: FeedStatus = { state: "live", transport: "sse", behind: false, latency: null, interval: null, realtime: "websocket", leader: true, problem: null };
const BRUNO: Presence = { opportunityId: "o1", boardId: "b1", userId: "bruno", userName: "Bruno", action: "editing", since: "" };
const SNAPSHOT: Snapshot = {
  board: { id: "b1", name: "One", phases: [{ id: "new", name: "New" }], currency: "BRL", archived: false, version: 1, closeReasons: [], staleDays: 14 },
  role: "editor",
  members: [],
  opportunities: [{ ...blank("o1"), board_id: "b1", title: "First", phase: "new", position: "a0", version_number: 1 }],
  presence: [BRUNO, { ...BRUNO, userId: "ana" }],
  cursor: "c",
};
const source: Source = {
  status: STATUS,
  cursor: "c",
  presence: new Map(),
  onDelivery: () => () => undefined,
  onStatus: () => () => undefined,
  onPresence: () => () => undefined,
  follow: () => Promise.resolve(),
  send: () => undefined,
  stop: () => undefined,
};

async function startStore(from: Source = source): Promise<BoardStore> {
  const unreachable = (): Promise<never> => Promise.reject(new TypeError("unreachable"));
  const store = new BoardStore({ source: from, http: new Http({ fetch: unreachable }), board: "b1", userId: "ana" });
  await store.start(SNAPSHOT);
  return store;
}

/** Render a component with this hook, and return the hook's value. */
function renderHook(use: () => unknown): unknown {
  const Probe = (): ReactNode => JSON.stringify(use() ?? null);
  return JSON.parse(renderToStaticMarkup(createElement(Probe)).replaceAll("&quot;", '"')) as unknown;
}

test("hooks return the board, its presence, and its connection", async () => {
  const store = await startStore();
  expect(renderHook(() => useFeed(source).transport)).toBe("sse");
  expect(renderHook(() => useBoard(store).status)).toBe("ready");
  expect(renderHook(() => usePresence(store).map(({ userId }) => userId))).toEqual(["bruno"]);
  expect(renderHook(() => usePresence(store, "o1").map(({ userId }) => userId))).toEqual(["bruno"]);
  expect(renderHook(() => usePresence(store, "o2"))).toEqual([]);
  store.stop();
});

test("a card comes with its pending changes and the users who edit it", async () => {
  const store = await startStore();
  store.update("o1", { title: "Mine" });
  const { opportunity, pending, editing } = renderHook(() => useOpportunity(store, "o1")) as Record<string, unknown>;
  expect(opportunity).toMatchObject({ title: "Mine" });
  expect(pending).toEqual({ title: "Mine" });
  expect(editing).toEqual([BRUNO]);
  store.stop();
});

test("useWebSocket has the shape of the original design", () => {
  const hook = renderHook(() => {
    const { isConnected, lastMessage, connect, sendMessage } = useWebSocket({ board: "b1" });
    return { isConnected, lastMessage, functions: [typeof connect, typeof sendMessage] };
  });
  expect(hook).toEqual({ isConnected: false, lastMessage: null, functions: ["function", "function"] });
});

test("the state is the same object while nothing changes", async () => {
  const store = await startStore();
  const before = store.getState();
  store.update("o1", { title: "First" });
  expect(store.getState()).toBe(before);
  store.update("o1", { value: 3 });
  const after = store.getState();
  expect(after).not.toBe(before);
  expect([after.members, after.presentUsers, after.editingUsers, after.conflicts]).toEqual([before.members, before.presentUsers, before.editingUsers, before.conflicts]);
  expect(after.editingUsers).toBe(before.editingUsers);
  expect(after.conflicts).toBe(before.conflicts);
  store.stop();
});

test("a store sends its user's presence: the board, a card, the board again, nowhere", async () => {
  const sent: ClientMessage[] = [];
  const store = await startStore({ ...source, send: (message) => void sent.push(message) });
  const viewed = (): unknown[] =>
    sent.splice(0).flatMap((message) => (message.type === "viewing" ? [[message.opportunityId, message.boardId]] : []));
  expect(viewed()).toEqual([[null, "b1"]]);
  const editor = store.openEditor("o1");
  expect(viewed()).toEqual([["o1", undefined]]);
  const again = store.openEditor("o1");
  editor?.close();
  expect(viewed().at(-1)).toEqual(["o1", "b1"]);
  again?.close();
  expect(viewed()).toEqual([[null, "b1"]]);
  store.openEditor("o1");
  store.stop();
  expect(viewed()).toEqual([["o1", undefined], [null, null]]);
});
