/**
 * Bytes in the pieces in which they came. In one, they would be copied several times on the way to where they belong, and each time the system has to
 * find memory for all of them.
 */

export type Piece = Uint8Array<ArrayBuffer>;

export async function piecesOf(stream: ReadableStream<Piece>): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) pieces.push(read.value);
  return pieces;
}

/** The last bytes of all, as many as that. */
export function lastOf(pieces: Piece[], length: number): Piece {
  const last = new Uint8Array(length);
  for (const piece of [...pieces].reverse()) {
    if (!length) break;
    const part = piece.subarray(-length);
    last.set(part, (length -= part.length));
  }
  return last;
}

/** Takes up the next `length` bytes, each time that it is called: it gives `put` parts of them, each with how many came before it. Pieces that are through are let go of. */
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
