/** Python with facelab as the engine uses it, for both ways of starting it: thawed.ts and plain.ts. */

import type { PyodideAPI } from "pyodide";

import { EngineError, type Embedded, type Look, type Outcome, type Panel, type Rule } from "../../contract";
import type { Photo } from "../compute/pool";

export interface Python {
  /** `manifest`: the text of models.json. */
  session: (manifest: string) => PythonSession;
  /** Fetches what the first verdict does not need: deferred functions of Pyodide, NumPy and Python. */
  fetchDeferred: () => Promise<void>;
  /** Fetches everything that the start left out, which includes most of Python's library and of NumPy. All pages but the demo need it. */
  complete: () => Promise<void>;
}

/** `facelab.browser.Session` as JavaScript sees it. */
export interface PythonSession {
  begin(engine: object, manifest: string): void;
  find(photo: Photo): Promise<{ analysis: string; embedded?: Embedded }>;
  analyse(photo: Photo, known: string | undefined): Promise<string>;
  embed(photo: Photo, face: string): Promise<Embedded>;
  compare(a: Float32Array, b: Float32Array, poor: boolean): string;
  offer_file(file: Uint8Array): string;
  offer_listed(name: string, normalise: boolean): Promise<string>;
  use_offered(): void;
  scale(): string;
  reread(photo: Photo, keptFor: string): Promise<Float32Array>;
  look(photo: Photo, smallest: number): Promise<Look>;
  enrol(keys: string, embeddings: Rows): string;
  who(embeddings: Rows, rule: Rule): string;
  group(embeddings: Rows, photos: string, limit: number | undefined): string;
  photos_among(entries: string): string;
  layout(entries: string, peopleAt: number | undefined, called: string): string;
  write_gallery(people: string, name: string): string;
  read_gallery(text: string): string;
  put(name: string, photo: Photo): void;
  remove(name: string): void;
  lab(kind: string, settings: string): Promise<Panel[]>;
  run(source: string): Promise<Outcome>;
}

/** Embeddings, one after another. */
interface Rows {
  rows: number;
  numbers: Float32Array;
}

/** Unpacks archives into the folder of Python's packages. */
export function unpack(pyodide: PyodideAPI, archives: [content: ArrayBuffer, format: "zip" | "wheel"][]): void {
  const extractDir = pyodide.runPython("import site; site.getsitepackages()[0]") as string;
  for (const [content, format] of archives) pyodide.unpackArchive(content, format, { extractDir });
}

/** Ends the engine when Python has crashed, or when a reader's code has ended it, because such an interpreter gives no answers. */
export function reportFatalErrors(pyodide: PyodideAPI): void {
  const { _api: api } = pyodide as unknown as { _api: { on_fatal: (error: Error) => void } };
  api.on_fatal = ({ name, message }) => {
    const why = name === "Exit" ? "the code ended it" : `it crashed (${message.split("\n")[0]})`;
    setTimeout(() => { throw new EngineError(`Python has stopped: ${why}.`); });
  };
}
