import type { Phase } from "@boardcast/client";
import { useState } from "react";
import { useI18n } from "../i18n";
import { Chart, inOrder, type Choose } from "./charts";
import type { FlowData } from "./flowData";
import { useWords } from "./useWords";

const [WIDTH, HEIGHT] = [600, 220];

interface Props {
  readonly data: FlowData;
  readonly phases: readonly Phase[];
  readonly onChoose: Choose;
}

/** Deals in each stage over time, stacked. The legend has the numbers at the end, and opens into the deals; the table has all of them. */
export function Cumulative({ data, phases, onChoose }: Props) {
  const { format } = useI18n();
  const w = useWords();
  const [table, setTable] = useState(false);
  const { points } = data.flow;
  const shown = inOrder(data.flow.stages, phases).filter(({ stage }) => stage.cards.some((count) => count > 0));
  // The last stage at the bottom, as in any cumulative flow diagram.
  const layers = stacked(shown.map(({ stage }) => stage.cards).reverse(), points.length);
  const top = Math.max(1, ...(layers.at(-1) ?? [0]));
  const x = (index: number): string => ((index / Math.max(1, points.length - 1)) * WIDTH).toFixed(1);
  const y = (count: number): string => (HEIGHT - (count / top) * HEIGHT).toFixed(1);
  const edge = (counts: readonly number[]): string[] => counts.map((count, index) => `${x(index)},${y(count)}`);
  const day = (index: number): string => (points[index] === undefined ? "" : format.day(points[index].slice(0, 10)));
  return (
    <Chart title={w("cumulativeTitle")} text={w("cumulativeText")}>
      <svg viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`} preserveAspectRatio="none" aria-hidden="true" className="bg-column h-44 w-full rounded-lg">
        {shown.toReversed().map(({ stage, color }, index) => {
          const below = layers[index - 1] ?? points.map(() => 0);
          return <polygon key={stage.phase} points={[...edge(layers[index] ?? []), ...edge(below).reverse()].join(" ")} fill={color} stroke="var(--surface)" strokeWidth="1" vectorEffect="non-scaling-stroke" />;
        })}
      </svg>
      <p aria-hidden="true" className="text-soft tabular mt-1 flex justify-between text-xs">
        <span>{day(0)}</span>
        <span>{day(points.length - 1)}</span>
      </p>
      <ul className="mt-1 flex flex-wrap gap-x-1 gap-y-0.5">
        {shown.map(({ stage, name, color }) => (
          <li key={stage.phase}>
            <button type="button" title={w("present", { count: stage.present })} className="hover:bg-hover flex min-h-8 items-center gap-1.5 rounded-lg px-2 text-[13px] max-sm:min-h-11" onClick={() => onChoose({ chart: "present", phase: stage.phase }, name)}>
              <span aria-hidden="true" className="size-2.5 rounded-full" style={{ background: color }} />
              {name}
              <span className="text-soft tabular">{format.number(stage.present)}</span>
            </button>
          </li>
        ))}
      </ul>
      <details className="mt-1 text-[13px]" onToggle={(event) => setTable(event.currentTarget.open)}>
        <summary className="text-soft cursor-pointer px-2 py-1">{w("table")}</summary>
        {table && (
          <div className="max-h-64 overflow-auto" tabIndex={0} role="region" aria-label={w("cumulativeTitle")}>
            <table className="tabular w-full">
              <thead>
                <tr className="text-soft">
                  <th scope="col" className="px-2 text-left font-medium">
                    {w("date")}
                  </th>
                  {shown.map(({ stage, name }) => (
                    <th key={stage.phase} scope="col" className="px-2 text-right font-medium">
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {points.map((point, index) => (
                  <tr key={point}>
                    <th scope="row" className="px-2 text-left font-normal whitespace-nowrap">
                      {format.moment(point)}
                    </th>
                    {shown.map(({ stage }) => (
                      <td key={stage.phase} className="px-2 text-right">
                        {format.number(stage.cards[index] ?? 0)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </details>
    </Chart>
  );
}

function stacked(series: readonly (readonly number[])[], length: number): readonly (readonly number[])[] {
  let below: readonly number[] = Array.from({ length }, () => 0);
  return series.map((counts) => (below = below.map((count, index) => count + (counts[index] ?? 0))));
}
