import type { Picture } from "./contract";

/** Draw a picture into a canvas, and give the canvas the picture's size. */
export function paint(canvas: HTMLCanvasElement, { width, height, rgb }: Picture): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    image.data[to] = rgb[from]!;
    image.data[to + 1] = rgb[from + 1]!;
    image.data[to + 2] = rgb[from + 2]!;
    image.data[to + 3] = 255;
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}
