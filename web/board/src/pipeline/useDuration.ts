import { useCallback } from "react";
import { useI18n } from "../i18n";
import { useWords } from "./useWords";

const UNITS = [
  ["ofDays", 86_400],
  ["hours", 3600],
  ["minutes", 60],
  ["seconds", 1],
] as const;

/** Formats seconds in the largest unit that they have two of, or one of days. */
export function useDuration(): (seconds: number) => string {
  const w = useWords();
  const { format } = useI18n();
  return useCallback(
    (seconds) => {
      const [name, size] = UNITS.find(([, each]) => seconds >= each * (each === 86_400 ? 1 : 2)) ?? (["seconds", 1] as const);
      const count = Math.round(seconds / size);
      return w(name, { count }).replace(String(count), format.number(count));
    },
    [w, format],
  );
}
