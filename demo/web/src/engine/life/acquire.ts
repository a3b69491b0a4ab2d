/**
 * How a page gets an engine. An engine in shared workers that outlive their page (shared.ts) serves one page at a time. A page that finds it free claims it as
 * it is, with everything that is loaded and compiled. Otherwise the page starts an engine in dedicated workers.
 */

import * as Comlink from "comlink";

import { EngineError, RELOAD } from "../../contract";
import { newId } from "../../new-id";
import { LOADED } from "./shared";
import { startWorker } from "./start-worker";
import type { Engine } from "../worker";
import script from "../worker?worker&url";

/** "dedicated": an engine that only this page uses, and that the page can stop; "reload": the same, with files from the server and not from caches. */
export type Kind = "any" | "dedicated" | "reload";

export interface Acquired {
  remote: Comlink.Remote<Engine>;
  /** Resolves with the engine's last message when the engine has died. */
  died: Promise<string>;
  end(): void;
  /** Lets other pages claim the engine. Exists only for an engine that outlives this page. */
  release?: () => void;
}

type AnyWorker = Worker | SharedWorker;

/** Each page's head defines these: demo/book/theme/main.html, features.html. */
declare global {
  /** Why the engine cannot run in this browser, as a sentence for the reader; "" if it can. */
  var facelabLacks: (() => string) | undefined;
  /** Starts a shared worker that outlives this page, or a dedicated worker if the browser has no such shared workers. */
  var facelabStartWorker: ((script: string, name: string) => AnyWorker) | undefined;
  /** The worker of Python that the head has started before this script arrives. */
  var facelabEngine: EarlyWorker | undefined;
}

interface EarlyWorker {
  worker: AnyWorker;
  failed?: boolean;
}

/** The folder of this script and the workers' scripts. */
const SCRIPTS = new URL(/* @vite-ignore */ "../web/", import.meta.url);
const WORKER = "facelab";
/** Milliseconds in which a shared engine must say whether it is free: while it may be loading, and once it has loaded. */
const PATIENCE = 10_000;
const PATIENCE_LOADED = 1000;

/** Call this before any of the engine's files is fetched. @throws EngineError if the engine cannot run in this browser. */
export function requireFeatures(): void {
  const lacks = globalThis.facelabLacks?.();
  if (lacks) throw new EngineError(lacks);
}

export async function acquire(kind: Kind): Promise<Acquired> {
  requireFeatures();
  const early = globalThis.facelabEngine;
  globalThis.facelabEngine = undefined; // only the first caller may use it
  if (kind === "reload") return dedicated(start(RELOAD));
  if (kind === "dedicated" || early?.failed) return dedicated(start(WORKER));
  const worker = early?.worker ?? startAny();
  return worker instanceof Worker ? dedicated(worker) : ((await claim(worker).catch(() => undefined)) ?? dedicated(start(WORKER)));
}

const start = (name: string) => startWorker(script, name);

/** Does the same as the page's head. */
function startAny(): AnyWorker {
  const worker = globalThis.facelabStartWorker?.(addressOf("worker.js"), WORKER) ?? start(WORKER);
  if (!(worker instanceof Worker)) {
    const { port } = startShared("graphs.js", WORKER);
    worker.port.postMessage(port, [port]);
  }
  return worker;
}

const addressOf = (script: string) => new URL(script, SCRIPTS).href;
const startShared = (script: string, name: string) => globalThis.facelabStartWorker!(addressOf(script), name) as SharedWorker;

function dedicated(worker: Worker): Acquired {
  const died = new Promise<string>((resolve) =>
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      resolve(event.message);
    }),
  );
  return { remote: Comlink.wrap<Engine>(worker), died, end: () => worker.terminate() };
}

/** Claims a shared engine for this page. Resolves to undefined if another page has it, or if it does not answer in time. */
async function claim(worker: SharedWorker): Promise<Acquired | undefined> {
  const { port } = worker;
  const died = new Promise<string>((resolve) => {
    worker.addEventListener("error", () => resolve(""));
    port.addEventListener("close", () => resolve(""));
    port.addEventListener("message", ({ data }) => typeof data?.died === "string" && resolve(data.died));
  });
  const remote = Comlink.wrap<Engine>(port);
  const getWorker = Comlink.proxy(async (name: string) => {
    const { port } = startShared("graphs.js", name);
    return Comlink.transfer(port, [port]);
  });
  const { lock, held, release } = holdLock();
  const late = new Promise<false>((resolve) => {
    const giveUpIn = (milliseconds: number) => setTimeout(() => resolve(false), milliseconds);
    giveUpIn(PATIENCE);
    isLoaded().then((loaded) => loaded && giveUpIn(PATIENCE_LOADED), () => {}); // an engine that has loaded answers at once, unless it computes for the last page
  });
  const asked = held.then(() => remote.claim(lock, BUILD, getWorker));
  const free = await Promise.race([asked, died.then(() => false), late]);
  if (free) return { remote, died, release, end: () => void remote.end() };
  release();
  return undefined;
}

/** Whether a shared engine has loaded. It holds a lock from then on. */
async function isLoaded(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === LOADED);
}

/** A lock that is released by `release`, or when this page is gone. `held` rejects if the browser refuses locks, for example with site data blocked. */
function holdLock(): { lock: string; held: Promise<void>; release: () => void } {
  const lock = `facelab ${newId()}`;
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  const held = new Promise<void>((resolve, reject) => {
    navigator.locks.request(lock, () => {
      resolve();
      return released;
    }).catch(reject);
  });
  return { lock, held, release };
}
