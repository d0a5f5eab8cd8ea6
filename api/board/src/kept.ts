/** What this browser keeps of a person's choices. Where storage is denied they last as long as the page. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`boardcast.${name}`);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`boardcast.${name}`);
    else localStorage.setItem(`boardcast.${name}`, value);
  } catch {
    // Denied: it is only a choice of appearance.
  }
}
