import type { SeenFace } from "../contract";
import { paint } from "../paint";

/** A chip as a small picture that can be kept and shown: a data URL. */
export function chipUrl({ chip, chip_size: size }: Pick<SeenFace, "chip" | "chip_size">): string {
  const canvas = document.createElement("canvas");
  paint(canvas, { width: size, height: size, rgb: chip });
  return canvas.toDataURL("image/jpeg", 0.85);
}
