import { expect, test } from "vitest";
import { NOBODY, people } from "../src/people.js";
import { reducePresence } from "../src/presence.js";
import type { Everybody, Message, Presence } from "../src/types.js";

const at = "2026-11-24T00:00:00.000Z";
const one = (opportunityId: string | null, userId: string, action: Presence["action"] = "editing", boardId = "b1"): Presence => ({
  opportunityId,
  boardId,
  userId,
  userName: userId,
  action,
  since: at,
});
const looks = (userId: string, boardId = "b1"): Presence => one(null, userId, "viewing", boardId);
const after = (...messages: Message[]): Everybody => messages.reduce(reducePresence, new Map());
const users = (map: Everybody): Record<string, string[]> =>
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

test("all of it, then one opportunity's", () => {
  const map = after(
    { type: "presence_state", presence: [one("o1", "ana"), one("o1", "bruno", "viewing"), one("o2", "ana", "viewing")] },
    { type: "presence_state", boardId: "b1", opportunityId: "o1", presence: [one("o1", "bruno", "viewing")] },
  );
  expect(users(map)).toEqual({ o1: ["bruno viewing"], o2: ["ana viewing"] });
});

test("who begins to edit replaces his own viewing; who stops is gone", () => {
  const begun = after({ type: "presence_state", presence: [one("o1", "ana", "viewing")] }, editing("o1", "ana"), editing("o1", "bruno"));
  expect(users(begun)).toEqual({ o1: ["ana editing", "bruno editing"] });
  expect(begun.get("o1")?.[0]?.baseVersion).toBe(3);
  const stopped = reducePresence(begun, { type: "user_stopped_editing", opportunityId: "o1", userId: "ana", timestamp: at });
  expect(users(stopped)).toEqual({ o1: ["bruno editing"] });
});

test("a board's state leaves the others' alone, and a board that is revoked has nobody", () => {
  const map = after({ type: "presence_state", presence: [one("o1", "ana"), one("o9", "ana", "editing", "b2")] });
  const polled = reducePresence(map, { type: "presence_state", boardId: "b1", presence: [one("o2", "bruno")] });
  expect(users(polled)).toEqual({ o9: ["ana editing"], o2: ["bruno editing"] });
  expect(users(reducePresence(polled, { type: "board_revoked", boardId: "b2" }))).toEqual({ o2: ["bruno editing"] });
});

test("what changes nothing keeps the map, and lists that did not change keep their identity", () => {
  const map = after({ type: "presence_state", presence: [one("o1", "ana"), one("o2", "bruno")] });
  expect(reducePresence(map, { type: "presence_state", presence: [one("o1", "ana"), one("o2", "bruno")] })).toBe(map);
  expect(reducePresence(map, { type: "reset", reason: "foreign", cursor: "c" })).toBe(map);
  expect(reducePresence(map, editing("o1", "carla")).get("o2")).toBe(map.get("o2"));
});

test("who looks at a board is under null, and each board's are replaced alone", () => {
  const map = after(
    { type: "presence_state", presence: [one("o1", "ana"), looks("bruno"), looks("carla", "b2")] },
    { type: "presence_state", boardId: "b1", opportunityId: null, presence: [looks("diego")] },
  );
  expect(map.get(null)).toEqual([looks("carla", "b2"), looks("diego")]);
  expect(map.get("o1")).toEqual([one("o1", "ana")]);
  const gone = reducePresence(map, { type: "presence_state", boardId: "b1", opportunityId: null, presence: [] });
  expect(gone.get(null)).toEqual([looks("carla", "b2")]);
  expect(reducePresence(gone, { type: "presence_state", boardId: "b1", opportunityId: null, presence: [] })).toBe(gone);
});

test("a board that is polled has its own lookers, and one that is revoked none", () => {
  const map = after({ type: "presence_state", presence: [looks("ana"), looks("bruno", "b2"), one("o1", "ana")] });
  const polled = reducePresence(map, { type: "presence_state", boardId: "b1", presence: [looks("carla"), looks("diego")] });
  expect(users(polled)).toEqual({ null: ["bruno viewing", "carla viewing", "diego viewing"] });
  const revoked = reducePresence(polled, { type: "board_revoked", boardId: "b2" });
  expect(revoked.get(null)).toEqual([looks("carla"), looks("diego")]);
  expect(users(reducePresence(revoked, { type: "board_revoked", boardId: "b1" }))).toEqual({});
});

test("here is who looks at the board or has a card of it open, once each", () => {
  const all = [looks("self"), looks("bruno"), one("o1", "bruno"), looks("ana"), looks("carla", "b2"), one("o2", "diego", "viewing")];
  const seen = people(all, "b1", "self", NOBODY);
  expect(seen.here.map(({ userId, action }) => `${userId} ${action}`)).toEqual(["ana viewing", "bruno editing", "diego viewing"]);
  expect([...seen.editingUsers]).toEqual([["o1", [one("o1", "bruno")]]]);
  expect(people(all, "b1", "self", seen)).toBe(seen);
});
