/**
 * Timeouts that pass only while this machine is awake. After a laptop has slept for a minute, a timer of half a minute fires at once, though no worker had a
 * chance to answer. These timeouts count ticks instead, and a late tick counts as one tick.
 */

/** Milliseconds. */
const TICK = 1000;

/** Calls `act` after so many milliseconds, rounded up to seconds. Returns a function that cancels the call. */
export function afterAwake(milliseconds: number, act: () => void): () => void {
  let left = milliseconds;
  const timer = setInterval(() => {
    left -= TICK;
    if (left > 0) return;
    clearInterval(timer);
    act();
  }, TICK);
  return () => clearInterval(timer);
}
