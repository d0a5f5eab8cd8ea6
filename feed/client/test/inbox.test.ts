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
const cursorAt = (xmax: number): string => `feed.${xmax}.${xmax}..1.00000000`;
const written = (seq: number, xid: number, cursor?: string): Message => ({ ...event(seq, cursor), xid: String(xid) }) as Message;
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

test("a right that changes is held like an event, until a cursor covers it", () => {
  const { box, told } = inbox();
  const take = box.open();
  take(event(1));
  take({ type: "board_granted", boardId: "b2", role: "viewer" });
  take(event(2, "c1"));
  expect(told[0]?.messages.map((message) => message.type)).toEqual(["opportunity_updated", "board_granted", "opportunity_updated"]);
  take({ type: "board_revoked", boardId: "b2" });
  expect(told).toHaveLength(1);
  take(heartbeat("c2"));
  expect(told[1]).toEqual({ messages: [{ type: "board_revoked", boardId: "b2" }], cursor: "c2" });
});

test("a right that was not covered when the stream was cut is delivered once", () => {
  const { box, told } = inbox();
  box.open()({ type: "board_granted", boardId: "b2", role: "viewer" });
  const again = box.open();
  again({ type: "board_granted", boardId: "b2", role: "viewer" });
  again(heartbeat("c1"));
  expect(told.map(({ messages }) => messages.map(({ type }) => type))).toEqual([["board_granted"]]);
});

test("a checkpoint ends a batch as any message with a cursor does", () => {
  const { box, told } = inbox(cursorAt(10));
  const take = box.open();
  take({ type: "batch", events: [written(1, 10)] });
  take({ type: "checkpoint", boardId: "b1", count: 0, hash: "00000000", cursor: cursorAt(11) });
  expect(told.map(({ messages }) => messages.map(({ type }) => type))).toEqual([["opportunity_updated", "checkpoint"]]);
  expect(box.cursor).toBe(cursorAt(11));
});

test("a stream that is behind another one does not take the position back", () => {
  const { box, told } = inbox(cursorAt(10));
  const lower = box.open();
  const upper = box.open();
  lower(written(1, 10, cursorAt(11)));
  lower(written(2, 11, cursorAt(12)));
  upper(written(1, 10, cursorAt(11)));
  upper(heartbeat(cursorAt(11)));
  expect(box.cursor).toBe(cursorAt(12));
  expect(told.map(({ cursor }) => cursor)).toEqual([cursorAt(11), cursorAt(12)]);
});

test("a stream that takes over from polling does not tell what its states were made of", () => {
  const { box, seqs } = inbox(cursorAt(10));
  const stream = box.open();
  box.move([{ type: "state", opportunities: [], deletedIds: ["o1"], at: cursorAt(12) }], cursorAt(12));
  stream(written(1, 10));
  stream(written(2, 11, cursorAt(12)));
  stream(written(3, 12, cursorAt(13)));
  expect(seqs()).toEqual([[0], [3]]);
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

test("the cursor of auth_success counts only where a stream begins without one", () => {
  const greeting = { type: "auth_success", boards: [], cursor: "c9" } as const;
  const { box } = inbox(null);
  box.open()({ ...greeting, resume: "live" });
  expect(box.cursor).toBe("c9");
  const renewed = inbox("c1").box;
  renewed.open()({ ...greeting, resume: "live" });
  expect(renewed.cursor).toBe("c1");
  renewed.open()({ type: "auth_success", boards: [], resume: "live" });
  renewed.open()({ type: "auth_success", boards: [], resume: "reset" });
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
