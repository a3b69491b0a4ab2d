import { svg, type SVGTemplateResult } from "lit";

import type { ClassTold } from "../contract";

const WIDTH = 560;
const HEIGHT = 150;
const FLOOR = HEIGHT - 24;
const LONGEST = 1.1; // distances beyond it are nobody's

/** How far photos of one pupil lie apart, how far those of two, and where the answers change. */
export function histogram({ genuine, impostor, step, sure_below, unknown_from }: ClassTold): SVGTemplateResult {
  const x = (distance: number) => (Math.min(distance, LONGEST) / LONGEST) * WIDTH;
  const bars = (counts: number[], tone: string) => {
    const most = Math.max(...counts, 1);
    return counts.map((count, i) =>
      count && i * step < LONGEST
        ? svg`<rect class=${tone} x=${x(i * step)} y=${FLOOR - (count / most) * (FLOOR - 8)} width=${Math.max(1, x(step) - 1)} height=${(count / most) * (FLOOR - 8)}/>`
        : null,
    );
  };
  const line = (at: number) => svg`<line x1=${x(at)} x2=${x(at)} y1="0" y2=${FLOOR}/>`;
  return svg`<svg class="histogram" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" data-testid="class-picture"
      aria-label="Distances in this class: one pupil’s photos lie mostly below ${sure_below.toFixed(2)}, two pupils’ mostly above ${unknown_from.toFixed(2)}.">
    <rect class="sure" x="0" y="0" width=${x(sure_below)} height=${FLOOR}/>
    <rect class="unsure" x=${x(sure_below)} y="0" width=${x(unknown_from) - x(sure_below)} height=${FLOOR}/>
    ${bars(impostor, "impostor")}${bars(genuine, "genuine")}
    ${line(sure_below)}${line(unknown_from)}
    ${[0, 0.2, 0.4, 0.6, 0.8, 1].map((at) => svg`<text x=${Math.max(8, x(at))} y=${HEIGHT - 6}>${at}</text>`)}
  </svg>`;
}
