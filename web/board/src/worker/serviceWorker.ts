/**
 * Starts the board without a connection: it keeps the page, its files, and the last response of GET /api/start.
 *
 * Invariant: while the service answers, what it answers is shown. The kept page and start are used only if there is no answer in time.
 * Files under /assets are named after their contents, so a kept one is never outdated.
 */
declare const self: ServiceWorkerGlobalScope;

/** The build puts the names of its files here. */
const FILES = JSON.parse("%FILES%") as readonly string[];
const PAGE = "boardcast-page";
const ASSETS = "boardcast-assets";
/** Also deleted by the page when the user signs out: src/app/offline.ts. */
const START = "boardcast-start";
/** Ms until a service that does not answer counts as unreachable. */
const PATIENCE = 4_000;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(removeOldFiles()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === "/") event.respondWith(newest(request, PAGE, "/"));
  else if (pathname === "/api/start") event.respondWith(newest(request, START, request.url));
  else if (pathname.startsWith("/assets/") || pathname.startsWith("/static/icon")) event.respondWith(kept(request));
});

/** The files of this build, for a page that is opened without a connection and for a part that is loaded after an upgrade. */
async function install(): Promise<void> {
  const assets = await caches.open(ASSETS);
  const missing = await Promise.all(FILES.map(async (file) => ((await assets.match(file, { ignoreVary: true })) ? [] : [file])));
  await assets.addAll(missing.flat());
  await (await caches.open(PAGE)).add("/");
}

/** This worker takes over when no page of an older build is open. */
async function removeOldFiles(): Promise<void> {
  const assets = await caches.open(ASSETS);
  const wanted = new Set(FILES.map((file) => new URL(file, location.origin).href));
  for (const { url } of await assets.keys()) if (!wanted.has(url)) await assets.delete(url);
}

async function newest(request: Request, cache: string, key: string): Promise<Response> {
  const store = await caches.open(cache);
  const before = await store.match(key, { ignoreVary: true });
  const asked = fetch(request).then(async (response) => {
    if (response.ok) await store.put(key, response.clone());
    else if (response.status === 401) await store.delete(key); // nobody is signed in
    return response;
  });
  if (!before) return asked;
  asked.catch(() => undefined); // the kept one may have been used
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(before), PATIENCE));
  return Promise.race([asked.catch(() => before), late]);
}

async function kept(request: Request): Promise<Response> {
  // Whatever it varies by, its content is that of its name.
  return (await (await caches.open(ASSETS)).match(request, { ignoreVary: true })) ?? fetch(request);
}

export {};
