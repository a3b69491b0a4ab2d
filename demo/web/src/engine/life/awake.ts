/**
 * Timeouts that pass only while this machine is awake. After a laptop has slept for a minute, a timer of half a minute fires at once, though no worker had a
 * chance to answer. These timeouts count ticks instead, and a late tick counts as one tick.
 */

/** Milliseconds. */
const TICK = 1000;

/** An answer, if it comes within so many milliseconds, rounded up to seconds. Otherwise this rejects with the error that `late` makes. */
export function inTime<T>(answer: Promise<T>, milliseconds: number, late: () => Error): Promise<T> {
  let left = milliseconds;
  let timer: ReturnType<typeof setInterval>;
  const deadline = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      left -= TICK;
      if (left > 0) return;
      clearInterval(timer);
      reject(late());
    }, TICK);
  });
  return Promise.race([answer, deadline]).finally(() => clearInterval(timer));
}
