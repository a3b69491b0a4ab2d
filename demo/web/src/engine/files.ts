/** Of the engine's files, what page and service worker both have to know. Paths are those in assets.json. */

const LATER = ["ort/ort-wasm-simd-threaded.wasm", "python/packages.json"];

/** Asked for by all but the demo, when they first need it: the rest of Python, the whole of ONNX Runtime, networks as files. */
export const isForLater = (path: string) => LATER.includes(path) || /_rest|\.onnx$|\.whl$/.test(path);

/**
 * Whether the browser has one copy of what it compiled of a file for all of a process, pages and service worker alike, until the last that holds the
 * file is gone. Chromium has, and nobody else says `userAgentData`.
 */
export const SHARES_COMPILED = "userAgentData" in navigator;
