/** `GET /api/opportunities/{id}/versions`, newest first. Versions survive the deletion of the card. */
import type { Http, Opportunity } from "@boardcast/client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useServerClock, type ServerClock } from "./serverClock";

export interface Version {
  readonly opportunity_id: string;
  readonly version_number: number;
  readonly data: Opportunity;
  readonly created_by: string | null;
  readonly created_at: string;
  /** The versions it was made from: two for a merge, one for a restored version. */
  readonly parents: readonly number[] | null;
}

interface Page {
  readonly versions: readonly Version[];
  readonly next: number | null;
}

const PAGE = 30;

/** `newest`: the number of the newest known version; a newer one triggers a request. */
export function useVersions(http: Http, id: string, newest: number | null) {
  const clock = useServerClock();
  return useInfiniteQuery({
    queryKey: ["versions", id, newest],
    queryFn: ({ pageParam, signal }) => page(http, clock, id, pageParam, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.next,
    placeholderData: (before) => before,
  });
}

async function page(http: Http, clock: ServerClock, id: string, before: number | null, signal: AbortSignal): Promise<Page> {
  const from = before === null ? "" : `&before=${before}`;
  const { body, headers } = await http.request("GET", `/api/opportunities/${encodeURIComponent(id)}/versions?limit=${PAGE}${from}`, { signal });
  clock.observe(headers.get("Date"));
  return body as Page;
}
