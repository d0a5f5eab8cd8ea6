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
const eventInTransaction = (seq: number, xid: number, cursor?: string): Message => ({ ...event(seq, cursor), xid: String(xid) }) as Message;
const heartbeat = (cursor?: string): Incoming => ({ type: "heartbeat", ...(cursor === undefined ? {} : { cursor }) });

function inbox(cursor: string | null = "c0"): { box: Inbox; delivered: Delivery[]; seqs: () => number[][] } {
  const delivered: Delivery[] = [];
  const box = new Inbox(cursor, (delivery) => delivered.push(delivery));
  return { box, delivered, seqs: () => delivered.map(({ messages }) => messages.map((message) => ("seq" in message ? (message.seq ?? 0) : 0))) };
}

test("events are held until the cursor of their batch, and delivered together", () => {
  const { box, delivered, seqs } = inbox();
  const receive = box.open();
  receive(event(1));
  receive(event(2));
  expect(delivered).toEqual([]);
  expect(box.cursor).toBe("c0");
  receive(event(3, "c1"));
  expect(seqs()).toEqual([[1, 2, 3]]);
  expect(box.cursor).toBe("c1");
});

test("a batch in parts ends with the part or the heartbeat that has the cursor", () => {
  const { box, seqs } = inbox();
  const receive = box.open();
  receive({ type: "batch", events: [event(1), event(2)] });
  receive({ type: "batch", events: [event(3)], cursor: "c1" });
  receive({ type: "batch", events: [event(4)] });
  receive(heartbeat("c2"));
  expect(seqs()).toEqual([[1, 2, 3], [4]]);
  expect(box.cursor).toBe("c2");
});

test("a batch that was cut off is delivered once, when it is sent again", () => {
  const { box, seqs } = inbox();
  const first = box.open();
  first(event(1, "c1"));
  first(event(2));
  const second = box.open();
  second(event(2));
  second(event(3, "c2"));
  expect(seqs()).toEqual([[1], [2, 3]]);
});

test("batches that a new stream repeats are not delivered again", () => {
  const { box, delivered, seqs } = inbox();
  const lower = box.open();
  const upper = box.open();
  lower(event(1, "c1"));
  lower(event(2, "c2"));
  upper({ type: "batch", events: [event(1)], cursor: "c1" });
  upper({ type: "batch", events: [event(2), event(3)], cursor: "c3" });
  expect(seqs().flat()).toEqual([1, 2, 3]);
  expect(delivered.at(-1)?.cursor).toBe("c3");
});

test("a new cursor without events is delivered once", () => {
  const { box, delivered } = inbox();
  const receive = box.open();
  receive(heartbeat("c1"));
  receive(heartbeat("c1"));
  receive(heartbeat());
  expect(delivered).toEqual([{ messages: [], cursor: "c1" }]);
});

test("presence and errors are delivered at once and do not move the cursor", () => {
  const { box, delivered } = inbox();
  const receive = box.open();
  receive(event(1));
  receive({ type: "presence_state", presence: [] });
  receive({ type: "error", code: "unknown_board", message: "" });
  expect(delivered.map(({ messages, cursor }) => [messages[0]?.type, cursor])).toEqual([
    ["presence_state", null],
    ["error", null],
  ]);
});

test("a change of permissions is held like an event, until a cursor covers it", () => {
  const { box, delivered } = inbox();
  const receive = box.open();
  receive(event(1));
  receive({ type: "board_granted", boardId: "b2", role: "viewer" });
  receive(event(2, "c1"));
  expect(delivered[0]?.messages.map((message) => message.type)).toEqual(["opportunity_updated", "board_granted", "opportunity_updated"]);
  receive({ type: "board_revoked", boardId: "b2" });
  expect(delivered).toHaveLength(1);
  receive(heartbeat("c2"));
  expect(delivered[1]).toEqual({ messages: [{ type: "board_revoked", boardId: "b2" }], cursor: "c2" });
});

test("a change of permissions that was not covered when the stream was cut is delivered once", () => {
  const { box, delivered } = inbox();
  box.open()({ type: "board_granted", boardId: "b2", role: "viewer" });
  const again = box.open();
  again({ type: "board_granted", boardId: "b2", role: "viewer" });
  again(heartbeat("c1"));
  expect(delivered.map(({ messages }) => messages.map(({ type }) => type))).toEqual([["board_granted"]]);
});

test("a checkpoint ends a batch, like any message with a cursor", () => {
  const { box, delivered } = inbox(cursorAt(10));
  const receive = box.open();
  receive({ type: "batch", events: [eventInTransaction(1, 10)] });
  receive({ type: "checkpoint", boardId: "b1", count: 0, hash: "00000000", cursor: cursorAt(11) });
  expect(delivered.map(({ messages }) => messages.map(({ type }) => type))).toEqual([["opportunity_updated", "checkpoint"]]);
  expect(box.cursor).toBe(cursorAt(11));
});

test("a stream that is behind does not move the cursor back", () => {
  const { box, delivered } = inbox(cursorAt(10));
  const lower = box.open();
  const upper = box.open();
  lower(eventInTransaction(1, 10, cursorAt(11)));
  lower(eventInTransaction(2, 11, cursorAt(12)));
  upper(eventInTransaction(1, 10, cursorAt(11)));
  upper(heartbeat(cursorAt(11)));
  expect(box.cursor).toBe(cursorAt(12));
  expect(delivered.map(({ cursor }) => cursor)).toEqual([cursorAt(11), cursorAt(12)]);
});

test("a stream that replaces polling does not repeat what the states contained", () => {
  const { box, seqs } = inbox(cursorAt(10));
  const stream = box.open();
  box.advance([{ type: "state", opportunities: [], deletedIds: ["o1"], at: cursorAt(12) }], cursorAt(12));
  stream(eventInTransaction(1, 10));
  stream(eventInTransaction(2, 11, cursorAt(12)));
  stream(eventInTransaction(3, 12, cursorAt(13)));
  expect(seqs()).toEqual([[0], [3]]);
});

test("after a reset, sequence numbers may be repeated", () => {
  const { box, seqs } = inbox();
  const receive = box.open();
  receive(event(1, "c1"));
  receive(event(2));
  receive({ type: "reset", reason: "diverged", cursor: "d0" });
  receive(event(1, "d1"));
  expect(seqs()).toEqual([[1], [0], [1]]);
  expect(box.cursor).toBe("d1");
});

test("the cursor of auth_success is used only if the stream started without one", () => {
  const success = { type: "auth_success", boards: [], cursor: "c9" } as const;
  const { box } = inbox(null);
  box.open()({ ...success, resume: "live" });
  expect(box.cursor).toBe("c9");
  const renewed = inbox("c1").box;
  renewed.open()({ ...success, resume: "live" });
  expect(renewed.cursor).toBe("c1");
  renewed.open()({ type: "auth_success", boards: [], resume: "live" });
  renewed.open()({ type: "auth_success", boards: [], resume: "reset" });
  expect(renewed.cursor).toBe("c1");
});

test("a long stream forgets old events, but none of an unfinished batch", () => {
  const { box, seqs } = inbox();
  const receive = box.open();
  for (let seq = 1; seq <= 12_000; seq++) receive(event(seq, `c${seq}`));
  receive(event(1, "again"));
  receive(event(12_000, "again 2"));
  expect(seqs().flat().filter((seq) => seq === 1)).toHaveLength(2);
  expect(seqs().flat().filter((seq) => seq === 12_000)).toHaveLength(1);
});
