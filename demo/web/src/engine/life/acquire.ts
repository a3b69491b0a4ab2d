/**
 * How a page gets an engine. An engine that outlives its pages (shared.ts) serves one page at a time. A page that finds it free takes it as it is, with
 * everything that is loaded and compiled. Otherwise the page starts an engine that no other page uses.
 */

import * as Comlink from "comlink";

import { EngineError, RELOAD } from "../../contract";
import { newId } from "../../new-id";
import { LOADED } from "./shared";
import { startWorker } from "./start-worker";
import type { Engine } from "../worker";
import script from "../worker?worker&url";

/** "own": an engine of this page alone, which can be stopped; "afresh": the same, but without trusting the browser's caches. */
export type Kind = "any" | "own" | "afresh";

export interface Acquired {
  remote: Comlink.Remote<Engine>;
  /** Resolves with its last message when it has died. */
  died: Promise<string>;
  end(): void;
  /** Let other pages take it, if it outlives this page. */
  leave?: () => void;
}

type AnyWorker = Worker | SharedWorker;

/** Defined in each page's head: demo/book/theme/main.html, features.html. */
declare global {
  /** Why the engine cannot run in this browser, as a sentence for the reader; "" if it can. */
  var facelabLacks: (() => string) | undefined;
  /** Starts a worker that outlives its page, if the browser has such workers. */
  var facelabBegin: ((script: string, name: string) => AnyWorker) | undefined;
  /** The worker that the head has started, long before this script arrives. */
  var facelabEngine: Begun | undefined;
}

interface Begun {
  worker: AnyWorker;
  failed?: boolean;
}

/** The folder of this script and the workers' scripts. */
const SCRIPTS = new URL(/* @vite-ignore */ "../web/", import.meta.url);
const WORKER = "facelab";
/** Milliseconds for an engine that outlives its pages to say whether it is free: for one that may be loading, and for one that has loaded. */
const PATIENCE = 10_000;
const PATIENCE_LOADED = 1000;

/** @throws EngineError if the engine cannot run in this browser. Call it before any of the engine's files is fetched. */
export function requireFeatures(): void {
  const lacks = globalThis.facelabLacks?.();
  if (lacks) throw new EngineError(lacks);
}

export async function acquire(kind: Kind): Promise<Acquired> {
  requireFeatures();
  const early = globalThis.facelabEngine;
  globalThis.facelabEngine = undefined; // only the first caller may take it
  if (kind === "afresh") return own(start(RELOAD));
  if (kind === "own" || early?.failed) return own(start(WORKER));
  const worker = early?.worker ?? begin();
  return worker instanceof Worker ? own(worker) : ((await taken(worker).catch(() => undefined)) ?? own(start(WORKER)));
}

const start = (name: string) => startWorker(script, name);

/** The same as the page's head does. */
function begin(): AnyWorker {
  const worker = globalThis.facelabBegin?.(addressOf("worker.js"), WORKER) ?? start(WORKER);
  if (!(worker instanceof Worker)) {
    const { port } = anotherBegun("graphs.js", WORKER);
    worker.port.postMessage(port, [port]);
  }
  return worker;
}

const addressOf = (script: string) => new URL(script, SCRIPTS).href;
const anotherBegun = (script: string, name: string) => globalThis.facelabBegin!(addressOf(script), name) as SharedWorker;

function own(worker: Worker): Acquired {
  const died = new Promise<string>((resolve) =>
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      resolve(event.message);
    }),
  );
  return { remote: Comlink.wrap<Engine>(worker), died, end: () => worker.terminate() };
}

/** An engine that outlives its pages, unless another page has it. */
async function taken(worker: SharedWorker): Promise<Acquired | undefined> {
  const { port } = worker;
  const died = new Promise<string>((resolve) => {
    worker.addEventListener("error", () => resolve(""));
    port.addEventListener("close", () => resolve(""));
    port.addEventListener("message", ({ data }) => typeof data?.died === "string" && resolve(data.died));
  });
  const remote = Comlink.wrap<Engine>(port);
  const another = Comlink.proxy(async (name: string) => {
    const { port } = anotherBegun("graphs.js", name);
    return Comlink.transfer(port, [port]);
  });
  const { lock, held, leave } = hold();
  const late = new Promise<false>((resolve) => {
    const giveUpIn = (milliseconds: number) => setTimeout(() => resolve(false), milliseconds);
    giveUpIn(PATIENCE);
    isLoaded().then((loaded) => loaded && giveUpIn(PATIENCE_LOADED), () => {}); // it may be computing for the last page
  });
  const asked = held.then(() => remote.take(lock, BUILD, another));
  const free = await Promise.race([asked, died.then(() => false), late]);
  if (free) return { remote, died, leave, end: () => void remote.end() };
  leave();
  return undefined;
}

/** Whether an engine has loaded that outlives its pages. It holds a lock from then on. */
async function isLoaded(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === LOADED);
}

/** A lock that is released when this page leaves or is gone. `held` rejects if the browser gives no locks, for example with site data blocked. */
function hold(): { lock: string; held: Promise<void>; leave: () => void } {
  const lock = `facelab ${newId()}`;
  let leave!: () => void;
  const left = new Promise<void>((resolve) => (leave = resolve));
  const held = new Promise<void>((resolve, reject) => {
    navigator.locks.request(lock, () => {
      resolve();
      return left;
    }).catch(reject);
  });
  return { lock, held, leave };
}
