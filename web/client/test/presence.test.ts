import { expect, test } from "vitest";
import { boardPresence, NOBODY } from "../src/boardPresence.js";
import { reducePresence } from "../src/presence.js";
import type { PresenceMap, Message, Presence } from "../src/types.js";

const at = "2026-11-24T00:00:00.000Z";
const one = (opportunityId: string | null, userId: string, action: Presence["action"] = "editing", boardId = "b1"): Presence => ({
  opportunityId,
  boardId,
  userId,
  userName: userId,
  action,
  since: at,
});
const viewing = (userId: string, boardId = "b1"): Presence => one(null, userId, "viewing", boardId);
const after = (...messages: Message[]): PresenceMap => messages.reduce(reducePresence, new Map());
const users = (map: PresenceMap): Record<string, string[]> =>
  Object.fromEntries([...map].map(([id, list]) => [id, list.map(({ userId, action }) => `${userId} ${action}`)]));
const editing = (opportunityId: string, userId: string): Message => ({
  type: "user_editing",
  opportunityId,
  boardId: "b1",
  userId,
  userName: userId,
  timestamp: at,
  baseVersion: 3,
});

test("all presence is replaced, then that of one opportunity", () => {
  const map = after(
    { type: "presence_state", presence: [one("o1", "ana"), one("o1", "bruno", "viewing"), one("o2", "ana", "viewing")] },
    { type: "presence_state", boardId: "b1", opportunityId: "o1", presence: [one("o1", "bruno", "viewing")] },
  );
  expect(users(map)).toEqual({ o1: ["bruno viewing"], o2: ["ana viewing"] });
});

test("a user who starts to edit no longer views; a user who stops is gone", () => {
  const started = after({ type: "presence_state", presence: [one("o1", "ana", "viewing")] }, editing("o1", "ana"), editing("o1", "bruno"));
  expect(users(started)).toEqual({ o1: ["ana editing", "bruno editing"] });
  expect(started.get("o1")?.[0]?.baseVersion).toBe(3);
  const stopped = reducePresence(started, { type: "user_stopped_editing", opportunityId: "o1", userId: "ana", timestamp: at });
  expect(users(stopped)).toEqual({ o1: ["bruno editing"] });
});

test("the state of one board does not change others, and a revoked board has no presence", () => {
  const map = after({ type: "presence_state", presence: [one("o1", "ana"), one("o9", "ana", "editing", "b2")] });
  const polled = reducePresence(map, { type: "presence_state", boardId: "b1", presence: [one("o2", "bruno")] });
  expect(users(polled)).toEqual({ o9: ["ana editing"], o2: ["bruno editing"] });
  expect(users(reducePresence(polled, { type: "board_revoked", boardId: "b2" }))).toEqual({ o2: ["bruno editing"] });
});

test("a message without changes returns the same map, and unchanged lists keep their identity", () => {
  const map = after({ type: "presence_state", presence: [one("o1", "ana"), one("o2", "bruno")] });
  expect(reducePresence(map, { type: "presence_state", presence: [one("o1", "ana"), one("o2", "bruno")] })).toBe(map);
  expect(reducePresence(map, { type: "reset", reason: "foreign", cursor: "c" })).toBe(map);
  expect(reducePresence(map, editing("o1", "carla")).get("o2")).toBe(map.get("o2"));
});

test("users who view a board are under null, and each board is replaced by itself", () => {
  const map = after(
    { type: "presence_state", presence: [one("o1", "ana"), viewing("bruno"), viewing("carla", "b2")] },
    { type: "presence_state", boardId: "b1", opportunityId: null, presence: [viewing("diego")] },
  );
  expect(map.get(null)).toEqual([viewing("carla", "b2"), viewing("diego")]);
  expect(map.get("o1")).toEqual([one("o1", "ana")]);
  const gone = reducePresence(map, { type: "presence_state", boardId: "b1", opportunityId: null, presence: [] });
  expect(gone.get(null)).toEqual([viewing("carla", "b2")]);
  expect(reducePresence(gone, { type: "presence_state", boardId: "b1", opportunityId: null, presence: [] })).toBe(gone);
});

test("a polled board has its own viewers, and a revoked one none", () => {
  const map = after({ type: "presence_state", presence: [viewing("ana"), viewing("bruno", "b2"), one("o1", "ana")] });
  const polled = reducePresence(map, { type: "presence_state", boardId: "b1", presence: [viewing("carla"), viewing("diego")] });
  expect(users(polled)).toEqual({ null: ["bruno viewing", "carla viewing", "diego viewing"] });
  const revoked = reducePresence(polled, { type: "board_revoked", boardId: "b2" });
  expect(revoked.get(null)).toEqual([viewing("carla"), viewing("diego")]);
  expect(users(reducePresence(revoked, { type: "board_revoked", boardId: "b1" }))).toEqual({});
});

test("present users view the board or have one of its cards open, once each", () => {
  const all = [viewing("self"), viewing("bruno"), one("o1", "bruno"), viewing("ana"), viewing("carla", "b2"), one("o2", "diego", "viewing")];
  const seen = boardPresence(all, "b1", "self", NOBODY);
  expect(seen.presentUsers.map(({ userId, action }) => `${userId} ${action}`)).toEqual(["ana viewing", "bruno editing", "diego viewing"]);
  expect([...seen.editingUsers]).toEqual([["o1", [one("o1", "bruno")]]]);
  expect(boardPresence(all, "b1", "self", seen)).toBe(seen);
});
