/**
 * Keeps the site for use without a network. It stores the book (pages, styles, scripts) on the first visit, and the engine (Python, the networks), which is
 * ten times as large, once it has been used. It keeps each version whole or not at all, and never mixes two versions. It also holds compiled code from page
 * to page.
 */

import { cleanupOutdatedCaches, precacheAndRoute } from "workbox-precaching";

import { isForLater, SHARES_COMPILED } from "./engine/files";

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
/** Paths that include the build's folder. */
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
precacheAndRoute(self.FILES.book.map((file) => (file.url.startsWith(APP) ? { ...file, integrity: integrityOf(file) } : file)));
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
  if (kept) return kept; // Return it unchanged: browsers keep compiled code only for responses that come straight out of a cache.
  const response = await fetch(request);
  // Fetch the engine's list first. If it is missing, or belongs to another version than this page, store nothing of that version.
  if (request.url !== absolute(MANIFEST)) return response;
  if (response.ok ? (await hashOf(response.clone())) === revision : response.status !== 404) return response;
  void self.registration.update();
  return new Response(null, { status: 409, statusText: "The site has another version meanwhile" });
}

let kept = Promise.resolve(false);

/** Keep the files once, however often pages ask, and try again after a failure. */
function keepEngine(): Promise<boolean> {
  return (kept = kept.then((all) => all || keepFiles()).catch(() => false)); // for example, too little room
}

/** Whether all files are stored. Most of them come from the browser's own cache, because the page has just loaded them. */
async function keepFiles(): Promise<boolean> {
  const cache = await caches.open(ENGINE_CACHE);
  for (const [url, revision] of engine) {
    const key = keyOf(url, revision);
    const there = await cache.match(key);
    if (there) {
      await hold(url, there);
      continue;
    }
    const response = await fetch(url).catch(() => undefined);
    if (!response?.ok) return false; // try again next time
    if ((await hashOf(response.clone())) !== revision) {
      void self.registration.update();
      return false;
    }
    await hold(url, response.clone());
    await cache.put(key, response);
  }
  return true;
}

/** WebAssembly files that the engine starts with. */
const held = new Map<string, WebAssembly.Module>();

/**
 * Browsers compile a function when it is first called. While this worker holds a module, the next page finds everything compiled that an earlier page has
 * called.
 */
async function hold(url: string, response: Response): Promise<void> {
  const path = url.slice(absolute(APP).length);
  if (!SHARES_COMPILED || !path.endsWith(".wasm") || isForLater(path)) return;
  const compiled = await WebAssembly.compileStreaming(response).catch(() => undefined); // the page reports what is wrong
  if (compiled) held.set(url, compiled);
}

async function dropOldEngine(): Promise<void> {
  const cache = await caches.open(ENGINE_CACHE);
  const current = new Set([...engine].map(([url, revision]) => keyOf(url, revision)));
  await Promise.all((await cache.keys()).map((request) => (current.has(request.url) ? null : cache.delete(request))));
}

function integrityOf({ revision }: KeptFile): string {
  return `sha256-${btoa(String.fromCharCode(...revision.match(/../g)!.map((byte) => parseInt(byte, 16))))}`;
}

async function hashOf(response: Response): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await response.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
