/** Which of the engine's files the start does without. Paths are those in assets.json. */

const LATER = ["ort/ort-wasm-simd-threaded.wasm", "python/packages.json"];

/** Files that everything but the demo requests on first use: the rest of Python, the whole ONNX Runtime, networks as files. */
export const isForLater = (path: string) => LATER.includes(path) || /_rest|\.onnx$|\.whl$/.test(path);
