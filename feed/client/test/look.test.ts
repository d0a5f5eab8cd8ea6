import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Backoff } from "../src/backoff.js";
import { Http } from "../src/http.js";
import { Look } from "../src/look.js";
import { TIMING } from "../src/timing.js";
import type { Realtime } from "../src/types.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A look at a service that answers what the test says, after so many ms, and fails where it says nothing. */
function looking(answer: (known: string) => { realtime: Realtime; after: number } | null): { look: Look; asked: number[]; told: Realtime[] } {
  const asked: number[] = [];
  const told: Realtime[] = [];
  const fetch = async (url: string): Promise<Response> => {
    asked.push(performance.now());
    const known = new URL(url, "http://x").searchParams.get("known") ?? "";
    const said = answer(known);
    if (!said) throw new TypeError("no network");
    await new Promise((resolve) => setTimeout(resolve, said.after));
    return Response.json({ realtime: said.realtime });
  };
  const look = new Look(new Http({ fetch }), new Backoff(TIMING.round, TIMING.look), (realtime) => told.push(realtime));
  return { look, asked, told };
}

test("a held answer that tells nothing new is asked for again at once", async () => {
  const { look, asked, told } = looking(() => ({ realtime: "off", after: 15_000 }));
  look.know("off");
  await vi.advanceTimersByTimeAsync(60_000);
  expect([asked.length, told]).toEqual([4, []]);
  look.close();
});

test("a change is told, and from then on it is what is known", async () => {
  let now: Realtime = "poll";
  const { look, told } = looking((known) => ({ realtime: now, after: known === now ? 15_000 : 5 }));
  look.know("off");
  await vi.advanceTimersByTimeAsync(600);
  expect(told).toEqual(["poll"]);
  now = "sse";
  await vi.advanceTimersByTimeAsync(16_000);
  expect(told).toEqual(["poll", "sse"]);
  look.close();
});

test("where nobody holds the question, or nobody answers, it is asked less and less often", async () => {
  for (const answer of [{ realtime: "off" as const, after: 1 }, null]) {
    const { look, asked } = looking(() => answer);
    look.know("off");
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.length).toBeLessThan(40);
    look.close();
  }
});

test("where instances disagree, no question is the next one's reason", async () => {
  let turn = 0;
  const { look, asked } = looking(() => ({ realtime: turn++ % 2 ? "poll" : "websocket", after: 1 }));
  look.know("poll");
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.length).toBeLessThan(40);
  look.close();
});

test("who is told to come and is sent away each time looks less and less often", async () => {
  const waits = new Backoff(TIMING.round, TIMING.look);
  let asked = 0;
  const http = new Http({ fetch: async () => (asked++, Response.json({ realtime: "websocket" })) });
  const begin = (): void => {
    const look: Look = new Look(http, waits, () => {
      look.close();
      begin(); // the feed does not know of it yet
    });
    look.know("off");
  };
  begin();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toBeGreaterThan(10);
  expect(asked).toBeLessThan(40);
});

test("what has been closed asks and tells nothing more", async () => {
  const { look, asked, told } = looking(() => ({ realtime: "sse", after: 1000 }));
  look.know("off");
  await vi.advanceTimersByTimeAsync(510);
  look.close();
  await vi.advanceTimersByTimeAsync(60_000);
  look.know("poll");
  await vi.advanceTimersByTimeAsync(60_000);
  expect([asked.length, told]).toEqual([1, []]);
});
