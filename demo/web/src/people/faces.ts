/** Checks of what is stored about a face: embeddings that can be compared, and pictures that lie in the page itself. */

/** What is wrong with an embedding, as words after "has"; null if it can be compared. The same rule as facelab.embed.fault_of. */
export function faultOf(embedding: Float32Array, dimensions: number): string | null {
  if (embedding.length !== dimensions) return `an embedding of ${embedding.length} numbers instead of ${dimensions}`;
  const length = Math.fround(embedding.reduce((sum, value) => sum + value * value, 0));
  if (length > 0 && length < Infinity) return null;
  return "an embedding with infinite or invalid numbers, or with zeros alone";
}

/** The embedding as a key: the same photo read by the same network gives the same key. */
export function faceKey(embedding: Float32Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength)));
}

/** A chip, or "" if its address would make the browser fetch a file. */
export const pictureOnly = (chip: string): string => (/^data:image\/(jpeg|png|webp);base64,[A-Za-z0-9+/]+={0,2}$/.test(chip) ? chip : "");
