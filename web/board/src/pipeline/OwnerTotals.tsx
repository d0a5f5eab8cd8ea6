import type { Opportunity, Phase } from "@boardcast/client";
import { useMemo } from "react";
import { useTools } from "../board/context";
import { startOf, totalsOf, type Period } from "../board/totals";
import { useI18n } from "../i18n";
import { useWords } from "./useWords";

interface Props {
  readonly cards: readonly Opportunity[];
  readonly phases: readonly Phase[];
  readonly period: Period;
}

const NUMBER = "tabular px-3 py-1.5 text-right whitespace-nowrap";

/** The totals of each owner, in a row for each currency. */
export function OwnerTotals({ cards, phases, period }: Props) {
  const { t, format } = useI18n();
  const w = useWords();
  const { nameOf } = useTools();
  const rows = useMemo(() => {
    const owners = Map.groupBy(cards, ({ owner_id }) => owner_id);
    return [...owners]
      .map(([owner, own]) => ({ owner, name: owner === null ? t("unassigned") : nameOf(owner), totals: totalsOf(own, phases, startOf(period)) }))
      .flatMap(({ owner, name, totals }) => totals.currencies.map((currency) => ({ owner, name, currency, totals })))
      .sort((a, b) => format.compare(a.name, b.name));
  }, [cards, phases, period, nameOf, format, t]);
  if (rows.length === 0) return <p className="text-soft px-1 py-2">{w("noAmounts")}</p>;
  return (
    <table className="text-[13px]">
      <caption className="sr-only">{t("byOwner")}</caption>
      <thead className="text-soft">
        <tr className="border-line border-b">
          <th scope="col" className="px-2 py-1.5 text-left font-medium">
            {t("owner")}
          </th>
          {[t("totalOpen"), t("totalWeighted"), t(period === "month" ? "totalWonMonth" : "totalWonQuarter")].map((name) => (
            <th key={name} scope="col" className="px-3 py-1.5 text-right font-medium">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="divide-line divide-y">
        {rows.map(({ owner, name, currency, totals }) => (
          <tr key={`${owner ?? ""} ${currency}`}>
            <th scope="row" className="max-w-40 truncate px-2 py-1.5 text-left font-medium">
              {name}
            </th>
            {[totals.open, totals.weighted, totals.won].map((sums, index) => {
              const sum = sums.get(currency);
              return (
                <td key={index} className={NUMBER}>
                  {sum ? format.cents(sum.cents, currency) : "–"}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
