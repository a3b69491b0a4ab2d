/**
 * Bytes in the pieces in which they arrived. Joining them would copy them several times, and the system would have to find memory for all of them each time.
 */

export type Piece = Uint8Array<ArrayBuffer>;

export async function piecesOf(stream: ReadableStream<Piece>): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) pieces.push(read.value);
  return pieces;
}

/** The last bytes, as many as `length`. */
export function lastOf(pieces: Piece[], length: number): Piece {
  const last = new Uint8Array(length);
  for (const piece of [...pieces].reverse()) {
    if (!length) break;
    const part = piece.subarray(-length);
    last.set(part, (length -= part.length));
  }
  return last;
}

/**
 * Returns a function that takes the next `length` bytes on each call. It gives `put` the parts, each with the number of bytes before it, and releases pieces
 * that are used up.
 */
export function inTurn(pieces: Piece[]): (length: number, put: (part: Piece, at: number) => void) => void {
  const left = [...pieces];
  pieces.length = 0;
  return (length, put) => {
    for (let at = 0; at < length; ) {
      const piece = left.shift();
      if (!piece) throw new RangeError("fewer bytes than that");
      const part = piece.subarray(0, length - at);
      if (part.length < piece.length) left.unshift(piece.subarray(part.length));
      put(part, at);
      at += part.length;
    }
  };
}
