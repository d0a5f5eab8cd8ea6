// What this browser keeps of a person's choices, under the board's own names: who chose dark there finds it here.

/** @param {string} name */
export function recall(name) {
  try {
    return localStorage.getItem(`boardcast.${name}`);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string | null} value */
export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(`boardcast.${name}`);
    else localStorage.setItem(`boardcast.${name}`, value);
  } catch {
    // Denied: it is only a choice of appearance.
  }
}

export const THEMES = /** @type {const} */ (["system", "light", "dark"]);

/** @returns {typeof THEMES[number]} */
export const theme = () => THEMES.find((each) => each === recall("theme")) ?? "system";

/** @param {typeof THEMES[number]} wanted */
export function setTheme(wanted) {
  keep("theme", wanted === "system" ? null : wanted);
  showTheme();
}

export function showTheme() {
  const wanted = theme();
  if (wanted === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = wanted;
}
