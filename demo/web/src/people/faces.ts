/** What may be kept of a face: numbers that can be compared, and a picture that lies in the page itself. */

/** Why numbers cannot be compared as an embedding, the end of a sentence; null where they can. As facelab.embed.fault_of does it. */
export function faultOf(embedding: Float32Array, dimensions: number): string | null {
  if (embedding.length !== dimensions) return `${embedding.length} numbers came, where ${dimensions} were expected`;
  const length = Math.fround(embedding.reduce((sum, value) => sum + value * value, 0));
  if (length > 0 && length < Infinity) return null;
  return "numbers came that are no embedding: some are infinite or not a number, or all are zero";
}

/** The numbers as a key: the same photo, read by the same network, gives the same. */
export function faceKey(embedding: Float32Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength)));
}

/** A chip, or "" for what would make the browser ask for a file. */
export const pictureOnly = (chip: string): string => (/^data:image\/(jpeg|png|webp);base64,[A-Za-z0-9+/]+={0,2}$/.test(chip) ? chip : "");
