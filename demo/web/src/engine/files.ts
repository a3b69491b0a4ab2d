/** Facts about the engine's files that its page, its workers and the service worker share. Paths are those in assets.json. */

/** Whether the start leaves a file out: deferred parts of Python and NumPy, the whole ONNX Runtime, networks as files. The plain build defers none. */
export const isDeferred = (path: string) => !PLAIN && /_rest|\.onnx$|\.whl$|^ort\/.*threaded\.wasm$/.test(path);

/**
 * Whether all threads of the browser's process, including the service worker, share one compiled copy of a WebAssembly file as long as one of them holds it.
 * Chromium shares it, and only Chromium has `userAgentData`.
 */
export const SHARES_COMPILED = "userAgentData" in navigator;
