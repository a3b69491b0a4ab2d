/** Panels as elements: the answers of a lab or a cell, drawn. */

import type { Box, ChartLine, ChartPanel, FactsPanel, GridPanel, Panel, Picture, PicturePanel } from "../contract";
import { paint } from "../paint";

export type Drag = (name: string, x: number, y: number) => void;

/** Replace the elements of the panels. A picture whose dot is being dragged stays in place. `keepRest`: more panels will follow. */
export function showPanels(host: HTMLElement, panels: Panel[], drag: Drag, keepRest = false): void {
  const old = [...host.children] as HTMLElement[];
  const fresh = panels.map((panel, i) => {
    const before = old[i];
    if (panel.kind === "picture" && before?.classList.contains("picture")) return updatePicture(before, panel, drag);
    return draw(panel, drag);
  });
  if (keepRest) fresh.push(...old.slice(fresh.length));
  if (old.length === fresh.length && fresh.every((element, i) => element === old[i])) return;
  host.replaceChildren(...fresh);
  for (const figure of fresh) drawings.get(figure)?.(); // at once: nobody sees it without
}

function draw(panel: Panel, drag: Drag): HTMLElement {
  switch (panel.kind) {
    case "picture":
      return updatePicture(element("figure", "picture"), panel, drag);
    case "chart":
      return chart(panel);
    case "facts":
      return facts(panel);
    case "grid":
      return grid(panel);
  }
}

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className = "",
  text = "",
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

// Pictures

export function canvasOf({ width, height, rgb }: Picture): HTMLCanvasElement {
  const canvas = element("canvas");
  paint(canvas, { width, height, rgb });
  return canvas;
}

function updatePicture(figure: HTMLElement, panel: PicturePanel, drag: Drag): HTMLElement {
  figure.classList.toggle("small", panel.small);
  let frame = figure.querySelector<HTMLElement>(".frame");
  if (!frame) {
    frame = element("div", "frame");
    frame.append(element("canvas"), element("div", "overlay"));
    figure.append(frame, element("figcaption"));
  }
  const canvas = frame.querySelector("canvas")!;
  paint(canvas, panel.pixels);
  canvas.role = "img";
  canvas.ariaLabel = panel.alt;
  figure.querySelector("figcaption")!.textContent = panel.caption;
  const { width, height } = panel.pixels;
  const overlay = frame.querySelector(".overlay")!;
  for (const old of overlay.querySelectorAll(":scope > svg")) old.remove();
  if (panel.boxes.length) overlay.prepend(boxes(panel.boxes, width, height));
  const dots = [...overlay.querySelectorAll<HTMLElement>(".dot")];
  panel.dots.forEach(({ x, y, name }, i) => {
    const dot = dots[i] ?? overlay.appendChild(name ? draggable(frame, drag) : element("i", "dot"));
    dot.dataset.name = name;
    dot.dataset.x = String(x);
    dot.dataset.y = String(y);
    dot.dataset.width = String(width);
    dot.dataset.height = String(height);
    if (name) dot.ariaLabel = `${name.replaceAll("_", " ")}: drag it, or move it with the arrow keys`;
    dot.style.left = `${((x + 0.5) / width) * 100}%`;
    dot.style.top = `${((y + 0.5) / height) * 100}%`;
  });
  for (const dot of dots.slice(panel.dots.length)) dot.remove();
  return figure;
}

function draggable(frame: HTMLElement, drag: Drag): HTMLElement {
  const dot = element("button", "dot");
  dot.type = "button";
  const tell = (x: number, y: number) => {
    const { width, height } = sizes(dot);
    drag(dot.dataset.name!, Math.min(width - 1, Math.max(0, x)), Math.min(height - 1, Math.max(0, y)));
  };
  dot.addEventListener("pointerdown", (event) => {
    dot.setPointerCapture(event.pointerId);
    event.preventDefault();
    dot.focus();
  });
  dot.addEventListener("pointermove", (event) => {
    if (!dot.hasPointerCapture(event.pointerId)) return;
    const area = frame.getBoundingClientRect();
    const { width, height } = sizes(dot);
    tell(((event.clientX - area.left) / area.width) * width - 0.5, ((event.clientY - area.top) / area.height) * height - 0.5);
  });
  dot.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 10 : 1;
    const [right, down] = ({ ArrowRight: [step, 0], ArrowLeft: [-step, 0], ArrowDown: [0, step], ArrowUp: [0, -step] } as Record<string, [number, number]>)[event.key] ?? [0, 0];
    if (!right && !down) return;
    event.preventDefault();
    tell(Number(dot.dataset.x) + right, Number(dot.dataset.y) + down);
  });
  return dot;
}

