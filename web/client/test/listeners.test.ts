import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Http } from "../src/http.js";
import { Inbox } from "../src/inbox.js";
import { Listeners } from "../src/listeners.js";
import { Model } from "../src/model.js";
import { Outbox } from "../src/outbox.js";
import { Outcomes } from "../src/outcomes.js";
import { blank, type Write } from "../src/pending.js";
import type { SaveResult } from "../src/state.js";
import type { Delivery } from "../src/types.js";
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

test("the cursor moves only when a batch was delivered", () => {
  const delivered: Delivery[] = [];
  let fails = true;
  const box: Inbox = new Inbox("c0", (delivery) => {
    expect(box.cursor).toBe("c0");
    if (fails) failing();
    delivered.push(delivery);
  });
  const receive = box.open();
  const event = { type: "opportunity_deleted", opportunityId: "o1", boardId: "b1", userId: "ana", timestamp: "", version: 2, seq: 1, xid: "1", origin: null } as const;
  expect(() => receive({ ...event, cursor: "c1" })).toThrow(bug);
  expect(box.cursor).toBe("c0");
  fails = false;
  box.open()({ ...event, cursor: "c1" });
  expect(delivered).toHaveLength(1);
  expect(box.cursor).toBe("c1");
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
