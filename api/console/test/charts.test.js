import { expect, test } from "vitest";
import { alone, fromZero, last, lines, moment, pause, powersOfTen } from "../page/charts/scale.js";

test("an axis has room for what there is, and is one where there is nothing", () => {
  expect(fromZero(0)).toEqual([0, 1]);
  expect(fromZero(null)).toEqual([0, 1]);
  expect(fromZero(10)).toEqual([0, 11]);
  expect(powersOfTen(0.004, 0.03)).toEqual([0.001, 0.1]);
  expect(powersOfTen(0, 0)).toEqual([1e-4, 1e-3]);
  expect(powersOfTen(null, null)).toEqual([1e-4, 1e-3]);
});

test("between powers of ten stands no line, unless there are only two", () => {
  const splits = [0.01, 0.02, 0.03, 0.05, 0.1];
  expect(lines(splits, 0.01, 0.1)).toEqual([0.01, 0.02, null, 0.05, 0.1]);
  expect(lines(splits, 0.001, 0.1)).toEqual([0.01, null, null, null, 0.1]);
});

test("a value without neighbours is a point, as no line leads to it", () => {
  expect(alone([1, null, 2, 3, null, null, 4], 0, 6)).toEqual([0, 6]);
  expect(alone([null, null], 0, 1)).toEqual([]);
});

test("the last that is known", () => {
  expect([last([1, 2, null]), last([null]), last([])]).toEqual([1, null, null]);
});

test("it is asked as often as there is something new, and a time is written for an address", () => {
  expect([pause(1), pause(30), pause(900)]).toEqual([5, 30, 60]);
  expect(moment(1_764_000_000.4)).toBe("2025-11-24T16:00:00Z");
});
