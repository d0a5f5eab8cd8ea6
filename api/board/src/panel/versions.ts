/** `GET /api/opportunities/{id}/versions`, newest first; it outlives the card. */
import type { Http, Opportunity } from "@boardcast/client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useClock, type Clock } from "./clock";

export interface Version {
  readonly opportunity_id: string;
  readonly version_number: number;
  readonly data: Opportunity;
  readonly created_by: string | null;
  readonly created_at: string;
  /** The versions that it was made of: two of a merge, one of a restored one. */
  readonly parents: readonly number[] | null;
}

interface Page {
  readonly versions: readonly Version[];
  readonly next: number | null;
}

const PAGE = 30;

/** `newest`: the number of the newest version that is known of; a newer one asks again. */
export function useVersions(http: Http, id: string, newest: number | null) {
  const clock = useClock();
  return useInfiniteQuery({
    queryKey: ["versions", id, newest],
    queryFn: ({ pageParam, signal }) => page(http, clock, id, pageParam, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.next,
    placeholderData: (before) => before,
  });
}

async function page(http: Http, clock: Clock, id: string, before: number | null, signal: AbortSignal): Promise<Page> {
  const from = before === null ? "" : `&before=${before}`;
  const { body, headers } = await http.request("GET", `/api/opportunities/${encodeURIComponent(id)}/versions?limit=${PAGE}${from}`, { signal });
  clock.heard(headers.get("Date"));
  return body as Page;
}
