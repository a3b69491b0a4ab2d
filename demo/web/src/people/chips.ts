import { PhotoError, type Manifest, type SeenFace } from "../contract";
import type { EngineClient } from "../engine/client";
import { paint } from "../paint";
import { decode, pixelsOf } from "../photos";

/** A chip as a small picture that can be kept and shown: a data URL. */
export function chipUrl({ chip, chip_size: size }: Pick<SeenFace, "chip" | "chip_size">): string {
  const canvas = document.createElement("canvas");
  paint(canvas, { width: size, height: size, rgb: chip });
  return canvas.toDataURL("image/jpeg", 0.85);
}

/**
 * A kept face as an embedder reads it, by its chip. `embedder`: whose numbers are kept with it now.
 *
 * @throws PhotoError when the chip is damaged, or no chip of a network that is listed here.
 */
export async function reread(
  engine: EngineClient,
  { chip, embedder }: { chip: string; embedder: string },
  by: string,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const manifest = await engine.manifest;
  const picture = await decode(await (await fetch(chip)).blob(), manifest.photo.max_side);
  return engine.reread(pixelsOf(picture), cutFor(picture.width, embedder, manifest), by, signal);
}

/** The embedder that a chip was cut for, by the chip's side: the numbers kept with it may have been read from it by another one later. */
function cutFor(side: number, embedder: string, manifest: Manifest): string {
  const all = [manifest.embedder, ...Object.values(manifest.embedders ?? {}).map((other) => other.embedder)];
  const fitting = all.filter(({ chip_size }) => chip_size === side).map(({ name }) => name);
  const cut = fitting.includes(embedder) ? embedder : fitting[0];
  if (!cut) throw new PhotoError(`A stored face is ${side} pixels wide. No network of this site uses that size, so the face cannot be read again.`);
  return cut;
}
