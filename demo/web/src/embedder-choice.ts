import type { EmbedderEntry, EmbedderInUse, Manifest } from "./contract";
import { find, shadow, sheet } from "./element";
import { networkName } from "./network-names";
import base from "./styles/base.css?inline";
import css from "./styles/embedder.css?inline";

const styles = [sheet(base), sheet(css)];

/** A network that models.json lists, a file of the reader, or null for the network that the page came with. */
export type Asked = { name: string; normalise: boolean } | { file: File } | null;
export type EmbedderEvent = CustomEvent<Asked>;

/** `<embedder-choice>`: which network makes the embeddings. It fires the event `embedder` with what the reader chose, and shows what came of it. */
export class EmbedderChoice extends HTMLElement {
  readonly #root = shadow(
    this,
    `<details data-testid="embedder-settings">
       <summary>Embedder: <span data-testid="embedder-name"></span></summary>
       <fieldset><legend>Which network reads the faces?</legend></fieldset>
       <div class="crowding" hidden>
         <label><input type="checkbox" data-testid="embedder-crowding">Correct distances for crowding</label>
         <p class="caption" id="why">Some people look more alike to the network than others. Where many people look alike, this option makes a small distance count for less.</p>
       </div>
       <div class="drop" data-testid="embedder-drop">
         <p>To use a network of your own, drop its <code>.onnx</code> file here. <code>python -m export --embedder</code> makes such a file.</p>
         <label class="button"><input type="file" accept=".onnx" data-testid="embedder-file">Choose a file</label>
       </div>
       <p class="message" role="status" data-testid="embedder-message"></p>
       <button type="button" data-testid="embedder-reset" hidden>Back to this site’s network</button>
       <p class="caption">This choice changes the answers of this page only, not those of the roll call or the album. Your file stays in this page and is forgotten when you close it.</p>
     </details>`,
    ...styles,
  );
  #own = "";
  #listed: EmbedderEntry[] = [];
  /** `listed`: whether the network of that name comes from models.json and not from a file. */
  #inUse = { name: "", listed: true, normalised: false };

  constructor() {
    super();
    const root = this.#root;
    const file = find<HTMLInputElement>(root, "[type=file]");
    file.addEventListener("change", () => {
      const chosen = file.files?.[0];
      file.value = ""; // so that choosing the same file again fires an event
      if (chosen) this.#ask({ file: chosen });
    });
    find(root, "fieldset").addEventListener("change", (event) => this.#ask({ name: (event.target as HTMLInputElement).value, normalise: false }));
    const crowding = this.#crowding;
    crowding.setAttribute("aria-describedby", "why");
    crowding.addEventListener("change", () => this.#ask({ name: this.#inUse.name, normalise: crowding.checked }));
    find(root, "button").addEventListener("click", () => this.#ask(null));
    const drop = find(root, ".drop");
    for (const type of ["dragover", "dragleave", "drop"] as const) {
      drop.addEventListener(type, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", type === "dragover");
        if (type !== "drop") return;
        const dropped = event.dataTransfer?.files[0];
        if (dropped) this.#ask({ file: dropped });
        else this.fail("That was not a file. Drop an .onnx file, or choose one.");
      });
    }
  }

  /**
   * Offer what models.json lists, beginning with the network in use. `runtimeBytes`: how much another network needs besides its own file, asked for when the
   * reader opens the list.
   */
  offer({ embedder, embedders = {} }: Manifest, runtimeBytes: () => Promise<number>): void {
    this.#own = embedder.name;
    this.#listed = [embedder, ...Object.values(embedders).map((other) => other.embedder)];
    const options = this.#listed.map(({ name }) => {
      const graph = embedders[name]?.graph;
      const option = document.createElement("label");
      option.innerHTML = `<input type="radio" name="embedder" data-testid="embedder-option"><span><strong></strong> <span class="caption"></span></span>`;
      find<HTMLInputElement>(option, "input").value = name;
      find(option, "strong").textContent = networkName(name);
      const tell = (bytes: number) => (find(option, ".caption").textContent = graph ? `to compare; ${megabytes((graph.compact ?? graph).bytes + bytes)} MB to download` : "this site’s own");
      tell(0);
      if (graph) find(this.#root, "details").addEventListener("toggle", () => void runtimeBytes().then(tell, () => {}), { once: true });
      return option;
    });
    const fieldset = find(this.#root, "fieldset");
    fieldset.replaceChildren(find(fieldset, "legend"), ...options);
    fieldset.hidden = options.length < 2;
    this.#inUse = { name: this.#own, listed: true, normalised: false };
    this.#show("");
  }

  busy(): void {
    find(this.#root, ".message").textContent = "Opening the network …";
  }

  done({ name, dimensions, measured, normalised }: EmbedderInUse, asked: Asked): void {
    this.#inUse = { name, listed: !asked || !("file" in asked), normalised };
    const numbers = `${networkName(name)} is in use: ${dimensions} numbers for each face${normalised ? ", distances corrected for crowding" : ""}.`;
    const unknown = measured ? "" : " Nobody has measured what its distances mean, so there is a distance but no verdict.";
    this.#show(this.#isUsual ? "" : numbers + unknown);
  }

  fail(message: string): void {
    this.#show(message);
  }

  get #isUsual(): boolean {
    const { name, listed, normalised } = this.#inUse;
    return name === this.#own && listed && !normalised;
  }

  #show(message: string): void {
    const { name, listed, normalised } = this.#inUse;
    find(this.#root, "summary span").textContent = networkName(name);
    find(this.#root, "button").hidden = this.#isUsual;
    for (const option of this.#root.querySelectorAll<HTMLInputElement>("[type=radio]")) option.checked = listed && option.value === name;
    const cohort = this.#listed.find((entry) => entry.name === name)?.cohort;
    find(this.#root, ".crowding").hidden = !listed || !cohort?.calibration;
    this.#crowding.checked = normalised;
    find(this.#root, ".message").textContent = message;
  }

  get #crowding(): HTMLInputElement {
    return find<HTMLInputElement>(this.#root, "[type=checkbox]");
  }

  #ask(detail: Asked): void {
    this.dispatchEvent(new CustomEvent("embedder", { detail, bubbles: true, composed: true }) satisfies EmbedderEvent);
  }
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
