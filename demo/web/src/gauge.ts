import { find, shadow, sheet } from "./element";
import base from "./styles/base.css?inline";
import css from "./styles/gauge.css?inline";

const styles = [sheet(base), sheet(css)];

/** `<distance-gauge>`: where a distance lies between "same" and "different". */
export class DistanceGauge extends HTMLElement {
  readonly #root = shadow(
    this,
    `<div class="gauge" role="img">
       <div class="track"><div class="needle" hidden><span></span></div></div>
       <div class="axis"></div>
       <div class="zones"><span class="same">same</span><span class="unsure">can’t tell</span><span class="different">different</span></div>
     </div>`,
    ...styles,
  );

  /** `distance` null: the scale alone. Distances are Euclidean; below `sureBelow` is surely the same person, above `threshold` another. */
  show(distance: number | null, sureBelow: number, threshold: number): void {
    const end = Math.max(1.2, Math.ceil((distance ?? 0) * 10 + 1) / 10);
    const gauge = find(this.#root, ".gauge");
    gauge.style.setProperty("--sure", String(sureBelow / end));
    gauge.style.setProperty("--threshold", String(threshold / end));

    const marks = [sureBelow, threshold];
    const between = [0.2, 0.4, 0.6, 0.8, 1].filter((value) => marks.every((mark) => Math.abs(value - mark) > 0.08));
    find(gauge, ".axis").replaceChildren(...[0, ...between, ...marks, end].map((value) => tick(value, end)));

    const needle = find(gauge, ".needle");
    needle.hidden = distance === null;
    gauge.classList.toggle("none", distance === null);
    const scale = `a scale from 0 to ${end}; same below ${sureBelow}, different above the threshold ${threshold}`;
    if (distance === null) {
      gauge.ariaLabel = `No distance yet, on ${scale}`;
    } else {
      needle.style.setProperty("--at", String(distance / end));
      find(needle, "span").textContent = distance.toFixed(2);
      gauge.ariaLabel = `Distance ${distance.toFixed(3)} on ${scale}`;
    }
  }
}

function tick(value: number, end: number): HTMLElement {
  const tick = document.createElement("span");
  tick.textContent = String(value);
  tick.style.setProperty("--at", String(value / end));
  return tick;
}
