// ONNX Runtime's own script; its module is shown to whoever wants to see it first, by setting `showOnnxRuntime`.
import create from "./ort-script.mjs";

export default async (settings) => {
  const module = await create(settings);
  await globalThis.showOnnxRuntime?.(module);
  return module;
};
