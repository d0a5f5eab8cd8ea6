/** What this browser remembers for its user. Where storage is denied, it lasts as long as the page. */
export function load(name: string): string | null {
  try {
    return localStorage.getItem(`boardcast.${name}`);
  } catch {
    return null;
  }
}

export function save(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`boardcast.${name}`);
    else localStorage.setItem(`boardcast.${name}`, value);
  } catch {
    // Storage is denied or full; the page works without it.
  }
}
