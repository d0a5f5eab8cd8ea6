import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Clock } from "./clock";

const NOON = "2026-11-24T12:00:00Z";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test.each(["2026-11-23T12:00:00Z", "2026-11-25T12:00:00Z"])("at a machine that says %s, time is the server's", (here) => {
  vi.setSystemTime(here);
  const clock = new Clock();
  clock.heard("Tue, 24 Nov 2026 12:00:00 GMT");
  vi.advanceTimersByTime(20_000);
  expect(clock.since(NOON)).toBe(20_000);
  vi.setSystemTime("2031-01-01T00:00:00Z");
  expect(clock.since(NOON)).toBe(20_000);
});

test("what the server tells of is never in the future", () => {
  const clock = new Clock();
  clock.heard("2026-11-24T11:00:00Z");
  expect(clock.since(NOON)).toBe(0);
  vi.advanceTimersByTime(1000);
  expect(clock.since(NOON)).toBe(1000);
});

test("an older time and none at all change nothing", () => {
  const clock = new Clock();
  clock.heard(NOON);
  clock.heard("2026-11-24T11:00:00Z");
  clock.heard(null);
  clock.heard("soon");
  expect(clock.since(NOON)).toBe(0);
});
