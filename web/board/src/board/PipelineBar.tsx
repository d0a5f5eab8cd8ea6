import type { BoardState } from "@boardcast/client";
import { memo, useDeferredValue, useMemo, useState } from "react";
import { useI18n, type Key } from "../i18n";
import { Flow, Forecast, OwnerTotals } from "../pipeline";
import { Button, CalendarIcon, ChartIcon, ChevronIcon, Menu, PeopleIcon, Popover } from "../ui";
import type { Columns } from "./drag/target";
import { startOf, totalsOf, type Period, type Sum } from "./totals";

interface Props {
  readonly phases: NonNullable<BoardState["board"]>["phases"];
  /** The cards that the filter shows. */
  readonly columns: Columns;
  readonly onLook: (at: "flow" | "forecast") => void;
}

/** On a narrow page, an icon of the size of a finger. */
const ACTION = "whitespace-nowrap max-sm:size-11";

/** What the deals in view are worth: open, weighted by their chance, and won in this month or quarter. */
export const PipelineBar = memo(function PipelineBar({ phases, columns, onLook }: Props) {
  const { t } = useI18n();
  const [period, setPeriod] = useState<Period>("month");
  const shown = useDeferredValue(columns);
  const start = startOf(period).getTime();
  const { currencies, open, weighted, won } = useMemo(() => totalsOf([...shown.values()].flat(), phases, new Date(start)), [shown, phases, start]);
  const cards = useMemo(() => [...shown.values()].flat(), [shown]);
  return (
    <section aria-label={t("totals")} className="border-line flex shrink-0 items-center gap-x-4 border-b px-3 py-1.5 max-sm:pr-1 sm:px-4">
      <dl className="flex min-w-0 flex-1 items-center gap-x-5 overflow-x-auto" tabIndex={0}>
        <Total label="totalOpen" sums={open} currencies={currencies} />
        <Total label="totalWeighted" sums={weighted} currencies={currencies} />
        <Total label={period === "month" ? "totalWonMonth" : "totalWonQuarter"} sums={won} currencies={currencies}>
          <Menu
            label={t("wonPeriod")}
            className="size-6! rounded-md max-sm:size-8!"
            button={<ChevronIcon className="size-3.5" />}
            items={(["month", "quarter"] as const).map((each) => ({ key: each, label: t(each === "month" ? "totalWonMonth" : "totalWonQuarter"), checked: each === period, onSelect: () => setPeriod(each) }))}
          />
        </Total>
      </dl>
      <div className="flex shrink-0 items-center sm:gap-1">
        <Popover label={t("byOwner")} look="quiet" size="sm" className={ACTION} button={<><PeopleIcon /><span className="max-sm:sr-only">{t("byOwner")}</span></>}>
          <OwnerTotals cards={cards} phases={phases} period={period} />
        </Popover>
        <Button look="quiet" size="sm" className={ACTION} title={t("forecast")} onPointerEnter={Forecast.preload} onClick={() => onLook("forecast")}>
          <CalendarIcon />
          <span className="max-sm:sr-only">{t("forecast")}</span>
        </Button>
        <Button look="quiet" size="sm" className={ACTION} title={t("flow")} onPointerEnter={Flow.preload} onClick={() => onLook("flow")}>
          <ChartIcon />
          <span className="max-sm:sr-only">{t("flow")}</span>
        </Button>
      </div>
    </section>
  );
});

interface TotalProps {
  readonly label: Extract<Key, `total${string}`>;
  readonly sums: ReadonlyMap<string, Sum>;
  readonly currencies: readonly string[];
  readonly children?: React.ReactNode;
}

function Total({ label, sums, currencies, children }: TotalProps) {
  const { t, format } = useI18n();
  const deals = [...sums.values()].reduce((count, sum) => count + sum.deals, 0);
  const amounts = currencies.flatMap((currency) => {
    const sum = sums.get(currency);
    return sum ? [format.cents(sum.cents, currency)] : [];
  });
  return (
    <div className="flex items-center gap-x-1.5 whitespace-nowrap" title={t("cards", { count: deals })}>
      <dt className="text-soft text-[13px]">{t(label)}</dt>
      <dd data-total={label} className="tabular flex items-center gap-0.5 font-semibold">
        {amounts.length > 0 ? amounts.join(" + ") : "–"}
        {children}
      </dd>
    </div>
  );
}
