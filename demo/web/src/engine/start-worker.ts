/**
 * Workers under the page's Content-Security-Policy, which lets nothing leave the machine. A worker that comes from an http address has the policy
 * that its server sends, and a server of plain files sends none. A worker that comes from a blob address inherits its creator's.
 */

const { Worker } = globalThis;

/** As `facelabBegin` does in each page's head: demo/book/theme/main.html. */
export function startWorker(script: string, name: string): Worker {
  const address = URL.createObjectURL(new Blob([`import ${JSON.stringify(script)}`], { type: "text/javascript" }));
  return new Worker(`${address}#${script.split("/").at(-1)!}`, { type: "module", name }); // developers’ tools show the address
}

/**
 * To be called before a reader's code runs in this worker: Python reaches all that JavaScript reaches, and two ways lead around the policy. A worker
 * from an http address has none, and what is written into the browser's caches is a page of this site when it is next opened.
 *
 * @throws Error where this worker is under no policy.
 */
export function closeWaysOut(): void {
  if (globalThis.location.protocol !== "blob:") throw new Error("A reader's code runs only in a worker that startWorker has started.");
  for (const name of ["Worker", "SharedWorker", "caches"]) {
    for (let owner: object | null = globalThis; owner; owner = Object.getPrototypeOf(owner) as object | null) Reflect.deleteProperty(owner, name);
  }
  Reflect.deleteProperty(Worker.prototype, "constructor"); // of the workers that there are
}
