import { useDeferredValue, useMemo } from "react";
import type { Columns } from "./drag/target";
import { isFiltered, matching, type Filter } from "./filter";

/** The cards that match the filter. Deferred, so that typing stays responsive. */
export function useFilteredColumns(columns: Columns, filter: Filter): Columns {
  const wanted = useDeferredValue(filter);
  return useMemo(() => (isFiltered(wanted) ? new Map([...columns].map(([phase, cards]) => [phase, matching(cards, wanted)])) : columns), [columns, wanted]);
}
