import { keep, recall } from "../kept";

/** `system`: as the system is now, and when it changes. */
export type Theme = "system" | "light" | "dark";

export function theme(): Theme {
  const kept = recall("theme");
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** Show it, and remember it for this browser. */
export function setTheme(wanted: Theme): void {
  keep("theme", wanted === "system" ? null : wanted);
  showTheme(wanted);
}

export function showTheme(wanted: Theme): void {
  if (wanted === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = wanted;
}
