/** Events in the life of a page, where there is a page: it is hidden and shown, frozen and resumed, and loses its network. */
export interface PageEvents {
  /** Check the connection now. */
  wake(): void;
  offline(): void;
  visibilityChanged(visible: boolean): void;
}

export function visible(): boolean {
  return typeof document === "undefined" || document.visibilityState === "visible";
}

/** Returns a function that stops watching. */
export function watchPage({ wake, offline, visibilityChanged }: PageEvents): () => void {
  if (typeof document === "undefined" || typeof window === "undefined") return () => undefined;
  const ended = new AbortController();
  const { signal } = ended;
  const onVisibility = (): void => {
    visibilityChanged(visible());
    if (visible()) wake();
  };
  document.addEventListener("visibilitychange", onVisibility, { signal });
  document.addEventListener("resume", wake, { signal });
  window.addEventListener("pageshow", wake, { signal });
  window.addEventListener("online", wake, { signal });
  window.addEventListener("offline", offline, { signal });
  return () => ended.abort();
}
