import type { Scale, Verdict } from "./contract";
import { find, shadow, sheet } from "./element";
import base from "./styles/base.css?inline";
import css from "./styles/gauge.css?inline";

const styles = [sheet(base), sheet(css)];

const TICK = 0.2;

/** `<distance-gauge>`: where a distance lies between "same" and "different", and how it was corrected. */
export class DistanceGauge extends HTMLElement {
  readonly #root = shadow(
    this,
    `<div class="gauge" role="img">
       <div class="track"><div class="plain" hidden></div><div class="needle" hidden><span></span></div></div>
       <div class="axis"></div>
       <div class="zones"><span class="same">same</span><span class="unsure">can’t tell</span><span class="different">different</span></div>
     </div>
     <p class="surroundings" data-testid="surroundings" hidden></p>`,
    ...styles,
  );

  /** Show an answer; with `answer` null, show the scale alone. */
  show(answer: Verdict | null, { sure_below: sureBelow, threshold }: Scale): void {
    const plain = answer?.crowdedness ? answer.plain_distance : null; // null: there was no correction, so both distances are equal
    const end = Math.ceil(Math.max(1.5 * threshold, 1.1 * (answer?.distance ?? 0), 1.1 * (plain ?? 0)) * 10) / 10;
    const part = (distance: number) => String(Math.max(0, distance) / end); // a corrected distance can lie a little below zero
    const gauge = find(this.#root, ".gauge");
    gauge.style.setProperty("--sure", part(sureBelow));
    gauge.style.setProperty("--threshold", part(threshold));

    const marks = [sureBelow, threshold];
    const round = Array.from({ length: Math.ceil(end / TICK) }, (_, i) => i * TICK).filter((value) => [0, ...marks, end].every((mark) => Math.abs(value - mark) > end / 8));
    find(gauge, ".axis").replaceChildren(...[0, ...marks, ...round, end].map((value) => tick(value, part(value))));

    const place = (selector: string, distance: number | null) => {
      const pointer = find(gauge, selector);
      pointer.hidden = distance === null;
      pointer.style.setProperty("--at", part(distance ?? 0));
    };
    place(".plain", plain);
    place(".needle", answer?.distance ?? null);
    find(gauge, ".needle span").textContent = answer ? inWords(answer.distance, 2) : "";
    gauge.classList.toggle("none", !answer);

    const scale = `a scale from 0 to ${end}; same below ${short(sureBelow)}, different from ${short(threshold)} on`;
    const before = plain === null ? "" : `, plain distance ${inWords(plain, 3)},`;
    gauge.ariaLabel = answer ? `Distance ${inWords(answer.distance, 3)}${before} on ${scale}` : `No distance yet, on ${scale}`;
    this.#explain(answer);
  }

  #explain(answer: Verdict | null): void {
    const line = find(this.#root, ".surroundings");
    line.hidden = !answer?.crowdedness;
    if (!answer?.crowdedness) return;
    const [a, b] = answer.crowdedness.map((distance) => distance.toFixed(2));
    line.textContent =
      `Plain distance ${answer.plain_distance.toFixed(2)}. Mean distances of the two faces to their nearest neighbours in a cohort of other ` +
      `people: ${a} and ${b}. A small number means a crowded place, and counts against a match.`;
  }
}

/** At most two digits: an axis has no room for more. */
const short = (value: number) => String(Number(value.toFixed(2)));

export const inWords = (distance: number, digits: number) => distance.toFixed(digits).replace("-", "−");

function tick(value: number, at: string): HTMLElement {
  const tick = document.createElement("span");
  tick.textContent = short(value);
  tick.style.setProperty("--at", at);
  return tick;
}
