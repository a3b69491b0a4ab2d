import { html, type TemplateResult } from "lit";

import { isSure } from "./roll";
import type { Sighting } from "./store";

export type Tone = "sure" | "unsure" | "unknown";

export const toneOf = (one: Sighting): Tone => (!one.personId ? "unknown" : isSure(one) ? "sure" : "unsure");

/** As it is shown beside the face. */
export function labelOf(one: Sighting, nameOf: (id: string) => string): string {
  if (!one.personId) return "?";
  return isSure(one) ? nameOf(one.personId) : `${nameOf(one.personId)}?`;
}

/** A group photo with a button on each face. If the photo is not stored, only the faces. */
export function groupPicture(
  photo: string | undefined,
  size: { width: number; height: number },
  faces: Sighting[],
  nameOf: (id: string) => string,
  choose: (face: Sighting) => void,
): TemplateResult {
  const percent = (part: number, whole: number) => `${(part / whole) * 100}%`;
  const spoken = (one: Sighting, i: number) =>
    `Face ${i + 1} of ${faces.length}: ${one.personId ? `${nameOf(one.personId)}, ${isSure(one) ? "sure" : "not sure"}` : "nobody in the class"}. Correct it`;
  const face = (one: Sighting, i: number, style: string, inside: unknown) => html`<button
    type="button"
    class="face ${toneOf(one)}"
    style=${style}
    data-testid="face-${i}"
    data-name=${one.personId ? nameOf(one.personId) : ""}
    data-answer=${toneOf(one)}
    aria-label=${spoken(one, i)}
    title=${labelOf(one, nameOf)}
    @click=${() => choose(one)}
  >
    ${inside}<span>${labelOf(one, nameOf)}</span>
  </button>`;
  if (!photo) {
    return html`<div class="faces">${faces.map((one, i) => face(one, i, "", html`<img src=${one.chip} alt="" />`))}</div>`;
  }
  return html`<div class="group" style="aspect-ratio: ${size.width} / ${size.height}">
    <img src=${photo} alt="The group photo" />${faces.map((one, i) => {
      const [x1, y1, x2, y2] = one.box;
      const place = `left: ${percent(x1, size.width)}; top: ${percent(y1, size.height)}; width: ${percent(x2 - x1, size.width)}; height: ${percent(y2 - y1, size.height)}`;
      return face(one, i, place, "");
    })}
  </div>`;
}
