/**
 * Bytes in the chunks in which they arrived. Joining them would copy them several times, and the system would have to find memory for all of them each time.
 */

export type Chunk = Uint8Array<ArrayBuffer>;

export async function chunksOf(stream: ReadableStream<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) chunks.push(read.value);
  return chunks;
}

/** The last bytes, as many as `length`. */
export function lastOf(chunks: Chunk[], length: number): Chunk {
  const last = new Uint8Array(length);
  for (const chunk of [...chunks].reverse()) {
    if (!length) break;
    const part = chunk.subarray(-length);
    last.set(part, (length -= part.length));
  }
  return last;
}

/**
 * Returns a function that takes the next `length` bytes on each call. It gives `put` the parts, each with the number of bytes before it, and releases chunks
 * that are used up.
 */
export function inTurn(chunks: Chunk[]): (length: number, put: (part: Chunk, at: number) => void) => void {
  const left = [...chunks];
  chunks.length = 0;
  return (length, put) => {
    for (let at = 0; at < length; ) {
      const chunk = left.shift();
      if (!chunk) throw new RangeError("fewer bytes than that");
      const part = chunk.subarray(0, length - at);
      if (part.length < chunk.length) left.unshift(chunk.subarray(part.length));
      put(part, at);
      at += part.length;
    }
  };
}
