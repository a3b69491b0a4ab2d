/** Bytes in the chunks in which they arrived. Joining the chunks would copy all bytes, and would need twice the memory. */

export type Chunk = Uint8Array<ArrayBuffer>;

export async function chunksOf(stream: ReadableStream<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) chunks.push(read.value);
  return chunks;
}

/** The last `length` bytes. */
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
 * Returns a function that reads the next `length` bytes on each call. It passes them to `put` part by part, each with its position among these bytes, and
 * releases chunks that have been read.
 */
export function inTurn(chunks: Chunk[]): (length: number, put: (part: Chunk, at: number) => void) => void {
  const left = [...chunks];
  chunks.length = 0;
  return (length, put) => {
    for (let at = 0; at < length; ) {
      const chunk = left.shift();
      if (!chunk) throw new RangeError("The chunks hold fewer bytes.");
      const part = chunk.subarray(0, length - at);
      if (part.length < chunk.length) left.unshift(chunk.subarray(part.length));
      put(part, at);
      at += part.length;
    }
  };
}
