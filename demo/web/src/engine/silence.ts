/**
 * Ends the wait for a network that has fallen silent. Only silence counts: a slow line is left alone as long as anything comes. The engine itself
 * cannot look: it may be computing for seconds while files arrive.
 */

import type { Arrivals } from "./assets";

/** Milliseconds between two looks; without a byte until the page says what it waits for, and until it gives up. */
const STEP = 2000;
const QUIET = 6000;
/** A browser lets one request wait 20 seconds for another of the same file. */
const SILENT = 30_000;
/** Milliseconds without a byte and without an answer, or with nothing on its way, in which an engine must have started. */
const LOST = 120_000;

export interface Waiting {
  /** Whether anything is waited for: the engine's start, or an answer of it. */
  phase: () => "starting" | "asked" | "idle";
  arrivals: () => Promise<Arrivals>;
  /** Files, and for how many milliseconds nothing has come; no files: something has come again. */
  tell: (files: string[], silent: number) => void;
  giveUp: (why: string) => void;
  /** It has not started, and nobody knows why. */
  lost: () => void;
}

/** Looks until `signal` aborts. */
export function watchForSilence({ phase, arrivals, tell, giveUp, lost }: Waiting, signal: AbortSignal): void {
  let [silent, idle, before] = [0, 0, -1];
  let told: string[] = [];
  let asking = false;
  const say = (files: string[]) => {
    if (files.length || told.length) tell(files, silent);
    told = files;
  };
  const look = async () => {
    const { bytes, files } = await arrivals();
    if (bytes !== before || phase() === "idle") [silent, idle] = [0, 0];
    if (!files.length) silent = 0;
    before = bytes;
    say(silent >= QUIET ? files : []);
    if (silent >= SILENT) giveUp(`nothing has arrived for ${SILENT / 1000} seconds`);
  };
  const timer = setInterval(() => {
    if (phase() === "idle") return;
    silent += STEP;
    idle += STEP;
    if (phase() === "starting" && idle >= LOST) lost();
    if (asking) return;
    asking = true;
    look().catch(() => {}).finally(() => (asking = false));
  }, STEP);
  signal.addEventListener("abort", () => clearInterval(timer));
}
