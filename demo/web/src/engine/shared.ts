/**
 * Workers that outlive their page, for half a minute or so: whoever goes to another page of this site, or loads one again, finds the engine as it
 * was. Only Chromium has such. A worker of this kind starts none of its own: pages start all of them, and hand each the way to the other.
 */

import * as Comlink from "comlink";

/** What runs in workers of either kind. */
export const isShared = "onconnect" in globalThis;

/** When the page that holds a lock is gone. */
export function whenFree(lock: string): Promise<void> {
  return navigator.locks.request(lock, () => {});
}

/** To whoever has started this worker, or comes to it later. */
export function offer(object: object): void {
  if (!isShared) return Comlink.expose(object);
  addEventListener("connect", (event) => Comlink.expose(object, (event as MessageEvent).ports[0]!));
}
