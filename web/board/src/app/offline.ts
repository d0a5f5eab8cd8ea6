/** The page's side of src/worker/serviceWorker.ts. */

const START = "boardcast-start";

/** Let the browser keep the page, so that it opens without a connection and can be installed. */
export function keepPage(): void {
  if (import.meta.env.DEV || !("serviceWorker" in navigator)) return;
  // The page's policy takes the address of a script only from such an object. TypeScript does not know them yet.
  const { trustedTypes } = window as { trustedTypes?: { createPolicy(name: string, rules: object): { createScriptURL(text: string): string } } };
  const address = trustedTypes?.createPolicy("boardcast", { createScriptURL: () => "/sw.js" }).createScriptURL("") ?? "/sw.js";
  const register = (): void => void navigator.serviceWorker.register(address).catch(() => undefined); // it works without
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}

/** The next user of this browser must not see the boards of the one who signs out. */
export async function forgetBoards(): Promise<void> {
  if ("caches" in window) await caches.delete(START).catch(() => false);
}
