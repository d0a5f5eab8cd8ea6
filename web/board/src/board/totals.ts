/** What the deals are worth, exactly: in cents as whole numbers of any size. */
import type { Opportunity, Phase } from "@boardcast/client";
import { kindOf } from "./closing";

export type Period = "month" | "quarter";

export interface Sum {
  readonly deals: number;
  readonly cents: bigint;
}

export interface Totals {
  /** The currencies of the deals, the most common one first. */
  readonly currencies: readonly string[];
  /** By currency. */
  readonly open: ReadonlyMap<string, Sum>;
  readonly weighted: ReadonlyMap<string, Sum>;
  /** Since the start of the period. */
  readonly won: ReadonlyMap<string, Sum>;
}

type Part = "open" | "weighted" | "won";

export function startOf(period: Period, now = new Date()): Date {
  const month = now.getMonth();
  return new Date(now.getFullYear(), period === "month" ? month : month - (month % 3), 1);
}

/** Percent: the card's own, or else that of its stage. Without either, the deal counts in full. */
export function chanceOf(card: Opportunity, phases: readonly Phase[]): number {
  return card.probability ?? phases.find(({ id }) => id === card.phase)?.probability ?? 100;
}

export function centsOf(value: number): bigint {
  const cents = Math.round(value * 100);
  return Number.isFinite(cents) ? BigInt(cents) : 0n;
}

/** A deal whose closing date is not known yet was closed just now. */
export function closedSince(card: Opportunity, start: Date): boolean {
  return !card.closed_at || new Date(card.closed_at) >= start;
}

export function totalsOf(cards: Iterable<Opportunity>, phases: readonly Phase[], start: Date): Totals {
  const hundredths: Record<Part, Map<string, { deals: number; sum: bigint }>> = { open: new Map(), weighted: new Map(), won: new Map() };
  const used = new Map<string, number>();
  const add = (part: Part, currency: string, cents: bigint, percent: number): void => {
    const total = hundredths[part].get(currency) ?? { deals: 0, sum: 0n };
    hundredths[part].set(currency, { deals: total.deals + 1, sum: total.sum + cents * BigInt(Math.round(percent)) });
  };
  for (const card of cards) {
    const { value, currency } = card;
    const kind = kindOf(phases, card.phase);
    if (value === null || kind === "lost" || (kind === "won" && !closedSince(card, start))) continue;
    const cents = centsOf(value);
    used.set(currency, (used.get(currency) ?? 0) + 1);
    if (kind === "won") add("won", currency, cents, 100);
    else {
      add("open", currency, cents, 100);
      add("weighted", currency, cents, chanceOf(card, phases));
    }
  }
  const rounded = (part: Part): Map<string, Sum> => new Map([...hundredths[part]].map(([currency, { deals, sum }]) => [currency, { deals, cents: (sum + 50n) / 100n }]));
  return {
    currencies: [...used].sort(([, a], [, b]) => b - a).map(([currency]) => currency),
    open: rounded("open"),
    weighted: rounded("weighted"),
    won: rounded("won"),
  };
}
