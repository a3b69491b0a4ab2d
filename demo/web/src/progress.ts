import type { Started } from "./contract";
import { find, shadow, sheet } from "./element";
import base from "./styles/base.css?inline";
import css from "./styles/progress.css?inline";

const styles = [sheet(base), sheet(css)];
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

/** `<load-progress>`: a bar of bytes, and a sentence about what is loading. */
export class LoadProgress extends HTMLElement {
  readonly #root = shadow(
    this,
    `<div data-testid="progress"><div class="bar" role="progressbar" aria-label="Loading" aria-valuemin="0"><div class="done"></div></div><p></p></div>`,
    ...styles,
  );

  show(loaded: number, total: number, what: string): void {
    const known = total > 0;
    const words = (known ? `${megabytes(loaded)} of ${megabytes(total)} MB` : "Requesting the models") + (what && `: ${what}`);
    const bar = find(this.#root, ".bar");
    if (known) {
      bar.ariaValueNow = String(Math.min(loaded, total));
      bar.ariaValueMax = String(total);
    } else {
      bar.removeAttribute("aria-valuenow");
    }
    bar.ariaValueText = words;
    find(bar, ".done").style.setProperty("--part", String(known ? Math.min(1, loaded / total) : 0));
    find(this.#root, "p").textContent = words;
  }

  /** Everything has loaded: fill the bar and keep the sentence. Without bytes, an earlier page had loaded everything. */
  finish({ bytes, distrusted }: Started, seconds: number): void {
    this.show(bytes || 1, bytes || 1, "");
    const loaded = bytes ? `${megabytes(bytes)} MB loaded` : "Already loaded by an earlier page";
    const instead = distrusted ? " The trimmed ONNX Runtime gave a wrong answer to a known face, so ONNX Runtime as published is in use." : "";
    find(this.#root, "p").textContent = `${loaded}, ready after ${seconds.toFixed(1)} s.${instead}`;
  }
}
