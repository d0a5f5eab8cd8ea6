import { expect, test } from "vitest";
import { alone, fromZero, last, lines, moment, pause, powersOfTen } from "../page/charts/scale.js";

test("an axis covers all values, and ends at one if there are none", () => {
  expect(fromZero(0)).toEqual([0, 1]);
  expect(fromZero(null)).toEqual([0, 1]);
  expect(fromZero(10)).toEqual([0, 11]);
  expect(powersOfTen(0.004, 0.03)).toEqual([0.001, 0.1]);
  expect(powersOfTen(0, 0)).toEqual([1e-4, 1e-3]);
  expect(powersOfTen(null, null)).toEqual([1e-4, 1e-3]);
});

test("there are no grid lines between powers of ten, unless there are only two", () => {
  const splits = [0.01, 0.02, 0.03, 0.05, 0.1];
  expect(lines(splits, 0.01, 0.1)).toEqual([0.01, 0.02, null, 0.05, 0.1]);
  expect(lines(splits, 0.001, 0.1)).toEqual([0.01, null, null, null, 0.1]);
});

test("a value without neighbors is a point, because no line leads to it", () => {
  expect(alone([1, null, 2, 3, null, null, 4], 0, 6)).toEqual([0, 6]);
  expect(alone([null, null], 0, 1)).toEqual([]);
});

test("the last value that is not null", () => {
  expect([last([1, 2, null]), last([null]), last([])]).toEqual([1, null, null]);
});

test("requests are as frequent as new values; times are formatted for the URL", () => {
  expect([pause(1), pause(30), pause(900)]).toEqual([5, 30, 60]);
  expect(moment(1_764_000_000.4)).toBe("2025-11-24T16:00:00Z");
});
