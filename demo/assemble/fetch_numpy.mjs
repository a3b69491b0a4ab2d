// node fetch_numpy.mjs FOLDER: puts NumPy's wheel for Pyodide into the folder, from the address that Pyodide itself fetches packages from.
import { loadPyodide } from "../web/node_modules/pyodide/pyodide.mjs";

const pyodide = await loadPyodide({ packageCacheDir: process.argv[2] });
const messages = [];
const note = (message) => messages.push(message);
const loaded = await pyodide.loadPackage("numpy", { messageCallback: note, errorCallback: note });
if (loaded.length === 0) {
  const [address] = messages.join(" ").match(/https?:\S+/) ?? [""];
  console.error(`${address} ${messages.at(-1)}`.trim());
  process.exitCode = 1;
}
