import { svg, type SVGTemplateResult } from "lit";

import type { ClassSummary } from "../contract";

const WIDTH = 560;
const HEIGHT = 150;
const FLOOR = HEIGHT - 24;
const TICK = 0.2;

/** Distances between photos of one pupil and between photos of two, with the thresholds between the answers. */
export function histogram({ genuine, impostor, step, sure_below, unknown_from }: ClassSummary): SVGTemplateResult {
  const used = Math.max(...[genuine, impostor].map((counts) => counts.findLastIndex((count) => count > 0) + 1));
  const longest = Math.max(used * step, 1.1 * unknown_from);
  const ticks = Array.from({ length: Math.floor(longest / TICK) + 1 }, (_, i) => i * TICK);
  const x = (distance: number) => (distance / longest) * WIDTH;
  const bars = (counts: number[], tone: string) => {
    const most = Math.max(...counts, 1);
    return counts.map((count, i) =>
      count
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
    ${ticks.map((at) => svg`<text x=${Math.min(Math.max(8, x(at)), WIDTH - 10)} y=${HEIGHT - 6}>${Number(at.toFixed(1))}</text>`)}
  </svg>`;
}
