import type { Http, Phase } from "@boardcast/client";
import { useEffect, useMemo, useState } from "react";
import { dayOf } from "../board/closing";
import { useI18n } from "../i18n";
import { Button, Dialog, Field, Select } from "../ui";
import { BarDeals } from "./BarDeals";
import { Conversion, Cycles, TimeInStage, type Choose } from "./charts";
import { Cumulative } from "./Cumulative";
import { fetchFlow, type Bar, type FlowData, type Period } from "./flowData";
import { useWords } from "./useWords";

interface Props {
  readonly http: Http;
  readonly board: string;
  readonly phases: readonly Phase[];
  readonly onOpen: (id: string) => void;
  readonly onClose: () => void;
}

const SPANS = [30, 90, 365] as const;

/** How deals moved through the stages, for a period, and as it was known at a moment. */
export function Flow({ http, board, phases, onOpen, onClose }: Props) {
  const { t } = useI18n();
  const w = useWords();
  const [choice, setChoice] = useState<Choice>({ span: "90", from: "", to: "", asOf: "" });
  const [chosen, choose] = useState<{ readonly bar: Bar; readonly name: string } | null>(null);
  const [attempt, setAttempt] = useState(0);
  const period = useMemo(() => periodOf(choice), [choice]);
  const { data, failed } = useFlow(http, board, period, attempt);
  const onChoose: Choose = (bar, name) => choose({ bar, name });

  return (
    <Dialog title={t("flow")} closeLabel={t("close")} onClose={onClose} wide>
      <p className="text-soft mb-3 text-[13px]">{w("flowText")}</p>
      <PeriodFields
        choice={choice}
        onChange={(change) => {
          setChoice((before) => ({ ...before, ...change }));
          choose(null);
        }}
      />
      <div aria-live="polite" className="empty:hidden">
        {failed ? (
          <p className="bg-danger-soft text-danger mt-4 flex items-center gap-3 rounded-lg px-3 py-2">
            {w("failed")}
            <Button size="sm" onClick={() => setAttempt((before) => before + 1)}>
              {t("retry")}
            </Button>
          </p>
        ) : data === null ? (
          <p className="text-soft py-10 text-center">{w("loading")}</p>
        ) : data.flow.stages.length === 0 ? (
          <p className="text-soft py-10 text-center">{w("noChanges")}</p>
        ) : null}
      </div>
      {chosen && period && <BarDeals key={JSON.stringify(chosen.bar)} http={http} board={board} period={period} bar={chosen.bar} name={chosen.name} onOpen={onOpen} onClose={() => choose(null)} />}
      {data !== null && !failed && data.flow.stages.length > 0 && (
        <div className="mt-5 grid items-start gap-x-8 gap-y-7 lg:grid-cols-2">
          <div className="flex min-w-0 flex-col gap-7">
            <TimeInStage data={data} phases={phases} onChoose={onChoose} />
            <Cumulative data={data} phases={phases} onChoose={onChoose} />
            <Cycles data={data} onChoose={onChoose} />
          </div>
          <Conversion data={data} phases={phases} onChoose={onChoose} />
        </div>
      )}
    </Dialog>
  );
}

interface Choice {
  /** Days up to now; empty: the dates. */
  readonly span: string;
  readonly from: string;
  readonly to: string;
  readonly asOf: string;
}

function PeriodFields({ choice, onChange }: { readonly choice: Choice; readonly onChange: (change: Partial<Choice>) => void }) {
  const w = useWords();
  const { span, from, to, asOf } = choice;
  return (
    <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
      <Select
        label={w("period")}
        value={span}
        onChange={({ target: { value } }) => onChange(value === "" ? { span: "", from: dayOf(new Date(Date.now() - 90 * 86_400_000)), to: dayOf(new Date()) } : { span: value })}
      >
        {SPANS.map((days) => (
          <option key={days} value={days}>
            {w("days", { count: days })}
          </option>
        ))}
        <option value="">
          {w("from")} – {w("to")}
        </option>
      </Select>
      {span === "" && (
        <>
          <Field label={w("from")} type="date" value={from} max={to} onChange={(event) => onChange({ from: event.target.value })} />
          <Field label={w("to")} type="date" value={to} min={from} onChange={(event) => onChange({ to: event.target.value })} />
        </>
      )}
      <Field label={w("asOf")} title={w("asOfText")} type="datetime-local" value={asOf} onChange={(event) => onChange({ asOf: event.target.value })} />
    </div>
  );
}

/** Null while a date is missing or wrong. The last day is included. */
function periodOf({ span, from, to, asOf }: Choice): Period | null {
  const at = asOf === "" ? {} : { at: timestamp(asOf) };
  if (at.at === null) return null;
  const seen = at.at === undefined ? {} : { at: at.at };
  if (span !== "") return { since: `${span}d`, ...seen };
  const [since, last] = [timestamp(`${from}T00:00`), timestamp(`${to}T00:00`)];
  if (since === null || last === null || since > last) return null;
  const day = new Date(last);
  day.setDate(day.getDate() + 1);
  return { since, until: day.toISOString(), ...seen };
}

/** A local time as the API reads it; null: it is none. */
function timestamp(local: string): string | null {
  const at = new Date(local);
  const year = at.getFullYear();
  return Number.isNaN(year) || year < 1 || year > 9000 ? null : at.toISOString();
}

function useFlow(http: Http, board: string, period: Period | null, attempt: number): { readonly data: FlowData | null; readonly failed: boolean } {
  const [found, setFound] = useState<{ readonly key: string; readonly data: FlowData | null } | null>(null);
  const key = `${JSON.stringify(period)} ${String(attempt)}`;
  useEffect(() => {
    if (!period) return;
    const ended = new AbortController();
    fetchFlow(http, board, period, ended.signal).then(
      (data) => setFound({ key, data }),
      () => !ended.signal.aborted && setFound({ key, data: null }),
    );
    return () => ended.abort();
  }, [http, board, period, key]);
  // The charts of the period before stay until those of the new one are there.
  return { data: found?.data ?? null, failed: found?.key === key && found.data === null };
}
