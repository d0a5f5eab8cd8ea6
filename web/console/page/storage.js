// Preferences that this browser remembers. They have the same keys as the board's, so both pages share them.

/** @param {string} name */
export function load(name) {
  try {
    return localStorage.getItem(`boardcast.${name}`);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string | null} value */
export function save(name, value) {
  try {
    if (value === null) localStorage.removeItem(`boardcast.${name}`);
    else localStorage.setItem(`boardcast.${name}`, value);
  } catch {
    // Storage is denied; the page works without it.
  }
}

export const THEMES = /** @type {const} */ (["system", "light", "dark"]);

/** @returns {typeof THEMES[number]} */
export const theme = () => THEMES.find((each) => each === load("theme")) ?? "system";

/** @param {typeof THEMES[number]} wanted */
export function setTheme(wanted) {
  save("theme", wanted === "system" ? null : wanted);
  showTheme();
}

export function showTheme() {
  const wanted = theme();
  if (wanted === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = wanted;
}
