import { expect, test } from "vitest";
import { Backoff } from "../src/backoff.js";

test("waits grow up to the maximum, and start again after a reset", () => {
  const backoff = new Backoff(100, 1000, () => 1);
  expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
  expect(backoff.longest()).toBe(1000);
});

test("waits are random over the whole range, but never zero", () => {
  expect(new Backoff(100, 1000, () => 0).next()).toBe(10);
  const drawn = Array.from({ length: 1000 }, () => new Backoff(100, 1000).next());
  expect(Math.min(...drawn)).toBeLessThan(30);
  expect(Math.max(...drawn)).toBeGreaterThan(80);
  expect(Math.max(...drawn)).toBeLessThanOrEqual(100);
});
