/** The responses of `/api/boards/{id}/flow`, and requests for them. */
import type { Http } from "@boardcast/client";

export interface Stage {
  readonly phase: string;
  readonly entered: number;
  readonly left: number;
  readonly present: number;
  readonly medianSeconds: number | null;
  readonly p85Seconds: number | null;
  /** The number of cards in it at each of the points; empty: none at all. */
  readonly cards: readonly number[];
  readonly exits: readonly { readonly phase: string | null; readonly cards: number }[];
}

export interface Cycle {
  readonly kind: "won" | "lost";
  readonly cards: number;
  readonly medianSeconds: number;
  readonly p85Seconds: number;
  readonly buckets: readonly number[];
}

export interface FlowData {
  readonly bounds: readonly number[];
  readonly flow: { readonly points: readonly string[]; readonly stages: readonly Stage[]; readonly cycle: readonly Cycle[] };
}

export interface Period {
  /** A time, or an age such as 90d. */
  readonly since: string;
  readonly until?: string;
  readonly at?: string;
}

/** What a bar stands for, as the API names it. */
export interface Bar {
  readonly chart: "time" | "present" | "entered" | "exit" | "cycle";
  readonly phase: string;
  readonly next?: string;
  readonly bucket?: number;
}

export interface BarDeals {
  readonly cards: readonly { readonly id: string; readonly title: string | null; readonly seconds: number }[];
  readonly total: number;
}

export async function fetchFlow(http: Http, board: string, period: Period, signal: AbortSignal): Promise<FlowData> {
  return (await http.request("GET", `${path(board)}?${query(period)}`, { signal })).body as FlowData;
}

export async function fetchDeals(http: Http, board: string, period: Period, bar: Bar, signal: AbortSignal): Promise<BarDeals> {
  return (await http.request("GET", `${path(board)}/cards?${query({ ...period, ...bar })}`, { signal })).body as BarDeals;
}

function path(board: string): string {
  return `/api/boards/${encodeURIComponent(board)}/flow`;
}

function query(values: object): string {
  return new URLSearchParams(Object.entries(values).map(([name, value]) => [name, String(value)])).toString();
}
