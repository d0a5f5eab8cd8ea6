import { expect, test } from "vitest";
import { Inbox, type Incoming } from "../src/inbox.js";
import type { Delivery, Message } from "../src/types.js";

const event = (seq: number, cursor?: string): Message => ({
  type: "opportunity_updated",
  opportunityId: `o${seq}`,
  changes: {},
  boardId: "b1",
  userId: "ana",
  timestamp: "2026-11-24T00:00:00.000Z",
  version: seq,
  seq,
  xid: "1",
  origin: null,
  ...(cursor === undefined ? {} : { cursor }),
});
const heartbeat = (cursor?: string): Incoming => ({ type: "heartbeat", ...(cursor === undefined ? {} : { cursor }) });

function inbox(cursor: string | null = "c0"): { box: Inbox; told: Delivery[]; seqs: () => number[][] } {
  const told: Delivery[] = [];
  const box = new Inbox(cursor, (delivery) => told.push(delivery));
  return { box, told, seqs: () => told.map(({ messages }) => messages.map((message) => ("seq" in message ? (message.seq ?? 0) : 0))) };
}

test("events are held until their batch's cursor, and delivered at once", () => {
  const { box, told, seqs } = inbox();
  const take = box.open();
  take(event(1));
  take(event(2));
  expect(told).toEqual([]);
  expect(box.cursor).toBe("c0");
  take(event(3, "c1"));
  expect(seqs()).toEqual([[1, 2, 3]]);
  expect(box.cursor).toBe("c1");
});

test("a batch in parts ends with the part that has the cursor, or a heartbeat that brings it", () => {
  const { box, seqs } = inbox();
  const take = box.open();
  take({ type: "batch", events: [event(1), event(2)] });
  take({ type: "batch", events: [event(3)], cursor: "c1" });
  take({ type: "batch", events: [event(4)] });
  take(heartbeat("c2"));
  expect(seqs()).toEqual([[1, 2, 3], [4]]);
  expect(box.cursor).toBe("c2");
});

test("what was cut inside a batch is told once, when it is sent again", () => {
  const { box, seqs } = inbox();
  const first = box.open();
  first(event(1, "c1"));
  first(event(2));
  const second = box.open();
  second(event(2));
  second(event(3, "c2"));
  expect(seqs()).toEqual([[1], [2, 3]]);
});

test("a stream that takes over repeats several batches, and none of it is told again", () => {
  const { box, told, seqs } = inbox();
  const lower = box.open();
  const upper = box.open();
  lower(event(1, "c1"));
  lower(event(2, "c2"));
  upper({ type: "batch", events: [event(1)], cursor: "c1" });
  upper({ type: "batch", events: [event(2), event(3)], cursor: "c3" });
  expect(seqs().flat()).toEqual([1, 2, 3]);
  expect(told.at(-1)?.cursor).toBe("c3");
});

test("a fresh cursor without events moves the position and says nothing twice", () => {
  const { box, told } = inbox();
  const take = box.open();
  take(heartbeat("c1"));
  take(heartbeat("c1"));
  take(heartbeat());
  expect(told).toEqual([{ messages: [], cursor: "c1" }]);
});

test("presence and errors do not wait and do not move the position", () => {
  const { box, told } = inbox();
  const take = box.open();
  take(event(1));
  take({ type: "presence_state", presence: [] });
  take({ type: "error", code: "unknown_board", message: "" });
  expect(told.map(({ messages, cursor }) => [messages[0]?.type, cursor])).toEqual([
    ["presence_state", null],
    ["error", null],
  ]);
});

test("a right that changes keeps its place among the events", () => {
  const { box, told } = inbox();
  const take = box.open();
  take(event(1));
  take({ type: "board_granted", boardId: "b2", role: "viewer" });
  take(event(2, "c1"));
  expect(told[0]?.messages.map((message) => message.type)).toEqual(["opportunity_updated", "board_granted", "opportunity_updated"]);
  take({ type: "board_revoked", boardId: "b2" });
  expect(told[1]).toEqual({ messages: [{ type: "board_revoked", boardId: "b2" }], cursor: null });
});

test("after a reset nothing that was seen counts: numbers may come again", () => {
  const { box, seqs } = inbox();
  const take = box.open();
  take(event(1, "c1"));
  take(event(2));
  take({ type: "reset", reason: "diverged", cursor: "d0" });
  take(event(1, "d1"));
  expect(seqs()).toEqual([[1], [0], [1]]);
  expect(box.cursor).toBe("d1");
});

test("the cursor of a greeting counts only where we had none", () => {
  const greeting = { type: "auth_success", boards: [], cursor: "c9" } as const;
  const { box } = inbox(null);
  box.open()({ ...greeting, resume: "live" });
  expect(box.cursor).toBe("c9");
  const renewed = inbox("c1").box;
  renewed.open()({ ...greeting, resume: "live" });
  expect(renewed.cursor).toBe("c1");
});

test("a long stream forgets what is far behind, but nothing of an unfinished batch", () => {
  const { box, seqs } = inbox();
  const take = box.open();
  for (let seq = 1; seq <= 12_000; seq++) take(event(seq, `c${seq}`));
  take(event(1, "again"));
  take(event(12_000, "again too"));
  expect(seqs().flat().filter((seq) => seq === 1)).toHaveLength(2);
  expect(seqs().flat().filter((seq) => seq === 12_000)).toHaveLength(1);
});
