/**
 * How a page comes by an engine. One that outlives its pages (shared.ts) is for one page at a time: whoever finds it free takes it as it is, with
 * all that it has loaded and compiled. Who does not, or has a browser without such, starts one of its own.
 */

import * as Comlink from "comlink";

import { RELOAD } from "../contract";
import type { Engine } from "./worker";

export interface Hired {
  remote: Comlink.Remote<Engine>;
  /** When it has died by itself, and its last words. */
  died: Promise<string>;
  end(): void;
}

/** What the page's head has begun (demo/book/theme/main.html), long before this script arrives. */
declare global {
  var facelabEngine: { worker: Worker | SharedWorker; failed?: boolean } | undefined;
}

/** Milliseconds for one that outlives its pages to say whether it is free. */
const PATIENCE = 10_000;

export async function hire(cache: RequestCache): Promise<Hired> {
  const { worker, failed } = globalThis.facelabEngine ?? {};
  globalThis.facelabEngine = undefined; // for one
  if (cache === "reload") return own(start(RELOAD));
  if (!worker || failed) return own(start("facelab"));
  return worker instanceof Worker ? own(worker) : ((await taken(worker).catch(() => undefined)) ?? own(start("facelab")));
}

const start = (name: string) => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name });

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
  const lock = `facelab ${crypto.randomUUID()}`;
  await new Promise<void>((resolve) => {
    void navigator.locks.request(lock, () => {
      resolve();
      return new Promise(() => {}); // as long as the page is there
    });
  });
  const another = Comlink.proxy(async (name: string) => {
    const { port } = outliving("graphs.js", `${name} ${crypto.randomUUID()}`);
    return Comlink.transfer(port, [port]);
  });
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), PATIENCE));
  const free = await Promise.race([remote.take(lock, BUILD, another), died.then(() => false), late]);
  return free ? { remote, died, end: () => void remote.end() } : undefined;
}

/** As the page's head does it. */
function outliving(script: string, name: string): SharedWorker {
  return new SharedWorker(new URL(script, import.meta.url), { type: "module", name, extendedLifetime: true } as WorkerOptions);
}
