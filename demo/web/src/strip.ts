import { find, shadow, sheet } from "./element";
import base from "./styles/base.css?inline";
import css from "./styles/strip.css?inline";

const styles = [sheet(base), sheet(css)];

type RGB = [number, number, number];

// Blue below zero and orange above, both equally dark, because people with any kind of colour vision can tell these two apart. Zero is nearly white.
const NEGATIVE: RGB = [28, 74, 190];
const ZERO: RGB = [244, 242, 240];
const POSITIVE: RGB = [196, 84, 0];
const DIFFERENCE: RGB = [92, 30, 130];

/** Most numbers of an embedding lie within about 0.3 of zero. The colour is full beyond that. */
const FULL_COLOUR = 0.3;

/** `<embedding-strips>`: two embeddings and their difference as rows of colours. The pointer or the keyboard reads out single numbers. */
export class EmbeddingStrips extends HTMLElement {
  readonly #root = shadow(
    this,
    `<div class="strips">
       <span>A</span><canvas role="img" data-testid="strip-a"></canvas>
       <span>B</span><canvas role="img" data-testid="strip-b"></canvas>
       <span>|A − B|</span><canvas role="img" data-testid="strip-difference"></canvas>
       <label for="index">Number</label><input id="index" type="range" min="1" max="128" value="1">
     </div>
     <p class="reading"><output for="index"></output></p>`,
    ...styles,
  );
  #a: Float32Array | null = null;
  #b: Float32Array | null = null;

  constructor() {
    super();
    const index = find<HTMLInputElement>(this.#root, "input");
    index.addEventListener("input", () => this.#read());
    for (const canvas of this.#root.querySelectorAll("canvas")) {
      canvas.addEventListener("pointermove", (event) => {
        const { left, width } = canvas.getBoundingClientRect();
        index.value = String(1 + Math.floor(((event.clientX - left) / width) * Number(index.max)));
        this.#read();
      });
    }
    this.show(null, null);
  }

  show(a: Float32Array | null, b: Float32Array | null): void {
    this.#a = a;
    this.#b = b;
    const difference = a && b ? a.map((value, i) => Math.abs(value - b[i]!)) : null;
    this.#paint("strip-a", "Embedding of face A", a, signed);
    this.#paint("strip-b", "Embedding of face B", b, signed);
    this.#paint("strip-difference", "Difference of the two embeddings, number by number", difference, (value) => mix(ZERO, DIFFERENCE, value / FULL_COLOUR));
    const index = find<HTMLInputElement>(this.#root, "input");
    index.disabled = !a && !b;
    index.max = String((a ?? b)?.length ?? 128);
    this.#read();
  }

  #paint(testid: string, name: string, values: Float32Array | null, colour: (value: number) => RGB): void {
    const canvas = find<HTMLCanvasElement>(this.#root, `[data-testid="${testid}"]`);
    canvas.classList.toggle("none", !values);
    canvas.width = values?.length ?? 1; // one pixel for each number; CSS stretches it without smoothing
    canvas.height = 1;
    canvas.ariaLabel = values ? `${name}: ${values.length} numbers from ${signedText(Math.min(...values))} to ${signedText(Math.max(...values))}` : `${name}: none yet`;
    if (!values) return;
    const image = new ImageData(values.length, 1);
    values.forEach((value, i) => image.data.set([...colour(value), 255], i * 4));
    canvas.getContext("2d")?.putImageData(image, 0, 0);
  }

  #read(): void {
    const index = find<HTMLInputElement>(this.#root, "input");
    const i = Number(index.value) - 1;
    const [a, b] = [this.#a?.[i], this.#b?.[i]];
    const parts = [a !== undefined && `${signedText(a)} in A`, b !== undefined && `${signedText(b)} in B`].filter(Boolean);
    if (a !== undefined && b !== undefined) parts.push(`${Math.abs(a - b).toFixed(3)} apart`);
    const words = parts.length ? `Number ${i + 1} of ${index.max}: ${parts.join(", ")}` : "";
    find(this.#root, "output").textContent = words;
    index.setAttribute("aria-valuetext", words);
    find(this.#root, ".strips").style.setProperty("--at", String((i + 0.5) / Number(index.max)));
  }
}

const signed = (value: number) => mix(ZERO, value < 0 ? NEGATIVE : POSITIVE, Math.abs(value) / FULL_COLOUR);
const signedText = (value: number) => value.toFixed(3).replace("-", "−");

function mix(from: RGB, to: RGB, part: number): RGB {
  const t = Math.min(1, part);
  return from.map((channel, i) => Math.round(channel + t * (to[i]! - channel))) as RGB;
}
