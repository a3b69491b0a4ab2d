/**
 * Starts workers under the page's Content-Security-Policy, which lets nothing leave the machine. A worker from an http address has the policy that its server
 * sends, and a server of plain files sends none. A worker from a blob address inherits the policy of its creator.
 */

const { Worker } = globalThis;

/** Does the same as `facelabStartWorker` in each page's head (demo/book/theme/main.html) where workers end with their page. */
export function startWorker(script: string, name: string): Worker {
  const address = URL.createObjectURL(new Blob([`import ${JSON.stringify(script)}`], { type: "text/javascript" }));
  return new Worker(`${address}#${script.split("/").at(-1)!}`, { type: "module", name }); // developers’ tools show the address
}

/**
 * Call this before a reader's code runs in this worker. Python reaches everything that JavaScript reaches, and two ways lead around the policy: workers from
 * http addresses have no policy, and whatever the code writes into the browser's caches becomes a page of this site.
 *
 * @throws Error where this worker is under no policy.
 */
export function closeWaysOut(): void {
  if (globalThis.location.protocol !== "blob:") throw new Error("A reader's code runs only in a worker that startWorker has started.");
  for (const name of ["Worker", "SharedWorker", "caches"]) {
    for (let owner: object | null = globalThis; owner; owner = Object.getPrototypeOf(owner) as object | null) Reflect.deleteProperty(owner, name);
  }
  Reflect.deleteProperty(Worker.prototype, "constructor"); // a worker that exists already would lead to the class
}
