import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Http } from "../src/http.js";
import { Inbox } from "../src/inbox.js";
import { Listeners } from "../src/listeners.js";
import { Model } from "../src/model.js";
import { Outbox } from "../src/outbox.js";
import { Outcomes } from "../src/outcomes.js";
import { blank, type Write } from "../src/pending.js";
import type { SaveResult } from "../src/state.js";
import type { Delivery, Message } from "../src/types.js";
import { WriteQueue } from "../src/writeQueue.js";

const uncaught = vi.fn();
beforeEach(() => {
  uncaught.mockReset();
  vi.stubGlobal("reportError", uncaught);
});
afterEach(() => vi.unstubAllGlobals());

const bug = new Error("a bug of the application");
const failing = (): never => {
  throw bug;
};

test("a listener that throws is reported, and the others are called", () => {
  const listeners = new Listeners<number>();
  const values: number[] = [];
  listeners.add(failing);
  listeners.add((value) => values.push(value));
  listeners.call(1);
  listeners.call(2);
  expect(values).toEqual([1, 2]);
  expect(uncaught.mock.calls).toEqual([[bug], [bug]]);
});

test("without reportError, it is thrown uncaught", () => {
  vi.useFakeTimers();
  vi.stubGlobal("reportError", undefined);
  const listeners = new Listeners<number>();
  listeners.add(failing);
  listeners.call(1);
  expect(() => vi.runAllTimers()).toThrow(bug);
  vi.useRealTimers();
});

test("outcomes reach all listeners and all waiting callers", async () => {
  const outcomes = new Outcomes();
  const results: [string, SaveResult][] = [];
  outcomes.listen(failing);
  outcomes.listen((...result) => results.push(result));
  const first = outcomes.first("m1");
  outcomes.report("m1", "saved");
  expect(await first).toBe("saved");
  expect(results).toEqual([["m1", "saved"]]);
});

const deleted = (seq: number, cursor: string): Message => ({ type: "opportunity_deleted", opportunityId: `o${seq}`, boardId: "b1", userId: "ana", timestamp: "", version: 2, seq, xid: "1", origin: null, cursor });

/** An inbox whose deliveries fail as long as `fails` says so. */
function fragile(fails: (delivery: Delivery) => boolean): { box: Inbox; delivered: Message["type"][] } {
  const delivered: Message["type"][] = [];
  const box = new Inbox("c0", (delivery) => {
    if (fails(delivery)) failing();
    delivered.push(...delivery.messages.map(({ type }) => type));
  });
  return { box, delivered };
}

test("a reset takes the place of a delivery that fails, and the cursor moves with it", () => {
  const { box, delivered } = fragile(({ messages }) => messages.some((message) => "opportunityId" in message && message.opportunityId === "o1"));
  const receive = box.open();
  receive(deleted(1, "c1"));
  expect(delivered).toEqual(["reset"]);
  expect(box.cursor).toBe("c1");
  receive(deleted(2, "c2"));
  expect(delivered).toEqual(["reset", "opportunity_deleted"]);
  expect(box.cursor).toBe("c2");
  expect(uncaught.mock.calls).toEqual([[bug]]);
});

test("the cursor does not move past what cannot be delivered, and the next stream repeats it", () => {
  let broken = true;
  const { box, delivered } = fragile(() => broken);
  const receive = box.open();
  expect(() => receive(deleted(1, "c1"))).toThrow(bug);
  broken = false;
  receive(deleted(2, "c2"));
  expect(delivered).toEqual([]);
  expect(box.cursor).toBe("c0");
  const next = box.open();
  next(deleted(1, "c1"));
  next(deleted(2, "c2"));
  expect(delivered).toEqual(["opportunity_deleted", "opportunity_deleted"]);
  expect(box.cursor).toBe("c2");
});

test("a state that polling fetched is covered too", () => {
  let broken = true;
  const { box, delivered } = fragile(() => broken);
  const state = { type: "state", opportunities: [], deletedIds: ["o1"], at: "c1" } as const;
  expect(() => box.advance([state], "c1")).toThrow(bug);
  expect(box.cursor).toBe("c0");
  broken = false;
  box.advance([state], "c1");
  expect(delivered).toEqual(["state"]);
});

test("presence that cannot be delivered stops nothing", () => {
  const { box, delivered } = fragile(({ cursor }) => cursor === null);
  const receive = box.open();
  receive({ type: "presence_state", boardId: "b1", presence: [] });
  receive(deleted(1, "c1"));
  expect(delivered).toEqual(["opportunity_deleted"]);
  expect(uncaught.mock.calls).toEqual([[bug]]);
});

const create = (id: string): Write => ({ kind: "create", mutation: `m-${id}`, id, tries: 0, serverErrors: 0, card: { ...blank(id), board_id: "b1" } });

function queue(report: (write: Write) => void): { queue: WriteQueue; sent: string[] } {
  const sent: string[] = [];
  const fetch = (_: string, init?: RequestInit): Promise<Response> => {
    const card = JSON.parse(String(init?.body)) as { id: string };
    sent.push(card.id);
    return Promise.resolve(Response.json({ ...blank(card.id), board_id: "b1", version_number: 1 }, { status: 201 }));
  };
  const made: WriteQueue = new WriteQueue(new Http({ fetch }), new Model("b1", () => made), new Outbox(undefined, "ana", "b1"), report);
  made.start();
  return { queue: made, sent };
}

test("exceptions in every report stop no later write", async () => {
  const { queue: writes, sent } = queue(failing);
  for (const id of ["o1", "o2", "o3", "o4", "o5", "o6"]) writes.push(create(id));
  vi.useFakeTimers();
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  writes.wake();
  await vi.waitFor(() => expect(new Set(sent)).toEqual(new Set(["o1", "o2", "o3", "o4", "o5", "o6"])));
  await vi.waitFor(() => expect(writes.queues.size).toBe(0));
  expect(uncaught).toHaveBeenCalledWith(bug);
  writes.stop();
});
