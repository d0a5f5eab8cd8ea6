import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Backoff } from "../src/backoff.js";
import { Http } from "../src/http.js";
import { FlagWatcher } from "../src/flagWatcher.js";
import { TIMING } from "../src/timing.js";
import type { Realtime } from "../src/types.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watcher of a service that answers as the test says, after a delay in ms, or fails if `answer` is null. */
function watching(answer: (known: string) => { realtime: Realtime; after: number } | null): { watcher: FlagWatcher; asked: number[]; reported: Realtime[] } {
  const asked: number[] = [];
  const reported: Realtime[] = [];
  const fetch = async (url: string): Promise<Response> => {
    asked.push(performance.now());
    const known = new URL(url, "http://x").searchParams.get("known") ?? "";
    const response = answer(known);
    if (!response) throw new TypeError("no network");
    await new Promise((resolve) => setTimeout(resolve, response.after));
    return Response.json({ realtime: response.realtime });
  };
  const watcher = new FlagWatcher(new Http({ fetch }), new Backoff(TIMING.retry, TIMING.flagPollMax), (realtime) => reported.push(realtime));
  return { watcher, asked, reported };
}

test("a held request that brings nothing new is repeated at once", async () => {
  const { watcher, asked, reported } = watching(() => ({ realtime: "off", after: 15_000 }));
  watcher.setKnown("off");
  await vi.advanceTimersByTimeAsync(60_000);
  expect([asked.length, reported]).toEqual([4, []]);
  watcher.close();
});

test("a change is reported and becomes the known value", async () => {
  let now: Realtime = "poll";
  const { watcher, reported } = watching((known) => ({ realtime: now, after: known === now ? 15_000 : 5 }));
  watcher.setKnown("off");
  await vi.advanceTimersByTimeAsync(600);
  expect(reported).toEqual(["poll"]);
  now = "sse";
  await vi.advanceTimersByTimeAsync(16_000);
  expect(reported).toEqual(["poll", "sse"]);
  watcher.close();
});

test("if nobody holds the request, or nobody answers, it is repeated less and less often", async () => {
  for (const answer of [{ realtime: "off" as const, after: 1 }, null]) {
    const { watcher, asked } = watching(() => answer);
    watcher.setKnown("off");
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.length).toBeLessThan(40);
    watcher.close();
  }
});

test("if instances disagree, requests do not chase each other", async () => {
  let turn = 0;
  const { watcher, asked } = watching(() => ({ realtime: turn++ % 2 ? "poll" : "websocket", after: 1 }));
  watcher.setKnown("poll");
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.length).toBeLessThan(40);
  watcher.close();
});

test("a client that is invited and then rejected asks less and less often", async () => {
  const backoff = new Backoff(TIMING.retry, TIMING.flagPollMax);
  let asked = 0;
  const http = new Http({ fetch: async () => (asked++, Response.json({ realtime: "websocket" })) });
  const begin = (): void => {
    const watcher: FlagWatcher = new FlagWatcher(http, backoff, () => {
      watcher.close();
      begin(); // the feed does not know yet
    });
    watcher.setKnown("off");
  };
  begin();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(asked).toBeGreaterThan(10);
  expect(asked).toBeLessThan(40);
});

test("a closed watcher sends and reports nothing", async () => {
  const { watcher, asked, reported } = watching(() => ({ realtime: "sse", after: 1000 }));
  watcher.setKnown("off");
  await vi.advanceTimersByTimeAsync(510);
  watcher.close();
  await vi.advanceTimersByTimeAsync(60_000);
  watcher.setKnown("poll");
  await vi.advanceTimersByTimeAsync(60_000);
  expect([asked.length, reported]).toEqual([1, []]);
});
