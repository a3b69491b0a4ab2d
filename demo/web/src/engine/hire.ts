/**
 * How a page comes by an engine. One that outlives its pages (shared.ts) is for one page at a time: whoever finds it free takes it as it is, with
 * all that it has loaded and compiled. Who does not, or has a browser without such, starts one of its own.
 */

import * as Comlink from "comlink";

import { RELOAD } from "../contract";
import { newId } from "../new-id";
import { startWorker } from "./start-worker";
import type { Engine } from "./worker";
import script from "./worker?worker&url";

/** "own": one that is the page's alone, and can be stopped in the middle; "afresh": such a one that distrusts what the browser has kept. */
export type Kind = "any" | "own" | "afresh";

export interface Hired {
  remote: Comlink.Remote<Engine>;
  /** When it has died by itself, and its last words. */
  died: Promise<string>;
  end(): void;
  /** Let others have it, where it outlives this page. */
  leave?: () => void;
}

type AnyWorker = Worker | SharedWorker;

/** In each page's head: demo/book/theme/main.html. */
declare global {
  /** One that outlives its page, where the browser has such. */
  var facelabBegin: ((script: string, name: string) => AnyWorker) | undefined;
  /** What has been begun there, long before this script arrives. */
  var facelabEngine: Begun | undefined;
}

interface Begun {
  worker: AnyWorker;
  failed?: boolean;
}

/** This script is one of them. */
const SCRIPTS = new URL(/* @vite-ignore */ "../web/", import.meta.url);
const WORKER = "facelab";
/** Milliseconds for an engine that outlives its pages to say whether it is free. */
const PATIENCE = 10_000;

export async function hire(kind: Kind): Promise<Hired> {
  const early = globalThis.facelabEngine;
  globalThis.facelabEngine = undefined; // for one
  if (kind === "afresh") return own(start(RELOAD));
  if (kind === "own" || early?.failed) return own(start(WORKER));
  const worker = early?.worker ?? begin();
  return worker instanceof Worker ? own(worker) : ((await taken(worker).catch(() => undefined)) ?? own(start(WORKER)));
}

const start = (name: string) => startWorker(script, name);

/** As the head does it. */
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

function own(worker: Worker): Hired {
  const died = new Promise<string>((resolve) =>
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      resolve(event.message);
    }),
  );
  return { remote: Comlink.wrap<Engine>(worker), died, end: () => worker.terminate() };
}

/** One that outlives its pages, unless another page has it. */
async function taken(worker: SharedWorker): Promise<Hired | undefined> {
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
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), PATIENCE));
  const asked = held.then(() => remote.take(lock, BUILD, another));
  const free = await Promise.race([asked, died.then(() => false), late]);
  if (free) return { remote, died, leave, end: () => void remote.end() };
  leave();
  return undefined;
}

/** A lock that is let go of when this page leaves, or is gone. `held` rejects where the browser gives none: site data can be blocked. */
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
