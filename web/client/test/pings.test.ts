import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Pings } from "../src/pings.js";
import { TIMING } from "../src/timing.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Pings whose answers the test gives, and what they reported. */
function setUp(): { pings: Pings; asked: number[]; reports: (string | number)[]; answer: () => void } {
  const asked: number[] = [];
  const reports: (string | number)[] = [];
  const pings = new Pings(TIMING, {
    ask: () => asked.push(performance.now()),
    latency: (ms) => reports.push(ms),
    behind: (late) => reports.push(late ? "behind" : "up to date"),
    dead: () => reports.push("dead"),
  });
  const answer = (): void => {
    pings.heard();
    pings.answered();
  };
  pings.heard(); // the connection has just opened
  return { pings, asked, reports, answer };
}

test("a line that goes dead at any moment is behind within 6 s, and dead within 8 s", async () => {
  const { pings, asked, reports, answer } = setUp();
  pings.ask();
  await vi.advanceTimersByTimeAsync(20);
  answer();
  const died = performance.now();
  expect(reports).toEqual([20, "up to date"]);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(reports.slice(2)).toEqual(["behind"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(reports.slice(3)).toEqual(["dead"]);
  expect(performance.now() - died).toBe(8_000);
  expect(asked).toHaveLength(2);
});

test("a stream with a backlog is behind until an answer comes in time, and is never dead", async () => {
  const { pings, reports, answer } = setUp();
  pings.ask();
  for (let second = 0; second < 26; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    pings.heard();
  }
  answer();
  expect(reports).toEqual(["behind", 26_000]);
  await vi.advanceTimersByTimeAsync(10);
  answer();
  expect(reports).toEqual(["behind", 26_000, 10, "up to date"]);
});

test("each answer is measured from its own question", async () => {
  const { pings, reports, answer } = setUp();
  pings.ask();
  await vi.advanceTimersByTimeAsync(700);
  pings.check();
  await vi.advanceTimersByTimeAsync(100);
  answer();
  answer();
  expect(reports).toEqual([800, 100, "up to date"]);
});

test("a page that was frozen is behind at once, and gives its connection time to answer", async () => {
  const { pings, reports, answer } = setUp();
  pings.ask();
  answer();
  reports.length = 0;
  vi.setSystemTime(Date.now() + 60_000); // the timers stood still
  pings.check();
  expect(reports).toEqual(["behind"]);
  await vi.advanceTimersByTimeAsync(500);
  answer();
  expect(reports).toEqual(["behind", 500, "up to date"]);
});

test("nothing is reported after the end", async () => {
  const { pings, reports } = setUp();
  pings.ask();
  pings.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(reports).toEqual([]);
});
