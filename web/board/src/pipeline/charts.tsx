/** Bars of HTML: each is a button whose text has its numbers, so they need no second form for keyboards and screen readers. */
import type { Phase } from "@boardcast/client";
import type { ReactNode } from "react";
import { useI18n } from "../i18n";
import { stageColor } from "../settings/colors";
import type { Bar, FlowData, Stage } from "./flowData";
import { useDuration } from "./useDuration";
import { useWords } from "./useWords";

export type Choose = (bar: Bar, name: string) => void;

interface Props {
  readonly data: FlowData;
  readonly phases: readonly Phase[];
  readonly onChoose: Choose;
}

export function Chart({ title, text, children }: { readonly title: string; readonly text: string; readonly children: ReactNode }) {
  return (
    <section className="min-w-0">
      <h3 className="font-semibold">{title}</h3>
      <p className="text-soft mb-2 text-[13px]">{text}</p>
      {children}
    </section>
  );
}

interface RowProps {
  readonly name: string;
  readonly value: string;
  /** From 0 to 1. */
  readonly share: number;
  readonly color: string;
  /** What only screen readers need before and after the rest. */
  readonly of?: string;
  readonly more?: string;
  readonly onChoose: () => void;
}

function Row({ name, value, share, color, of, more, onChoose }: RowProps) {
  return (
    <li>
      <button type="button" title={more} className="hover:bg-hover grid min-h-9 w-full grid-cols-[1fr_auto] items-center gap-x-3 gap-y-1 rounded-lg px-2 py-1.5 text-left sm:grid-cols-[minmax(5rem,9rem)_1fr_auto] sm:py-1" onClick={onChoose}>
        <span className="truncate">
          {of !== undefined && <span className="sr-only">{of} </span>}
          {name}
        </span>
        <span aria-hidden="true" className="bg-column h-3 overflow-hidden rounded-full max-sm:order-1 max-sm:col-span-2 forced-colors:border">
          <span className="block h-full rounded-full forced-colors:bg-[CanvasText]" style={{ width: `${String(Math.max(share * 100, share > 0 ? 1.5 : 0))}%`, background: color }} />
        </span>
        <span className="tabular text-soft text-[13px] whitespace-nowrap">
          {value}
          {more !== undefined && <span className="sr-only"> {more}</span>}
        </span>
      </button>
    </li>
  );
}

/** The board's stages in their order, then those that it no longer has. */
export function inOrder(stages: readonly Stage[], phases: readonly Phase[]): readonly { readonly stage: Stage; readonly name: string; readonly color: string }[] {
  const known = phases.flatMap((phase) => stages.filter((stage) => stage.phase === phase.id).map((stage) => ({ stage, name: phase.name, color: stageColor(phase) })));
  const others = stages.filter((stage) => !phases.some(({ id }) => id === stage.phase));
  return [...known, ...others.map((stage) => ({ stage, name: stage.phase, color: "var(--edge)" }))];
}

export function TimeInStage({ data, phases, onChoose }: Props) {
  const w = useWords();
  const duration = useDuration();
  const shown = inOrder(data.flow.stages, phases).filter(({ stage }) => stage.left > 0);
  const longest = Math.max(1e-9, ...shown.map(({ stage }) => stage.medianSeconds ?? 0));
  return (
    <Chart title={w("timeTitle")} text={w("timeText")}>
      <ul>
        {shown.map(({ stage, name, color }) => {
          const median = stage.medianSeconds ?? 0;
          return (
            <Row
              key={stage.phase}
              name={name}
              value={duration(median)}
              share={median / longest}
              color={color}
              more={`${w("medianAnd", { time: duration(median), most: duration(stage.p85Seconds ?? median) })}. ${w("left", { count: stage.left })}`}
              onChoose={() => onChoose({ chart: "time", phase: stage.phase }, `${w("timeTitle")}: ${name}`)}
            />
          );
        })}
      </ul>
    </Chart>
  );
}

export function Conversion({ data, phases, onChoose }: Props) {
  const { format } = useI18n();
  const w = useWords();
  const nameOf = (phase: string | null): string => (phase === null ? w("gone") : (phases.find(({ id }) => id === phase)?.name ?? phase));
  const shown = inOrder(data.flow.stages, phases).filter(({ stage }) => stage.entered > 0 && stage.exits.length > 0);
  return (
    <Chart title={w("conversionTitle")} text={w("conversionText")}>
      <ul className="flex flex-col gap-2">
        {shown.map(({ stage, name }) => (
          <li key={stage.phase}>
            <p className="flex items-baseline gap-2 px-2 text-[13px]">
              <span className="min-w-0 truncate font-medium">{name}</span>
              <span className="text-soft">{w("entered", { count: stage.entered })}</span>
            </p>
            <ul>
              {stage.exits.slice(0, 4).map(({ phase, cards }) => {
                const share = cards / stage.entered;
                const percent = format.percent(Math.round(share * 100));
                const target = phases.find(({ id }) => id === phase);
                return (
                  <Row
                    key={phase ?? ""}
                    name={`→ ${nameOf(phase)}`}
                    value={`${percent} · ${format.number(cards)}`}
                    share={share}
                    color={target ? stageColor(target) : "var(--edge)"}
                    of={name}
                    onChoose={() => onChoose({ chart: "exit", phase: stage.phase, ...(phase === null ? {} : { next: phase }) }, `${name} → ${nameOf(phase)}`)}
                  />
                );
              })}
            </ul>
          </li>
        ))}
      </ul>
    </Chart>
  );
}

export function Cycles({ data, onChoose }: Pick<Props, "data" | "onChoose">) {
  const { format } = useI18n();
  const w = useWords();
  const duration = useDuration();
  const { bounds } = data;
  const nameOf = (bucket: number): string => {
    const [from, to] = [bounds[bucket - 1], bounds[bucket]];
    if (from === undefined) return w("under", { time: duration(to ?? 0) });
    return to === undefined ? w("over", { time: duration(from) }) : w("between", { from: duration(from).split(" ")[0] ?? "", to: duration(to) });
  };
  return (
    <Chart title={w("cycleTitle")} text={w("cycleText")}>
      <div className="flex flex-col gap-3">
        {data.flow.cycle.map(({ kind, cards, medianSeconds, p85Seconds, buckets }) => {
          const most = Math.max(1, ...buckets);
          const heading = w(kind === "won" ? "wonDeals" : "lostDeals", { count: cards });
          return (
            <div key={kind}>
              <p className="px-2 text-[13px]">
                <span className="font-medium">{heading}</span> <span className="text-soft">· {w("medianAnd", { time: duration(medianSeconds), most: duration(p85Seconds) })}</span>
              </p>
              <ul>
                {buckets.map((count, bucket) =>
                  count === 0 ? null : (
                    <Row
                      key={bucket}
                      name={nameOf(bucket)}
                      value={format.number(count)}
                      share={count / most}
                      color={kind === "won" ? "var(--good)" : "var(--danger)"}
                      of={heading}
                      onChoose={() => onChoose({ chart: "cycle", phase: kind, bucket }, `${heading}, ${nameOf(bucket)}`)}
                    />
                  ),
                )}
              </ul>
            </div>
          );
        })}
        {data.flow.cycle.length === 0 && <p className="text-soft px-2">–</p>}
      </div>
    </Chart>
  );
}
