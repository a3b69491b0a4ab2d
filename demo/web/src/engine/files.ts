/** What both page and service worker have to know about the engine's files. Paths are those in assets.json. */

/** Files that everything but the demo requests on first use: the rest of Python, the whole ONNX Runtime, networks as files. The plain build has none. */
export const isForLater = (path: string) => !PLAIN && /_rest|\.onnx$|\.whl$|^ort\/.*threaded\.wasm$/.test(path);

/**
 * Whether the browser keeps one compiled copy of a file for a whole process, pages and service worker alike, until the last user of the file is gone.
 * Chromium does, and only Chromium has `userAgentData`.
 */
export const SHARES_COMPILED = "userAgentData" in navigator;
