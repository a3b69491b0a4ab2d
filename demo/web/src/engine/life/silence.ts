/**
 * Stops waiting for a connection that has fallen silent. A slow connection is left alone as long as bytes arrive. The engine itself cannot watch, because it
 * may compute for seconds while files arrive. Checks are counted, and not time, so that a machine's sleep does not count (see awake.ts).
 */

import type { Arrivals } from "../assets";

/** Milliseconds between two checks; without a byte until the page says what it waits for; without a byte until it gives up. */
const STEP = 2000;
const QUIET = 6000;
/** Longer than 20 seconds, for which a browser may let one request wait for another of the same file. */
const SILENT = 30_000;
/** Milliseconds within which an engine must have started, if no byte and no answer arrives, or nothing is on its way. */
const LOST = 120_000;

export interface Waiting {
  /** Whether the page waits for the engine's start, for an answer, or for nothing. */
  phase: () => "starting" | "asked" | "idle";
  arrivals: () => Promise<Arrivals>;
  /** Reports the files and for how many milliseconds nothing has arrived; without files, something arrives again. */
  tell: (files: string[], silent: number) => void;
  giveUp: (why: string) => void;
  /** Called if it has not started for an unknown reason. */
  lost: () => void;
}

/** Watches until `signal` aborts. */
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
