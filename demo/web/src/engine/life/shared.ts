/**
 * Shared workers that outlive their page for a while, so that the next page of this site, or a reload, finds the engine as it was. Only Chromium has them,
 * since version 148. Shared workers cannot start workers, so pages start all workers and connect them.
 */

/** Whether this script runs in a shared worker. */
export const isShared = "onconnect" in globalThis;

/** Calls `connected` with a port to each page that connects. */
export function onConnect(connected: (page: MessagePort) => void): void {
  addEventListener("connect", (event) => connected((event as MessageEvent).ports[0]!));
}

/** The name of the lock that this version's engine holds once it has loaded. */
export const LOADED = `facelab ${BUILD} has loaded`;

/** Holds the lock `LOADED` until this worker ends. */
export function announceLoaded(): void {
  navigator.locks.request(LOADED, { mode: "shared" }, () => new Promise(() => {})).catch(() => {}); // without this lock, pages only wait longer
}

/** Resolves when a lock is released, for example because the page that held it is gone. */
export function whenReleased(lock: string): Promise<void> {
  return navigator.locks.request(lock, () => {});
}
