import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Backoff } from "../src/backoff.js";
import { Http } from "../src/http.js";
import { FlagWatcher } from "../src/flagWatcher.js";
import { TIMING } from "../src/timing.js";
import type { Realtime } from "../src/types.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watcher of a fake service: `answer` returns the response and its delay in ms, or null for a failed request. */
function watch(answer: (known: string) => { realtime: Realtime; after: number } | null): { watcher: FlagWatcher; requests: number[]; reported: Realtime[] } {
  const requests: number[] = [];
  const reported: Realtime[] = [];
  const fetch = async (url: string): Promise<Response> => {
    requests.push(performance.now());
    const known = new URL(url, "http://x").searchParams.get("known") ?? "";
    const response = answer(known);
    if (!response) throw new TypeError("no network");
    await new Promise((resolve) => setTimeout(resolve, response.after));
    return Response.json({ realtime: response.realtime });
  };
  const watcher = new FlagWatcher(new Http({ fetch }), new Backoff(TIMING.retry, TIMING.flagPollMax), (realtime) => reported.push(realtime));
  return { watcher, requests, reported };
}

test("a long poll without a change is repeated at once", async () => {
  const { watcher, requests, reported } = watch(() => ({ realtime: "off", after: 15_000 }));
  watcher.setKnown("off");
  await vi.advanceTimersByTimeAsync(60_000);
  expect([requests.length, reported]).toEqual([4, []]);
  watcher.close();
});

test("a change is reported and becomes the known value", async () => {
  let now: Realtime = "poll";
  const { watcher, reported } = watch((known) => ({ realtime: now, after: known === now ? 15_000 : 5 }));
  watcher.setKnown("off");
  await vi.advanceTimersByTimeAsync(600);
  expect(reported).toEqual(["poll"]);
  now = "sse";
  await vi.advanceTimersByTimeAsync(16_000);
  expect(reported).toEqual(["poll", "sse"]);
  watcher.close();
});

test("if the request is not held, or fails, it is repeated with growing pauses", async () => {
  for (const answer of [{ realtime: "off" as const, after: 1 }, null]) {
    const { watcher, requests } = watch(() => answer);
    watcher.setKnown("off");
    await vi.advanceTimersByTimeAsync(600_000);
    expect(requests.length).toBeGreaterThan(10);
    expect(requests.length).toBeLessThan(40);
    watcher.close();
  }
});

test("if instances disagree, requests are repeated with growing pauses", async () => {
  let count = 0;
  const { watcher, requests } = watch(() => ({ realtime: count++ % 2 ? "poll" : "websocket", after: 1 }));
  watcher.setKnown("poll");
  await vi.advanceTimersByTimeAsync(600_000);
  expect(requests.length).toBeGreaterThan(10);
  expect(requests.length).toBeLessThan(40);
  watcher.close();
});

test("a client that is allowed and then rejected again sends requests with growing pauses", async () => {
  const backoff = new Backoff(TIMING.retry, TIMING.flagPollMax);
  let requests = 0;
  const http = new Http({ fetch: async () => (requests++, Response.json({ realtime: "websocket" })) });
  const start = (): void => {
    const watcher: FlagWatcher = new FlagWatcher(http, backoff, () => {
      watcher.close();
      start(); // the feed does not know the flag yet
    });
    watcher.setKnown("off");
  };
  start();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(requests).toBeGreaterThan(10);
  expect(requests).toBeLessThan(40);
});

test("a closed watcher sends and reports nothing", async () => {
  const { watcher, requests, reported } = watch(() => ({ realtime: "sse", after: 1000 }));
  watcher.setKnown("off");
  await vi.advanceTimersByTimeAsync(510);
  watcher.close();
  await vi.advanceTimersByTimeAsync(60_000);
  watcher.setKnown("poll");
  await vi.advanceTimersByTimeAsync(60_000);
  expect([requests.length, reported]).toEqual([1, []]);
});
