/** Code cells: Python of the chapter, which the reader can change and run. Without JavaScript, a cell is the printed code. */

import type { Outcome } from "../contract";
import { LoadProgress } from "../progress";
import { workspace } from "./workspace";
import type { Editor } from "./editor";
import { canvasOf, element } from "./panels";

/** `fresh`: not run since the page was loaded or the engine was stopped. */
type CellState = "fresh" | "waiting" | "running" | "done" | "failed";

export function placeCells(blocks: Iterable<HTMLElement>): void {
  if (!customElements.get("load-progress")) customElements.define("load-progress", LoadProgress);
  const cells: Cell[] = [];
  for (const block of blocks) cells.push(new Cell(block, cells, cells.length));
}

class Cell {
  readonly #host = element("div", "code-cell");
  readonly #output = element("div", "cell-output");
  readonly #progress = document.createElement("load-progress") as LoadProgress;
  readonly #run = button("Run", "cell-run");
  readonly #stop = button("Stop", "cell-stop");
  readonly #reset = button("Reset", "cell-reset");
  readonly #code: HTMLElement;
  readonly #original: string;
  #editor: Editor | undefined;
  #opening: Promise<Editor> | undefined;
  #stopped = new AbortController();

  constructor(
    readonly block: HTMLElement,
    readonly all: Cell[],
    readonly place: number,
  ) {
    this.#code = block.querySelector("pre")!;
    this.#original = (this.#code.textContent ?? "").replace(/\n$/, "");
    const host = this.#host;
    host.role = "group";
    host.ariaLabel = `Code cell ${place + 1}`;
    host.dataset.testid = `cell-${place}`;
    this.#output.ariaLive = "polite";
    this.#progress.hidden = true;
    const bar = element("div", "cell-bar");
    bar.append(this.#run, this.#stop, this.#reset, element("span", "cell-hint", "Ctrl+Enter runs it"));
    block.before(host);
    host.append(block, bar, this.#progress, this.#output);
    this.#moveExpected();
    this.#code.tabIndex = 0;
    this.#code.ariaLabel = `Code of cell ${place + 1}; Enter edits it`;
    this.#code.addEventListener("click", () => void this.#edit());
    this.#code.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      void (event.ctrlKey || event.metaKey ? this.run() : this.#edit());
    });
    this.#run.addEventListener("click", () => void this.run());
    this.#stop.addEventListener("click", () => this.#interrupt());
    this.#reset.addEventListener("click", () => this.#restore());
    workspace.addEventListener("change", () => this.#workspaceChanged());
    this.#enter("fresh");
  }

  get source(): string {
    return this.#editor?.text ?? this.#original;
  }

  get state(): CellState {
    return this.#host.dataset.state as CellState;
  }

  /** Run all earlier cells that have not run yet, then this one. */
  async run(): Promise<void> {
    for (const cell of this.all.slice(0, this.place)) {
      if (cell.state === "fresh" && !(await cell.#runAlone())) {
        this.#show({ text: "", shown: [], error: `Cell ${cell.place + 1} above stopped with an error, and this cell needs it.`, line: null });
        return this.#enter("failed");
      }
    }
    await this.#runAlone();
  }

  async #runAlone(): Promise<boolean> {
    if (this.state === "running" || this.state === "waiting") return false;
    this.#stopped = new AbortController();
    this.#editor?.mark(null);
    this.#enter(workspace.engine.state.phase === "ready" ? "running" : "waiting");
    this.#workspaceChanged();
    try {
      const outcome = await workspace.runCell(this.source, this.#stopped.signal);
      this.#show(outcome);
      if (outcome.line !== null) this.#open().then((editor) => editor.mark(outcome.line), () => {}); // if the editor does not load, the line number is enough
      this.#enter(outcome.error === null ? "done" : "failed");
      return outcome.error === null;
    } catch (error) {
      const died = error instanceof Error && error.name === "EngineError" && workspace.engine.state.phase === "loading"; // the engine is starting again
      const lost = this.#stopped.signal.aborted || died;
      const what = this.#stopped.signal.aborted ? "Stopped." : message(error);
      const sentence = lost ? `${what} The results of this page’s cells are lost. The next run starts again with the first cell.` : what;
      this.#show({ text: "", shown: [], error: sentence, line: null });
      this.#enter("failed");
      if (lost) for (const cell of this.all) cell.#enter("fresh");
      return false;
    }
  }

  #interrupt(): void {
    this.#stopped.abort();
    workspace.interrupt();
  }

  #show({ text, shown, error, line }: Outcome): void {
    const parts: HTMLElement[] = [];
    if (text) parts.push(element("pre", "cell-text", text.replace(/\n$/, "")));
    for (const { pixels, faces, caption } of shown) {
      const figure = element("figure", "cell-picture");
      const canvas = canvasOf(pixels);
      canvas.role = "img";
      canvas.ariaLabel = caption || `A picture of ${pixels.width} by ${pixels.height} pixels${faces.length ? `, ${faces.length} faces marked` : ""}`;
      const pen = canvas.getContext("2d")!;
      pen.strokeStyle = pen.fillStyle = "#b4a9ff";
      pen.lineWidth = Math.max(1.5, pixels.width / 250);
      for (const { box: [x1, y1, x2, y2], landmarks } of faces) {
        pen.strokeRect(x1, y1, x2 - x1, y2 - y1);
        for (const [x, y] of landmarks) pen.fillRect(x - pen.lineWidth, y - pen.lineWidth, 2 * pen.lineWidth, 2 * pen.lineWidth);
      }
      canvas.style.width = `min(100%, ${Math.max(pixels.width, Math.min(160, pixels.width * 4))}px, ${(20 * pixels.width) / pixels.height}rem)`;
      figure.append(canvas);
      if (caption) figure.append(element("figcaption", "", caption));
      parts.push(figure);
    }
    if (error !== null) {
      const words = element("p", "cell-error", line === null ? error : `Line ${line}: ${error}`);
      words.role = "alert";
      parts.push(words);
    }
    if (!parts.length) parts.push(element("p", "cell-quiet", "Done. This cell prints nothing."));
    this.#output.replaceChildren(...parts);
  }

