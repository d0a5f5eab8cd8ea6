/** Open deals by the month in which they are expected to close. */
import type { Opportunity, Phase } from "@boardcast/client";
import { kindOf } from "../board/closing";

/** `month`: YYYY-MM; `overdue`: before today; `undated`: no date. */
export interface Month {
  readonly key: string;
  readonly deals: readonly Opportunity[];
}

/** Overdue deals, then each month from this one to the last with a deal, then those without a date. */
export function forecastOf(cards: Iterable<Opportunity>, phases: readonly Phase[], today: string): readonly Month[] {
  const groups = new Map<string, Opportunity[]>();
  for (const card of cards) {
    if (kindOf(phases, card.phase) !== "open") continue;
    const date = card.expected_close_date;
    const key = date === null ? "undated" : date < today ? "overdue" : date.slice(0, 7);
    groups.set(key, [...(groups.get(key) ?? []), card]);
  }
  const named = ["overdue", "undated"];
  const last = [...groups.keys()].filter((key) => !named.includes(key)).sort().at(-1);
  const keys = ["overdue", ...monthsBetween(today.slice(0, 7), last ?? ""), "undated"];
  const all = new Set([...keys, ...groups.keys()]);
  return [...all]
    .filter((key) => groups.has(key) || !named.includes(key))
    .sort((a, b) => rank(a).localeCompare(rank(b)))
    .map((key) => ({ key, deals: (groups.get(key) ?? []).toSorted((a, b) => (a.expected_close_date ?? "").localeCompare(b.expected_close_date ?? "")) }));
}

function rank(key: string): string {
  return key === "overdue" ? "0" : key === "undated" ? "9999-99" : key;
}

/** At most two years: a deal may be dated in 9999. */
function monthsBetween(first: string, last: string): string[] {
  const months: string[] = [];
  for (let month = first; month <= last && months.length < 24; month = next(month)) months.push(month);
  return months;
}

function next(month: string): string {
  const [year = 0, index = 0] = month.split("-").map(Number);
  return new Date(Date.UTC(year, index, 1)).toISOString().slice(0, 7);
}
