/** What a page goes through, where there is a page: it is hidden and seen, frozen and thawed, and loses the network. */
export interface PageEvents {
  /** Look at the stream at once. */
  wake(): void;
  offline(): void;
  seen(visible: boolean): void;
}

export function visible(): boolean {
  return typeof document === "undefined" || document.visibilityState === "visible";
}

/** Returns the function that ends it. */
export function watchPage({ wake, offline, seen }: PageEvents): () => void {
  if (typeof document === "undefined" || typeof window === "undefined") return () => undefined;
  const ended = new AbortController();
  const { signal } = ended;
  const turned = (): void => {
    seen(visible());
    if (visible()) wake();
  };
  document.addEventListener("visibilitychange", turned, { signal });
  document.addEventListener("resume", wake, { signal });
  window.addEventListener("pageshow", wake, { signal });
  window.addEventListener("online", wake, { signal });
  window.addEventListener("offline", offline, { signal });
  return () => ended.abort();
}
