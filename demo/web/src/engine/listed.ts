/**
 * A build's files and their hashes. assets.json lists each file with its hash, and the folder of all files is named after the hash of that list
 * (demo/assemble/after_site/build_folder.py). A cache, or a site that is just being replaced, can still deliver a file of another build.
 */

import { VersionError } from "../contract";

export interface Listed {
  bytes: number;
  sha256: string;
}

/** By paths within the folder. */
export type List = Record<string, Listed>;

export const LIST = "assets.json";

/** The list of the build in the folder `app`. `get`: a function that fetches its file. */
export async function readList(app: URL, get: (path: string, cache?: RequestCache) => Promise<Response>): Promise<List> {
  const build = /\/app\/([0-9a-f]{16})\/$/.exec(app.pathname)?.[1] ?? ""; // the folder has no such name until the site is complete
  for (const cache of [undefined, "reload"] as const) {
    const bytes = await (await get(LIST, cache)).arrayBuffer();
    if (!crypto.subtle || hex(await crypto.subtle.digest("SHA-256", bytes)).startsWith(build)) {
      return JSON.parse(new TextDecoder().decode(bytes)) as List;
    }
  }
  throw new VersionError(LIST);
}

/**
 * Whether a file is the listed one. `bytes`: its content, if known. For a script, and on plain http, where pages have no hash functions, the browser itself
 * checks the file by requesting it once more from its cache.
 */
export async function isListed(address: URL, { sha256 }: Listed, bytes?: ArrayBuffer): Promise<boolean> {
  if (bytes && crypto.subtle) return hex(await crypto.subtle.digest("SHA-256", bytes)) === sha256;
  return fetch(address, { cache: "force-cache", integrity: integrityOf(sha256) }).then((response) => response.arrayBuffer()).then(() => true, () => false);
}

/** Replaces the browser's copy of a file with the server's. */
export async function fetchAnew(address: URL): Promise<void> {
  await fetch(address, { cache: "reload" }).then((response) => response.arrayBuffer()).catch(() => {}); // the next request for the file reports a failure
}

/** A hash as `fetch` expects it. `sha256`: in hexadecimal. */
export const integrityOf = (sha256: string) => `sha256-${btoa(String.fromCharCode(...sha256.match(/../g)!.map((byte) => parseInt(byte, 16))))}`;

export const hex = (bytes: ArrayBuffer) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
