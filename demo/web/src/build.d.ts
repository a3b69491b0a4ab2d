/** The version of the engine and of its page: see vite.config.ts. */
declare const BUILD: string;
/** Whether Pyodide, NumPy and ONNX Runtime come as they are published. */
declare const PLAIN: boolean;
