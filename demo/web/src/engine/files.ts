/** Which of the engine's files it starts with. Paths are those in assets.json. */

const LATER = ["ort/ort-wasm-simd-threaded.wasm", "python/packages.json"];

/** Asked for by all but the demo, when they first need it: the rest of Python, the whole of ONNX Runtime, networks as files. */
export const isForLater = (path: string) => LATER.includes(path) || /_rest|\.onnx$|\.whl$/.test(path);
