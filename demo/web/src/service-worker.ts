/**
 * Keeps the site for times without a network. The book (pages, styles, scripts) is kept from the first visit on; the engine (Python, the
 * networks), ten times as large, once it has been used. A version is kept whole or not at all, and never mixed with another. What was compiled of it is
 * held from page to page.
 */

import { cleanupOutdatedCaches, precacheAndRoute } from "workbox-precaching";

import { isForLater, SHARES_COMPILED } from "./engine/files";

interface KeptFile {
  url: string;
  /** SHA-256 of its content. */
  revision: string;
}

interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  request: Request;
  respondWith(response: Promise<Response>): void;
}

/** What the compiler, which knows pages only, does not know of a service worker. `FILES` is written ahead of this script by the build. */
declare const self: {
  FILES: { book: KeptFile[]; engine: KeptFile[] };
  registration: { scope: string; update(): Promise<unknown> };
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: string, listener: (event: never) => void): void;
};

const ENGINE_CACHE = `facelab-engine-${self.registration.scope}`;
/** With the build's folder. */
const MANIFEST = self.FILES.engine.find(({ url }) => /^app\/(\w+\/)?assets\.json$/.test(url))!.url;
const APP = MANIFEST.replace("assets.json", "");
const absolute = (url: string) => new URL(url, self.registration.scope).href;
const engine = new Map(self.FILES.engine.map(({ url, revision }) => [absolute(url), revision]));
/** Content and address: files of two versions never answer for each other. */
const keyOf = (url: string, revision: string) => `${url}?revision=${revision}`;

self.addEventListener("fetch", (event: FetchEvent) => {
  const { request } = event;
  const revision = request.method === "GET" ? engine.get(request.url) : undefined;
  if (revision) event.respondWith(engineFile(request, revision));
});
// The browser checks files of the build's folder by their hashes, but not pages: a host may change those on the way.
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
  const cache = await caches.open(ENGINE_CACHE).catch(() => undefined); // damaged, or forbidden
  const kept = await cache?.match(keyOf(request.url, revision)).catch(() => undefined);
  if (kept) return kept; // as it is: beside what comes straight out of a cache the browser keeps what it has compiled of it
  const response = await fetch(request);
  // The engine's list comes first: where it is gone, or another version's than this page, nothing of that version is let in.
  if (request.url !== absolute(MANIFEST)) return response;
  if (response.ok ? (await hashOf(response.clone())) === revision : response.status !== 404) return response;
  void self.registration.update();
  return new Response(null, { status: 409, statusText: "The site has another version meanwhile" });
}

let kept = Promise.resolve(false);

/** Once, however often pages ask; again where it did not succeed. */
function keepEngine(): Promise<boolean> {
  return (kept = kept.then((all) => all || keepFiles()).catch(() => false)); // short of room, for one
}

/** Whether all are. What the page has just loaded mostly comes out of the browser's own cache here. */
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
    if (!response?.ok) return false; // next time
    if ((await hashOf(response.clone())) !== revision) {
      void self.registration.update();
      return false;
    }
    await hold(url, response.clone());
    await cache.put(key, response);
  }
  return true;
}

/** WebAssembly that the engine starts with. */
const held = new Map<string, WebAssembly.Module>();

/** A function is compiled when it is first called. Held here, the file outlives its page, and the next one finds compiled what the last one called. */
async function hold(url: string, response: Response): Promise<void> {
  const path = url.slice(absolute(APP).length);
  if (!SHARES_COMPILED || !path.endsWith(".wasm") || isForLater(path)) return;
  const compiled = await WebAssembly.compileStreaming(response).catch(() => undefined); // the page will say what is wrong
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
