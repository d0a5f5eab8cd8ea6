import type { Opportunity } from "@boardcast/client";
import { expect, test } from "vitest";
import { arranged, neighbours, standing, step, type Columns } from "./target";

const card = (id: string, phase = "a"): Opportunity => ({ id, phase }) as Opportunity;
const ids = (cards: readonly Opportunity[]): string => cards.map(({ id }) => id).join("");
const columns: Columns = new Map([
  ["a", ["1", "2", "3"].map((id) => card(id))],
  ["b", ["4"].map((id) => card(id, "b"))],
  ["c", []],
]);
const of = (phase: string): readonly Opportunity[] => columns.get(phase) ?? [];

test("a card is shown where it would go, and nowhere else", () => {
  expect(ids(arranged(of("a"), "a", card("3"), { phase: "a", before: "1" }))).toBe("312");
  expect(ids(arranged(of("a"), "a", card("1"), { phase: "b", before: null }))).toBe("23");
  expect(ids(arranged(of("b"), "b", card("1"), { phase: "b", before: null }))).toBe("41");
});

test("a column without a part in it stays the same array", () => {
  expect(arranged(of("c"), "c", card("1"), { phase: "b", before: null })).toBe(of("c"));
});

test("when the card below has left, it is the end", () => {
  expect(ids(arranged(of("a"), "a", card("4"), { phase: "a", before: "gone" }))).toBe("1234");
});

test("where it stands, said by the card below", () => {
  expect(standing(columns, "2")).toEqual({ phase: "a", before: "3" });
  expect(standing(columns, "3")).toEqual({ phase: "a", before: null });
  expect(standing(columns, "gone")).toBeNull();
});

test("its neighbours are of all cards, also of those that a filter hides", () => {
  expect(neighbours(of("a"), "4", { phase: "a", before: "3" })).toEqual({ above: "2", below: "3" });
  expect(neighbours(of("a"), "1", { phase: "a", before: "3" })).toEqual({ above: "2", below: "3" });
  expect(neighbours(of("a"), "4", { phase: "a", before: null })).toEqual({ above: "3", below: null });
  expect(neighbours(of("c"), "4", { phase: "c", before: null })).toEqual({ above: null, below: null });
});

test("arrows go one step, keep the place sideways and stop at the edges", () => {
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
