/**
 * Workers that outlive their page for a while, so that the next page of this site, or a reload, finds the engine as it was. Only Chromium has them, since
 * version 148. They cannot start workers, so pages start all of them and connect them.
 */

/** Whether this script runs in such a worker. */
export const isShared = "onconnect" in globalThis;

/** `welcome` is called with a port to each page that connects. */
export function whoComes(welcome: (page: MessagePort) => void): void {
  addEventListener("connect", (event) => welcome((event as MessageEvent).ports[0]!));
}

/** The name of the lock that this version's engine holds once it has loaded. */
export const LOADED = `facelab ${BUILD} has loaded`;

/** Hold that lock until this worker ends. */
export function tellLoaded(): void {
  navigator.locks.request(LOADED, { mode: "shared" }, () => new Promise(() => {})).catch(() => {}); // without it, pages wait longer for an answer
}

/** Resolves when the holder of a lock is gone. */
export function whenFree(lock: string): Promise<void> {
  return navigator.locks.request(lock, () => {});
}
