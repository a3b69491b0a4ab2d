import type { EmbedderTold } from "./contract";
import { find, shadow, sheet } from "./element";
import base from "./styles/base.css?inline";
import css from "./styles/embedder.css?inline";

const styles = [sheet(base), sheet(css)];

/** Asked for: one by name, a file of the reader's own, or null: the one that the page came with. */
export type EmbedderEvent = CustomEvent<{ name: string } | { file: File } | null>;

/** `<embedder-choice>`: which network makes the numbers. Tells what is asked for by the event `embedder`; what became of it is told here. */
export class EmbedderChoice extends HTMLElement {
  readonly #root = shadow(
    this,
    `<details data-testid="embedder-settings">
       <summary>Embedder: <span data-testid="embedder-name"></span></summary>
       <label class="field" hidden>Choose one <select data-testid="embedder-select"></select></label>
       <div class="drop" data-testid="embedder-drop">
         <p>Bring your own: drop an <code>.onnx</code> file here that <code>python -m export --embedder</code> has made.</p>
         <label class="button"><input type="file" accept=".onnx" data-testid="embedder-file">Choose a file</label>
       </div>
       <p class="message" role="status" data-testid="embedder-message"></p>
       <button type="button" data-testid="embedder-reset" hidden>Back to the page’s own</button>
       <p class="caption">It changes what this page answers, not the roll call or the album. A file of yours stays in this page, and is forgotten with it.</p>
     </details>`,
    ...styles,
  );
  #own = "";

  constructor() {
    super();
    const root = this.#root;
    const file = find<HTMLInputElement>(root, "input");
    file.addEventListener("change", () => {
      const chosen = file.files?.[0];
      file.value = ""; // so that the same file can be chosen again
      if (chosen) this.#ask({ file: chosen });
    });
    const select = find<HTMLSelectElement>(root, "select");
    select.addEventListener("change", () => this.#ask(select.value === this.#own ? null : { name: select.value }));
    find(root, "button").addEventListener("click", () => this.#ask(null));
    const drop = find(root, ".drop");
    for (const type of ["dragover", "dragleave", "drop"] as const) {
      drop.addEventListener(type, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", type === "dragover");
        if (type !== "drop") return;
        const dropped = event.dataTransfer?.files[0];
        if (dropped) this.#ask({ file: dropped });
        else this.fail("That was no file. Drop an .onnx file, or choose one.");
      });
    }
  }

  /** The page's own, and what else it lists. */
  offer(own: string, others: string[]): void {
    this.#own = own;
    const select = find<HTMLSelectElement>(this.#root, "select");
    select.replaceChildren(...[own, ...others].map((name) => new Option(name)));
    find(this.#root, ".field").hidden = others.length === 0;
    this.reset();
  }

  reset(): void {
    this.#show(this.#own);
    this.#say("");
  }

  busy(): void {
    this.#say("Opening the network …");
  }

  done({ name, dimensions, measured }: EmbedderTold): void {
    this.#show(name);
    const numbers = `${name} is in use: ${dimensions} numbers a face.`;
    this.#say(name === this.#own ? "" : measured ? numbers : `${numbers} What its distances mean is not known here, so there is no verdict, only a distance.`);
  }

  fail(message: string): void {
    this.#show(find(this.#root, "summary span").textContent ?? "");
    this.#say(message);
  }

  #show(name: string): void {
    find(this.#root, "summary span").textContent = name;
    find(this.#root, "button").hidden = name === this.#own;
    const select = find<HTMLSelectElement>(this.#root, "select");
    select.value = name;
  }

  #say(words: string): void {
    find(this.#root, ".message").textContent = words;
  }

  #ask(detail: EmbedderEvent["detail"]): void {
    this.dispatchEvent(new CustomEvent("embedder", { detail, bubbles: true, composed: true }) satisfies EmbedderEvent);
  }
}
