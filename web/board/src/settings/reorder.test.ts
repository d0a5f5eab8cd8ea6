import { expect, test } from "vitest";
import { indexAt, inOrder, moved } from "./reorder";

test("an element moves to a place in the list", () => {
  expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
  expect(moved(["a", "b", "c"], 1, 1)).toEqual(["a", "b", "c"]);
  expect(moved(["a"], 5, 0)).toEqual(["a"]);
});

test("a point belongs before the first box whose middle is below it", () => {
  const boxes = [0, 10, 20].map((top) => ({ top, height: 10 }));
  expect([0, 6, 16, 99].map((y) => indexAt(boxes, y, 0))).toEqual([0, 0, 1, 2]);
  expect([0, 6, 16, 99].map((y) => indexAt(boxes, y, 2))).toEqual([0, 1, 2, 2]);
});

test("what somebody else has added keeps its order, after the rest", () => {
  const list = ["new", "a", "newer", "b"].map((id) => ({ id }));
  expect(inOrder(list, ["b", "gone", "a"]).map(({ id }) => id)).toEqual(["b", "a", "new", "newer"]);
});
