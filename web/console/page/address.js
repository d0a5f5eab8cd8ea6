// The address holds everything that the page shows: the view, the filters, the open change. So a link shows the same to another DBA.

export const FILTERS = ["text", "board", "op", "actor", "table", "key", "opportunity", "source", "origin", "xid", "since", "until"];
export const VIEWS = /** @type {const} */ (["log", "charts", "feed"]);
export const RANGES = ["15m", "1h", "6h", "24h"];

/** @typedef {Record<string, string>} Filters */
/** @typedef {{ view: typeof VIEWS[number], range: string, change: string | null, filters: Filters }} Address */

/** @param {string} [search] @returns {Address} */
export function where(search = location.search) {
  const named = new URLSearchParams(search);
  const range = named.get("range") ?? "";
  return {
    view: VIEWS.find((each) => each === named.get("view")) ?? "log",
    range: RANGES.includes(range) ? range : "1h",
    change: named.get("change"),
    filters: Object.fromEntries(FILTERS.map((name) => [name, named.get(name) ?? ""]).filter(([, value]) => value !== "")),
  };
}

/**
 * The address with some parameters changed; null removes one.
 * @param {Record<string, string | number | null>} changes
 */
export function link(changes, search = location.search) {
  const named = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") named.delete(name);
    else named.set(name, String(value));
  }
  return `?${named}`;
}

/**
 * The address of the log with only these filters.
 * @param {Record<string, string | number | null>} filters
 */
export function only(filters, search = location.search) {
  return link({ ...Object.fromEntries(FILTERS.map((name) => [name, null])), view: null, ...filters }, search);
}

/** @param {string} address @param {boolean} [quietly] replace the history entry: while the user types */
export function go(address, quietly = false) {
  if (address === (location.search || "?")) return;
  history[quietly ? "replaceState" : "pushState"](null, "", address === "?" ? location.pathname : address);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** Links within the page do not reload it. */
export function followLinks() {
  addEventListener("click", (event) => {
    const anchor = event.target instanceof Element ? event.target.closest("a[href^='?']") : null;
    if (!anchor || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(anchor.getAttribute("href") ?? "?");
  });
}
