import type { Opportunity } from "@boardcast/client";
import { expect, test } from "vitest";
import { withDragged, neighbors, targetOf, step, type Columns } from "./target";

const card = (id: string, phase = "a"): Opportunity => ({ id, phase }) as Opportunity;
const ids = (cards: readonly Opportunity[]): string => cards.map(({ id }) => id).join("");
const columns: Columns = new Map([
  ["a", ["1", "2", "3"].map((id) => card(id))],
  ["b", ["4"].map((id) => card(id, "b"))],
  ["c", []],
]);
const of = (phase: string): readonly Opportunity[] => columns.get(phase) ?? [];

test("a card is shown at its target, and nowhere else", () => {
  expect(ids(withDragged(of("a"), "a", card("3"), { phase: "a", before: "1" }))).toBe("312");
  expect(ids(withDragged(of("a"), "a", card("1"), { phase: "b", before: null }))).toBe("23");
  expect(ids(withDragged(of("b"), "b", card("1"), { phase: "b", before: null }))).toBe("41");
});

test("a column that is not involved stays the same array", () => {
  expect(withDragged(of("c"), "c", card("1"), { phase: "b", before: null })).toBe(of("c"));
});

test("if the card below is gone, the target is the end", () => {
  expect(ids(withDragged(of("a"), "a", card("4"), { phase: "a", before: "gone" }))).toBe("1234");
});

test("the place of a card, as a target", () => {
  expect(targetOf(columns, "2")).toEqual({ phase: "a", before: "3" });
  expect(targetOf(columns, "3")).toEqual({ phase: "a", before: null });
  expect(targetOf(columns, "gone")).toBeNull();
});

test("neighbors include cards that a filter hides", () => {
  expect(neighbors(of("a"), "4", { phase: "a", before: "3" })).toEqual({ above: "2", below: "3" });
  expect(neighbors(of("a"), "1", { phase: "a", before: "3" })).toEqual({ above: "2", below: "3" });
  expect(neighbors(of("a"), "4", { phase: "a", before: null })).toEqual({ above: "3", below: null });
  expect(neighbors(of("c"), "4", { phase: "c", before: null })).toEqual({ above: null, below: null });
});

test("arrow keys go one step, keep the index, and stop at the edges", () => {
  const open = ["a", "b", "c"];
  const from = { phase: "a", before: "2" };
  expect(step(columns, open, "1", from, "ArrowUp")).toBeNull();
  expect(step(columns, open, "1", from, "ArrowDown")).toEqual({ phase: "a", before: "3" });
  expect(step(columns, open, "1", { phase: "a", before: null }, "ArrowDown")).toBeNull();
  expect(step(columns, open, "1", from, "ArrowLeft")).toBeNull();
  expect(step(columns, open, "1", from, "ArrowRight")).toEqual({ phase: "b", before: "4" });
  expect(step(columns, open, "3", { phase: "a", before: null }, "ArrowRight")).toEqual({ phase: "b", before: null });
  expect(step(columns, open, "1", { phase: "c", before: null }, "ArrowRight")).toBeNull();
  expect(step(columns, open, "1", from, "End")).toEqual({ phase: "a", before: null });
  expect(step(columns, open, "3", { phase: "a", before: null }, "Home")).toEqual({ phase: "a", before: "1" });
});
