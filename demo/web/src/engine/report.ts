/** Progress reports to other threads. */

import type { Progress } from "../contract";

export type Report = (progress: Progress) => void;

const PAUSE = 250; // milliseconds, because each report makes the page draw

/** Sends the first report at once, then at most one in each pause, and always the last one. */
export function throttled(report: Report): Report {
  let pausing = false;
  let latest: Progress | undefined;
  const send = (progress: Progress) => {
    report(progress);
    pausing = true;
    setTimeout(() => {
      pausing = false;
      if (latest) send(latest);
    }, PAUSE);
    latest = undefined;
  };
  return (progress) => {
    if (pausing) latest = progress;
    else send(progress);
  };
}
