import type { Opportunity } from "@boardcast/client";
import { expect, test } from "vitest";
import { EVERYTHING, fitting } from "./filter";
import { sums } from "./sums";

const card = (fields: Partial<Opportunity>): Opportunity =>
  ({ title: "", company: null, contact: null, owner_id: null, value: null, currency: "BRL", ...fields }) as Opportunity;

test("all words count, wherever they stand, without accents and capitals", () => {
  const cards = [card({ title: "Suporte", company: "Hotel Maré Alta" }), card({ title: "Suporte", contact: "Fábio" })];
  expect(fitting(cards, { ...EVERYTHING, words: "SUPORTE mare" })).toEqual([cards[0]]);
  expect(fitting(cards, { ...EVERYTHING, words: "fabio" })).toEqual([cards[1]]);
  expect(fitting(cards, { ...EVERYTHING, words: "  " })).toBe(cards);
});

test("by owner, and by none", () => {
  const cards = [card({ owner_id: "ana" }), card({})];
  expect(fitting(cards, { words: "", owner: { kind: "user", id: "ana" } })).toEqual([cards[0]]);
  expect(fitting(cards, { words: "", owner: { kind: "nobody" } })).toEqual([cards[1]]);
});

test("sums are by currency, exact to the cent, the most cards' first", () => {
  const cards = [card({ value: 5, currency: "USD" }), card({ value: 0.1 }), card({ value: 0.2 }), card({})];
  expect(sums(cards)).toEqual([
    ["BRL", 0.3],
    ["USD", 5],
  ]);
});
