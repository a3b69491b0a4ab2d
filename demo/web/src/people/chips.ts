import { PhotoError, type Manifest, type SeenFace } from "../contract";
import type { EngineClient } from "../engine/client";
import { paint } from "../paint";
import { decode, pixelsOf } from "../photos";

/** A chip as a small picture that can be stored and shown: a data URL. */
export function chipUrl({ chip, chip_size: size }: Pick<SeenFace, "chip" | "chip_size">): string {
  const canvas = document.createElement("canvas");
  paint(canvas, { width: size, height: size, rgb: chip });
  return canvas.toDataURL("image/jpeg", 0.85);
}

/**
 * A stored face, embedded again from its chip. `embedder`: the network whose embedding is stored with it now.
 *
 * @throws PhotoError when the chip is damaged, or no listed network uses chips of its size.
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

/** The embedder that a chip was cut for, known by the chip's side. The embedding stored with it may come from another network by now. */
function cutFor(side: number, embedder: string, manifest: Manifest): string {
  const all = [manifest.embedder, ...Object.values(manifest.embedders ?? {}).map((other) => other.embedder)];
  const fitting = all.filter(({ chip_size }) => chip_size === side).map(({ name }) => name);
  const cut = fitting.includes(embedder) ? embedder : fitting[0];
  if (!cut) throw new PhotoError(`A stored face is ${side} pixels wide. No network of this site uses that size, so the face cannot be read again.`);
  return cut;
}
