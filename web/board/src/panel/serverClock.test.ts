import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ServerClock } from "./serverClock";

const NOON = "2026-11-24T12:00:00Z";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test.each(["2026-11-23T12:00:00Z", "2026-11-25T12:00:00Z"])("on a machine whose clock says %s, time is the server's", (here) => {
  vi.setSystemTime(here);
  const clock = new ServerClock();
  clock.observe("Tue, 24 Nov 2026 12:00:00 GMT");
  vi.advanceTimersByTime(20_000);
  expect(clock.since(NOON)).toBe(20_000);
  vi.setSystemTime("2031-01-01T00:00:00Z");
  expect(clock.since(NOON)).toBe(20_000);
});

test("an observed event is never in the future", () => {
  const clock = new ServerClock();
  clock.observe("2026-11-24T11:00:00Z");
  expect(clock.since(NOON)).toBe(0);
  vi.advanceTimersByTime(1000);
  expect(clock.since(NOON)).toBe(1000);
});

test("older times and invalid ones change nothing", () => {
  const clock = new ServerClock();
  clock.observe(NOON);
  clock.observe("2026-11-24T11:00:00Z");
  clock.observe(null);
  clock.observe("soon");
  expect(clock.since(NOON)).toBe(0);
});
