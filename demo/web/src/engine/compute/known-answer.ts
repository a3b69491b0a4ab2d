/** A test picture made of whole numbers, so that every machine computes the same picture, and the check of a network's answer: see facelab.known_answer. */

const SIDE = 240;
const TOLERANCE = 1e-3;

/** From the chip to the picture, row by row. */
export const TRANSFORM = [1.5, 0.2, 10, -0.2, 1.5, 40];

/** The test picture: RGB, 8 bits each. */
export function knownPicture(): { dims: [number, number, number]; data: Uint8Array } {
  const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
    const [channel, x, y] = [i % 3, Math.floor(i / 3) % SIDE, Math.floor(i / 3 / SIDE)];
    return (x * (3 + channel) + y * (5 + channel) + Math.floor((x * y) / 32)) % 256;
  });
  return { dims: [SIDE, SIDE, 3], data };
}

/** NaN counts as a wrong answer. */
export function isKnown(embedding: ArrayLike<number>, known: number[]): boolean {
  return embedding.length === known.length && known.every((number, i) => Math.abs(embedding[i]! - number) <= TOLERANCE);
}
