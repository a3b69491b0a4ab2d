import type { SeenFace } from "../contract";

/** A chip as a small picture that can be kept and shown: a data URL. */
export function chipUrl({ chip, chip_size: size }: Pick<SeenFace, "chip" | "chip_size">): string {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const image = new ImageData(size, size);
  for (let pixel = 0; pixel < size * size; pixel++) {
    image.data.set([chip[pixel * 3]!, chip[pixel * 3 + 1]!, chip[pixel * 3 + 2]!, 255], pixel * 4);
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas.toDataURL("image/jpeg", 0.85);
}
