import type { Opportunity } from "@boardcast/client";
import { expect, test } from "vitest";
import { NO_FILTER, matching } from "./filter";
import { sums } from "./sums";

const card = (fields: Partial<Opportunity>): Opportunity =>
  ({ title: "", company: null, contact: null, owner_id: null, value: null, currency: "BRL", ...fields }) as Opportunity;

test("all words must match, in any field, ignoring accents and case", () => {
  const cards = [card({ title: "Suporte", company: "Hotel Maré Alta" }), card({ title: "Suporte", contact: "Fábio" })];
  expect(matching(cards, { ...NO_FILTER, words: "SUPORTE mare" })).toEqual([cards[0]]);
  expect(matching(cards, { ...NO_FILTER, words: "fabio" })).toEqual([cards[1]]);
  expect(matching(cards, { ...NO_FILTER, words: "  " })).toBe(cards);
});

test("by owner, and without owner", () => {
  const cards = [card({ owner_id: "ana" }), card({})];
  expect(matching(cards, { words: "", owner: { kind: "user", id: "ana" } })).toEqual([cards[0]]);
  expect(matching(cards, { words: "", owner: { kind: "unassigned" } })).toEqual([cards[1]]);
});

test("sums are by currency, exact to the cent, the most common currency first", () => {
  const cards = [card({ value: 5, currency: "USD" }), card({ value: 0.1 }), card({ value: 0.2 }), card({})];
  expect(sums(cards)).toEqual([
    ["BRL", 0.3],
    ["USD", 5],
  ]);
});
