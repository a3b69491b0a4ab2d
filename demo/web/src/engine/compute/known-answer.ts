/** A test picture that can be computed anywhere, and a network's answer to it: the same as facelab.known_answer. */

const SIDE = 240;
const TOLERANCE = 1e-3;

/** From the chip to the picture, row by row. */
export const TRANSFORM = [1.5, 0.2, 10, -0.2, 1.5, 40];

/** RGB. */
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
