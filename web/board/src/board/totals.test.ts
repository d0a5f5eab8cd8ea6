import type { Opportunity, Phase } from "@boardcast/client";
import { expect, test } from "vitest";
import { startOf, totalsOf } from "./totals";

const PHASES: Phase[] = [{ id: "new", name: "New", probability: 30 }, { id: "idea", name: "Idea" }, { id: "won", name: "Won", kind: "won" }, { id: "lost", name: "Lost", kind: "lost" }];
const START = new Date("2027-02-01T00:00:00Z");
const card = (phase: string, value: number | null, more: Partial<Opportunity> = {}): Opportunity => ({ id: "x", phase, value, currency: "BRL", probability: null, ...more }) as Opportunity;

test("the chance is the card's, or that of its stage, and a deal without one counts in full", () => {
  const { open, weighted } = totalsOf([card("new", 0.1), card("new", 0.2, { probability: 50 }), card("idea", 10)], PHASES, START);
  expect(open.get("BRL")).toEqual({ deals: 3, cents: 1030n });
  expect(weighted.get("BRL")).toEqual({ deals: 3, cents: 1013n }); // 3 + 10 + 1000
});

test("lost deals count nowhere, and won ones since the start of the period", () => {
  const { won, open, currencies } = totalsOf(
    [card("won", 5, { closed_at: "2027-02-01T00:00:00Z" }), card("won", 7, { closed_at: "2027-01-31T23:59:59Z" }), card("won", 2), card("lost", 9), card("new", null)],
    PHASES,
    START,
  );
  expect(won.get("BRL")).toEqual({ deals: 2, cents: 700n });
  expect(open.size).toBe(0);
  expect(currencies).toEqual(["BRL"]);
});

test("sums of huge amounts are exact, each currency by itself", () => {
  const huge = Array.from({ length: 2000 }, () => card("idea", 999_999_999_999.99));
  const { open, currencies } = totalsOf([...huge, card("idea", 1, { currency: "USD" })], PHASES, START);
  expect(open.get("BRL")?.cents).toBe(199_999_999_999_998_000n);
  expect(open.get("USD")?.cents).toBe(100n);
  expect(currencies).toEqual(["BRL", "USD"]);
});

test("periods start at midnight of the user's time zone", () => {
  expect(startOf("quarter", new Date(2027, 4, 31, 12))).toEqual(new Date(2027, 3, 1));
  expect(startOf("month", new Date(2027, 4, 31, 12))).toEqual(new Date(2027, 4, 1));
});
