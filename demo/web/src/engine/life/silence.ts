/**
 * Stops waiting for a connection that has fallen silent. A slow connection may go on as long as bytes arrive. The page watches, and not the engine, because
 * the engine may compute for seconds while files arrive. The page counts its checks, because a clock would also count a laptop's sleep (see awake.ts).
 */

import type { Arrivals } from "../assets";

/** Milliseconds between two checks; without a byte until the page names the missing files; without a byte until the page gives up. */
const STEP = 2000;
const QUIET = 6000;
/** This is longer than 20 seconds, for which a browser may let one request wait for another request for the same file. */
const SILENT = 30_000;
/** Milliseconds in which an engine must start if no bytes arrive, or if no file is on its way. */
const LOST = 120_000;

export interface Waiting {
  /** Whether the page waits for the engine's start, for an answer, or for nothing. */
  phase: () => "starting" | "asked" | "idle";
  arrivals: () => Promise<Arrivals>;
  /** Names the files that the page waits for, and for how many milliseconds nothing has arrived. No files: bytes arrive again. */
  report: (files: string[], silent: number) => void;
  giveUp: (why: string) => void;
  /** Called if the engine has not started for an unknown reason. */
  lost: () => void;
}

/** Watches until `signal` aborts. */
export function watchForSilence({ phase, arrivals, report, giveUp, lost }: Waiting, signal: AbortSignal): void {
  let [silent, idle, before] = [0, 0, -1];
  let reported: string[] = [];
  let asking = false;
  const reportMissing = (files: string[]) => {
    if (files.length || reported.length) report(files, silent);
    reported = files;
  };
  const check = async () => {
    const { bytes, files } = await arrivals();
    if (bytes !== before || phase() === "idle") [silent, idle] = [0, 0];
    if (!files.length) silent = 0;
    before = bytes;
    reportMissing(silent >= QUIET ? files : []);
    if (silent >= SILENT) giveUp(`nothing has arrived for ${SILENT / 1000} seconds`);
  };
  const timer = setInterval(() => {
    if (phase() === "idle") return;
    silent += STEP;
    idle += STEP;
    if (phase() === "starting" && idle >= LOST) lost();
    if (asking) return;
    asking = true;
    check().catch(() => {}).finally(() => (asking = false));
  }, STEP);
  signal.addEventListener("abort", () => clearInterval(timer));
}
