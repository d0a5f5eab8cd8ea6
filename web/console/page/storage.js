// Preferences that this browser remembers. The board imports this module too, so both pages share them.

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
    // Storage is denied or full; the page works without it.
  }
}

export const LANGUAGES = { "pt-BR": "Português", en: "English" };
/** @typedef {keyof typeof LANGUAGES} Language */

/** The language chosen before, else the first of the browser's languages that is available, else Portuguese. @returns {Language} */
export function preferredLanguage() {
  for (const each of [load("language"), ...navigator.languages]) {
    if (each?.toLowerCase().startsWith("pt")) return "pt-BR";
    if (each?.toLowerCase().startsWith("en")) return "en";
  }
  return "pt-BR";
}

/** The browser's variant of a language, which decides the format of dates. @param {Language} language */
export const regionOf = (language) => navigator.languages.find((each) => each.startsWith(language.slice(0, 2))) ?? language;

export const THEMES = /** @type {const} */ (["system", "light", "dark"]);

/** @typedef {typeof THEMES[number]} Theme `system`: follow the system's setting */

/** @returns {Theme} */
export const theme = () => THEMES.find((each) => each === load("theme")) ?? "system";

/** Apply a theme, and remember it. @param {Theme} wanted */
export function setTheme(wanted) {
  save("theme", wanted === "system" ? null : wanted);
  showTheme();
}

export function showTheme() {
  const wanted = theme();
  if (wanted === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = wanted;
}
