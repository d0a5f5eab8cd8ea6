import type { Opportunity } from "@boardcast/client";

/** The total value of cards by currency, the most common currency first. Adds cents as integers to avoid 0.1 + 0.2. */
export function sums(cards: readonly Opportunity[]): readonly (readonly [currency: string, value: number])[] {
  const totals = new Map<string, { cents: number; cards: number }>();
  for (const { value, currency } of cards) {
    if (value === null) continue;
    const total = totals.get(currency) ?? { cents: 0, cards: 0 };
    totals.set(currency, { cents: total.cents + Math.round(value * 100), cards: total.cards + 1 });
  }
  return [...totals].sort(([, a], [, b]) => b.cards - a.cards).map(([currency, { cents }]) => [currency, cents / 100] as const);
}
