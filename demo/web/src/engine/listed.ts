/**
 * A build's files and what they have to be: assets.json lists each with its hash, and the folder that all of it lies in is named after the hash of that
 * list (demo/assemble/build_folder.py). A cache, or a site that is just being replaced, can still put another build's file in the place of one.
 */

import { VersionError } from "../contract";

export interface Listed {
  bytes: number;
  sha256: string;
}

/** By paths from the folder on. */
export type List = Record<string, Listed>;

export const LIST = "assets.json";

/** The list of the build in the folder `app`. `get`: how its file is fetched. */
export async function readList(app: URL, get: (path: string, cache?: RequestCache) => Promise<Response>): Promise<List> {
  const build = /\/app\/([0-9a-f]{16})\/$/.exec(app.pathname)?.[1] ?? ""; // none where a site was built without
  for (const cache of [undefined, "reload"] as const) {
    const bytes = await (await get(LIST, cache)).arrayBuffer();
    if (!crypto.subtle || hex(await crypto.subtle.digest("SHA-256", bytes)).startsWith(build)) {
      return JSON.parse(new TextDecoder().decode(bytes)) as List;
    }
  }
  throw new VersionError(LIST);
}

/**
 * Whether a file is the one that is listed. `bytes`: its content, where somebody has that. For a script, and where the browser keeps its hash functions to
 * https, the browser is asked for the file once more, which it has, and checks it.
 */
export async function isListed(address: URL, { sha256 }: Listed, bytes?: ArrayBuffer): Promise<boolean> {
  if (bytes && crypto.subtle) return hex(await crypto.subtle.digest("SHA-256", bytes)) === sha256;
  const integrity = `sha256-${btoa(String.fromCharCode(...sha256.match(/../g)!.map((byte) => parseInt(byte, 16))))}`;
  return fetch(address, { cache: "force-cache", integrity }).then((response) => response.arrayBuffer()).then(() => true, () => false);
}

/** So that the browser has what the server has now, whatever it had before. */
export async function fetchAnew(address: URL): Promise<void> {
  await fetch(address, { cache: "reload" }).then((response) => response.arrayBuffer()).catch(() => {}); // the next request for the file reports a failure
}

export const hex = (bytes: ArrayBuffer) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
