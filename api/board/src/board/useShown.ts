import { useDeferredValue, useMemo } from "react";
import type { Columns } from "./drag/target";
import { filters, fitting, type Filter } from "./filter";

/** The cards that are shown: all of them, or those that the filter leaves. Typing never waits for it. */
export function useShown(columns: Columns, filter: Filter): Columns {
  const wanted = useDeferredValue(filter);
  return useMemo(() => (filters(wanted) ? new Map([...columns].map(([phase, cards]) => [phase, fitting(cards, wanted)])) : columns), [columns, wanted]);
}
