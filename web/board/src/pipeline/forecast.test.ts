import type { Opportunity, Phase } from "@boardcast/client";
import { expect, test } from "vitest";
import { forecastOf } from "./forecast";

const PHASES: Phase[] = [{ id: "new", name: "New" }, { id: "won", name: "Won", kind: "won" }];
const card = (id: string, expected_close_date: string | null, phase = "new"): Opportunity => ({ id, phase, expected_close_date }) as Opportunity;

test("overdue deals come first, empty months are kept, and closed deals are left out", () => {
  const cards = [card("late", "2027-01-30"), card("now", "2027-01-31"), card("march", "2027-03-02"), card("open", null), card("done", "2027-02-01", "won")];
  const found = forecastOf(cards, PHASES, "2027-01-31").map(({ key, deals }) => [key, deals.map(({ id }) => id)]);
  expect(found).toEqual([
    ["overdue", ["late"]],
    ["2027-01", ["now"]],
    ["2027-02", []],
    ["2027-03", ["march"]],
    ["undated", ["open"]],
  ]);
});

test("a date in the far future adds no thousands of empty months", () => {
  const months = forecastOf([card("far", "9999-12-31")], PHASES, "2027-12-31");
  expect(months).toHaveLength(25);
  expect(months.at(-1)?.key).toBe("9999-12");
});
