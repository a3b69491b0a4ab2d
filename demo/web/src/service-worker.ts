/**
 * Keeps the site for use without a network. It stores the book (pages, styles, scripts) on the first visit, and the engine (Python, the networks), which is
 * ten times as large, once it has been used. It keeps each version whole or not at all, and never mixes two versions.
 */

import { cleanupOutdatedCaches, precacheAndRoute } from "workbox-precaching";

import { hex, integrityOf } from "./engine/listed";

interface KeptFile {
  url: string;
  /** SHA-256 of the file's content. */
  revision: string;
}

interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  request: Request;
  respondWith(response: Promise<Response>): void;
}

/** Types that TypeScript's library for pages does not have. The build writes `FILES` in front of this script. */
declare const self: {
  FILES: { book: KeptFile[]; engine: KeptFile[] };
  registration: { scope: string; update(): Promise<unknown> };
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: string, listener: (event: never) => void): void;
};

const ENGINE_CACHE = `facelab-engine-${self.registration.scope}`;
/** The paths of the engine's list and folder, which include the build's name. */
const MANIFEST = self.FILES.engine.find(({ url }) => /^app\/(\w+\/)?assets\.json$/.test(url))!.url;
const APP = MANIFEST.replace("assets.json", "");
const absolute = (url: string) => new URL(url, self.registration.scope).href;
const engine = new Map(self.FILES.engine.map(({ url, revision }) => [absolute(url), revision]));
/** A cache key made of content and address, so that files of two versions never replace each other. */
const keyOf = (url: string, revision: string) => `${url}?revision=${revision}`;

self.addEventListener("fetch", (event: FetchEvent) => {
  const { request } = event;
  const revision = request.method === "GET" ? engine.get(request.url) : undefined;
  if (revision) event.respondWith(engineFile(request, revision));
});
// Browsers check the files of the build's folder by their hashes, but not pages, which a host may change on the way.
precacheAndRoute(self.FILES.book.map((file) => (file.url.startsWith(APP) ? { ...file, integrity: integrityOf(file.revision) } : file)));
cleanupOutdatedCaches();

self.addEventListener("activate", (event: ExtendableEvent) => {
  event.waitUntil(Promise.all([self.clients.claim(), dropOldEngine()]));
});

self.addEventListener("message", (event: ExtendableEvent & MessageEvent<{ type: string }>) => {
  if (event.data.type === "SKIP_WAITING") event.waitUntil(self.skipWaiting());
  if (event.data.type === "KEEP_ENGINE") event.waitUntil(keepEngine());
});

async function engineFile(request: Request, revision: string): Promise<Response> {
  const cache = await caches.open(ENGINE_CACHE).catch(() => undefined); // the cache may be damaged or forbidden
  const kept = await cache?.match(keyOf(request.url, revision)).catch(() => undefined);
  if (kept) return kept; // unchanged, because browsers keep compiled code only for responses that come straight out of a cache
  const response = await fetch(request);
  // Fetch the engine's list first. If it is missing, or belongs to another version than this page, store nothing of that version.
  if (request.url !== absolute(MANIFEST)) return response;
  if (response.ok ? (await hashOf(response.clone())) === revision : response.status !== 404) return response;
  void self.registration.update();
  return new Response(null, { status: 409, statusText: "The site has another version meanwhile" });
}

let kept = Promise.resolve(false);

/** Keeps the files once, however often pages ask, and tries again after a failure. */
function keepEngine(): Promise<boolean> {
  return (kept = kept.then((all) => all || keepFiles()).catch(() => false)); // for example, too little room
}

/** Stores all files, most of which come from the browser's own cache, because the page has just loaded them. Resolves to whether all are stored. */
async function keepFiles(): Promise<boolean> {
  const cache = await caches.open(ENGINE_CACHE);
  for (const [url, revision] of engine) {
    const key = keyOf(url, revision);
    if (await cache.match(key)) continue;
    const response = await fetch(url).catch(() => undefined);
    if (!response?.ok) return false; // try again next time
    if ((await hashOf(response.clone())) !== revision) {
      void self.registration.update();
      return false;
    }
    await cache.put(key, response);
  }
  return true;
}

async function dropOldEngine(): Promise<void> {
  const cache = await caches.open(ENGINE_CACHE);
  const current = new Set([...engine].map(([url, revision]) => keyOf(url, revision)));
  await Promise.all((await cache.keys()).map((request) => (current.has(request.url) ? null : cache.delete(request))));
}

async function hashOf(response: Response): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", await response.arrayBuffer()));
}
