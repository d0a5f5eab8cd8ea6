import type { BoardState } from "@boardcast/client";
import { useMemo } from "react";
import { today } from "../board/closing";
import type { Columns } from "../board/drag/target";
import { startOf, totalsOf, type Sum } from "../board/totals";
import { useI18n } from "../i18n";
import { AlertIcon, classes, Dialog } from "../ui";
import { Deals } from "./Deals";
import { forecastOf, type Month } from "./forecast";
import { useWords } from "./useWords";

interface Props {
  readonly phases: NonNullable<BoardState["board"]>["phases"];
  readonly columns: Columns;
  readonly onOpen: (id: string) => void;
  readonly onClose: () => void;
}

/** Open deals by the month in which they are expected to close, with what they are worth. Each month opens into its deals. */
export function Forecast({ phases, columns, onOpen, onClose }: Props) {
  const { t } = useI18n();
  const w = useWords();
  const months = useMemo(() => {
    const found = forecastOf([...columns.values()].flat(), phases, today());
    return found.map((month) => ({ ...month, totals: totalsOf(month.deals, phases, startOf("month")) }));
  }, [columns, phases]);
  // Bars of one currency can be compared; other amounts stand beside them.
  const main = useMemo(() => totalsOf(months.flatMap(({ deals }) => deals), phases, startOf("month")).currencies[0] ?? "", [months, phases]);
  const largest = months.reduce((most, { totals }) => Math.max(most, Number(totals.open.get(main)?.cents ?? 0n)), 1);
  return (
    <Dialog title={t("forecast")} closeLabel={t("close")} onClose={onClose}>
      <p className="text-soft mb-3 text-[13px]">{w("forecastText")}</p>
      {months.length === 0 && <p className="text-soft py-6 text-center">{w("nothing")}</p>}
      <ul className="divide-line divide-y">
        {months.map(({ key, deals, totals }) => (
          <li key={key}>
            <details className="group">
              <summary className={classes("hover:bg-hover -mx-2 grid grid-cols-[6.5rem_1fr] items-center gap-x-3 gap-y-1 rounded-lg px-2 py-2 sm:grid-cols-[8rem_1fr_12rem]", deals.length > 0 ? "cursor-pointer" : "pointer-events-none")}>
                <span className="flex items-center gap-1.5 font-medium">
                  {key === "overdue" && <AlertIcon className="text-danger" />}
                  <MonthName month={key} />
                </span>
                <span aria-hidden="true" className="flex flex-col gap-0.5">
                  <Bar sum={totals.open.get(main)} largest={largest} className="bg-accent/35" />
                  <Bar sum={totals.weighted.get(main)} largest={largest} className="bg-accent" />
                </span>
                <Amounts totals={totals} count={deals.length} />
              </summary>
              <Deals deals={deals.map(({ id, title, expected_close_date }) => ({ id, title, note: expected_close_date }))} date onOpen={onOpen} />
            </details>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function MonthName({ month }: { readonly month: Month["key"] }) {
  const { format } = useI18n();
  const w = useWords();
  return <>{month === "overdue" ? w("overdue") : month === "undated" ? w("undated") : format.month(month)}</>;
}

function Bar({ sum, largest, className }: { readonly sum: Sum | undefined; readonly largest: number; readonly className: string }) {
  return <span className={classes("h-2 rounded-full", className)} style={{ width: `${String((Number(sum?.cents ?? 0n) / largest) * 100)}%` }} />;
}

function Amounts({ totals, count }: { readonly totals: ReturnType<typeof totalsOf>; readonly count: number }) {
  const { t, format } = useI18n();
  const w = useWords();
  const amounts = (sums: ReadonlyMap<string, Sum>): string => totals.currencies.map((currency) => format.cents(sums.get(currency)?.cents ?? 0n, currency)).join(" + ");
  return (
    <span className="col-span-2 text-[13px] sm:col-span-1 sm:text-right">
      <span className="tabular block font-semibold">{totals.currencies.length > 0 ? w("weightedOf", { weighted: amounts(totals.weighted), open: amounts(totals.open) }) : "–"}</span>
      <span className="text-soft">{t("cards", { count })}</span>
    </span>
  );
}