const sizes = (dot: HTMLElement) => ({ width: Number(dot.dataset.width), height: Number(dot.dataset.height) });

function boxes(boxes: Box[], width: number, height: number): SVGElement {
  const drawing = svg("svg", { viewBox: `-0.5 -0.5 ${width} ${height}`, "aria-hidden": "true" });
  for (const { corners, label, tone, faint } of boxes) {
    const [x1, y1, x2, y2] = corners;
    drawing.append(svg("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, class: `box ${tone} ${faint ? "faint" : ""}` }));
    if (label) {
      const [x, anchor] = x1 < width * 0.7 ? [Math.max(x1, 0), "start"] : [Math.min(x2, width - 1), "end"];
      const y = Math.min(Math.max(y1 - width / 120, width / 30), height - width / 120);
      const text = svg("text", { x, y, "text-anchor": anchor, "font-size": width / 28, class: `box-label ${tone}` });
      text.textContent = label;
      drawing.append(text);
    }
  }
  return drawing;
}

// Numbers

function facts({ facts }: FactsPanel): HTMLElement {
  const list = element("dl", "facts");
  for (const { label, value, note, tone } of facts) {
    const group = element("div", tone);
    group.append(element("dt", "", label), element("dd", "value", value));
    if (note) group.append(element("dd", "note", note));
    list.append(group);
  }
  return list;
}

function grid({ columns, rows, caption, tones }: GridPanel): HTMLElement {
  const figure = element("figure", "grid");
  const box = element("div", "scroll");
  box.tabIndex = 0;
  box.role = "region";
  box.ariaLabel = caption || "table";
  const table = element("table");
  const head = table.createTHead().insertRow();
  for (const column of columns) {
    const cell = element("th", "", column);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  rows.forEach((row, r) => {
    const line = body.insertRow();
    row.forEach((value, c) => {
      const cell = element(c === 0 ? "th" : "td", tones[r]?.[c] ?? "", value);
      if (c === 0) (cell as HTMLTableCellElement).scope = "row";
      line.append(cell);
    });
  });
  box.append(table);
  figure.append(box);
  if (caption) figure.append(element("figcaption", "", caption));
  return figure;
}

// Charts

const NS = "http://www.w3.org/2000/svg";

function svg(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

interface Scale {
  at: (value: number) => number;
  ticks: number[];
}

/** What draws a chart anew, of each figure that is one. */
const drawings = new WeakMap<HTMLElement, () => void>();

/** Drawn in the pixels that it has, and again when it gets others: so its letters keep their size. */
function chart(panel: ChartPanel): HTMLElement {
  const figure = element("figure", panel.small ? "chart small" : "chart");
  let drawn: SVGElement | undefined;
  let width = 0;
  const redraw = () => {
    const room = Math.min(figure.clientWidth, panel.square ? 400 : 640);
    if (!room || room === width) return;
    width = room;
    const fresh = drawing(panel, width);
    if (drawn) drawn.replaceWith(fresh);
    else figure.prepend(fresh);
    drawn = fresh;
  };
  drawings.set(figure, redraw);
  new ResizeObserver(redraw).observe(figure);
  const named = panel.lines.filter(({ name }) => name);
  if (named.length > 1) {
    const legend = element("ul", "legend");
    for (const line of named) legend.append(element("li", colourOf(line, panel.lines.indexOf(line)), line.name));
    figure.append(legend);
  }
  if (panel.caption) figure.append(element("figcaption", "", panel.caption));
  return figure;
}

function drawing(panel: ChartPanel, width: number): SVGElement {
  const height = panel.square ? width : Math.max(190, width / 2);
  const shown = panel.lines.filter(({ x }) => x.length);
  const bars = shown.some(({ style }) => style === "bars");
  const heights = shown.flatMap(({ y }) => y);
  const longest = Math.max(...scale(heights, panel.y_limits, panel.y_log, 0, 1, bars).ticks.map((tick) => tickLabel(tick).length), 1);
  const margin = { left: longest * 7 + (panel.y ? 26 : 10), right: 14, top: panel.marks.length ? 22 : 10, bottom: panel.x ? 42 : 26 };
  const half = bars ? ((width - margin.left - margin.right) / Math.max(...shown.map(({ x }) => x.length), 1)) * 0.5 : 0; // a bar at either end is whole
  const across = scale(shown.flatMap(({ x }) => x), panel.x_limits, panel.x_log, margin.left + half, width - margin.right - half, false);
  const up = scale(heights, panel.y_limits, panel.y_log, height - margin.bottom, margin.top, bars);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
  picture.ariaLabel = panel.alt;
  for (const tick of across.ticks) {
    const x = across.at(tick);
    picture.append(svg("path", { d: `M${x} ${margin.top}V${height - margin.bottom}`, class: "rule" }));
    picture.append(text(tickLabel(tick), x, height - margin.bottom + 15, "middle"));
  }
  for (const tick of up.ticks) {
    const y = up.at(tick);
    picture.append(svg("path", { d: `M${margin.left} ${y}H${width - margin.right}`, class: "rule" }));
    picture.append(text(tickLabel(tick), margin.left - 6, y + 4, "end"));
  }
  if (panel.x) picture.append(text(panel.x, (margin.left + width - margin.right) / 2, height - 6, "middle", "axis"));
  if (panel.y) {
    const label = text(panel.y, 0, 0, "middle", "axis");
    label.setAttribute("transform", `translate(13 ${(margin.top + height - margin.bottom) / 2}) rotate(-90)`);
    picture.append(label);
  }
  shown.forEach((line, i) => picture.append(...curve(line, across, up, panel.lines.indexOf(line), shown.length, i)));
  for (const [name, at] of panel.marks) {
    const x = across.at(at);
    picture.append(svg("path", { d: `M${x} ${margin.top - 6}V${height - margin.bottom}`, class: "mark" }));
    picture.append(text(name, Math.min(x, width - 40), margin.top - 9, "middle"));
  }
  return picture;
}

const colourOf = ({ tone }: ChartLine, index: number) => tone || `c${index % 6}`;

function curve(line: ChartLine, across: Scale, up: Scale, index: number, count: number, place: number): SVGElement[] {
  const { x, y, style } = line;
  const colour = colourOf(line, index);
  const points = x.map((value, i) => [across.at(value), up.at(y[i]!)] as const);
  if (style === "points") {
    return points.flatMap(([px, py], i) => {
      const parts: SVGElement[] = [svg("circle", { cx: px, cy: py, r: points.length > 100 ? 2 : 5, class: `point ${colour}` })];
      if (line.labels[i]) parts.push(text(line.labels[i], px + 8, py + 4, "start"));
      return parts;
    });
  }
  if (style === "bars") {
    const step = points.length > 1 ? Math.abs(points[1]![0] - points[0]![0]) : 10;
    const base = up.at(0);
    const room = count > 1 ? 0.5 : 0.9;
    return points.map(([px, py]) =>
      svg("rect", {
        x: px - (step * 0.9) / 2 + (count > 1 ? (place * step * 0.9) / count : 0),
        y: Math.min(py, base),
        width: Math.max(0.5, step * room),
        height: Math.abs(base - py),
        class: `bar ${colour}`,
      }),
    );
  }
  const path = points.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  return [svg("path", { d: path, class: `line ${colour} ${style}` })];
}

function scale(values: number[], limits: [number, number] | null, log: boolean, from: number, to: number, zero: boolean): Scale {
  const usable = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  let [low, high] = limits ?? [Math.min(...usable, ...(zero ? [0] : [])), Math.max(...usable, ...(zero ? [0] : []))];
  if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = [log ? 0.1 : 0, 1];
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  const map = log ? Math.log10 : (value: number) => value;
  const [a, b] = [map(low), map(high)];
  const at = (value: number) => from + ((map(log ? Math.max(value, low) : value) - a) / (b - a)) * (to - from);
  return { at, ticks: log ? decades(low, high) : steps(low, high) };
}

function steps(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

function decades(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const count = Math.floor(Math.log10(high) + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => 10 ** (first + i));
}

const tickLabel = (tick: number) => String(Number(tick.toPrecision(4)));

function text(content: string, x: number, y: number, anchor: string, className = "tick"): SVGElement {
  const made = svg("text", { x, y, "text-anchor": anchor, class: className });
  made.textContent = content;
  return made;
}
