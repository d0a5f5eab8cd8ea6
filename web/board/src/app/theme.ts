import { load, save } from "../storage";

/** `system`: follow the system's setting. */
export type Theme = "system" | "light" | "dark";

export function theme(): Theme {
  const stored = load("theme");
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** Apply a theme, and remember it in this browser. */
export function setTheme(wanted: Theme): void {
  save("theme", wanted === "system" ? null : wanted);
  showTheme(wanted);
}

export function showTheme(wanted: Theme): void {
  if (wanted === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = wanted;
}
