/**
 * Workers that outlive their page for a while: whoever goes to another page of this site, or loads one again, finds the engine as it was. Only
 * Chromium has such, since 148. They may start no workers of their own, so pages start all of them, and give one the way to the other.
 */

/** Whether this script runs in one. */
export const isShared = "onconnect" in globalThis;

/** Called with the way to each page that comes. */
export function whoComes(welcome: (page: MessagePort) => void): void {
  addEventListener("connect", (event) => welcome((event as MessageEvent).ports[0]!));
}

/** When whoever holds a lock is gone. */
export function whenFree(lock: string): Promise<void> {
  return navigator.locks.request(lock, () => {});
}