  /** The book prints the sample's output under a cell. It serves as the cell's output until the reader runs the cell. */
  #moveExpected(): void {
    const next = this.#host.nextElementSibling;
    if (next?.matches(".language-text.highlight")) {
      this.#output.append(element("pre", "cell-text expected", (next.textContent ?? "").trimEnd()));
      next.remove();
    }
  }

  #edit(): Promise<void> {
    return this.#open().then((editor) => editor.focus(), () => void globalThis.facelabMissing?.([this.#host]));
  }

  #open(): Promise<Editor> {
    this.#opening ??= import("./editor").then(({ openEditor }) => {
      this.#editor = openEditor(this.#original, () => void this.run(), () => this.#changed());
      this.block.hidden = true;
      this.block.after(this.#editor.element);
      return this.#editor;
    });
    return this.#opening;
  }

  #changed(): void {
    this.#reset.hidden = this.source === this.#original;
  }

  #restore(): void {
    this.#editor?.replace(this.#original);
    this.#editor?.mark(null);
    this.#output.replaceChildren();
    this.#enter("fresh");
    this.#run.focus(); // because the focused button was removed
  }

  #workspaceChanged(): void {
    if (!workspace.started) return;
    const { state } = workspace.engine;
    if (this.state === "waiting" && state.phase === "ready") this.#enter("running");
    this.#progress.hidden = !(this.state === "waiting" && state.phase === "loading");
    if (state.phase === "loading") this.#progress.show(state.progress.loaded, state.progress.total, state.progress.what);
  }

  #enter(state: CellState): void {
    this.#host.dataset.state = state;
    const busy = state === "running" || state === "waiting";
    this.#run.disabled = busy;
    this.#stop.hidden = !busy;
    this.#progress.hidden ||= state !== "waiting";
    this.#output.ariaBusy = String(busy);
    this.#changed();
  }
}

function button(label: string, testid: string): HTMLButtonElement {
  const made = element("button", "", label);
  made.type = "button";
  made.dataset.testid = testid;
  return made;
}

const message = (error: unknown) => (error instanceof Error ? error.message : String(error));
