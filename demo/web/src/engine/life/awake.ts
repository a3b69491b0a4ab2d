/**
 * Waiting times that pass only while this machine is awake. After a minute of sleep, a timer of half a minute fires at once, though nothing had a chance to
 * answer. Ticks are counted here instead, and a tick that comes late counts like any other.
 */

/** Milliseconds. */
const TICK = 1000;

/** Calls `act` after so many milliseconds, to the next second. Returns a function that calls it off. */
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
