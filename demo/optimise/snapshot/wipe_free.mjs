// Writes zeros over the free memory of an Emscripten module. Freed blocks keep their content, and zeros compress better in the snapshot.
// Assumes that dlmalloc manages the memory.
// Guarantees that blocks in use keep their content. The memory may grow a little, and the page must restore it at its new length, which the allocator has
// noted.
const LARGEST = 1 << 16; // bytes of the first blocks taken; when the memory would have to grow, the next smaller size follows
const GAP = 16; // bytes: blocks further apart are not neighbours, because the allocator's smallest block may lie between them
const NOTES = 48; // bytes, or fewer, at either end of a free block in which the allocator keeps its notes

/** Takes all free blocks of the module's memory, fills them with zeros, and frees them. */
export function wipeFree(module) {
  const end = module._sbrk?.(0) ?? module.HEAPU8.length; // the memory beyond it has never been used
  const taken = [];
  for (let size = LARGEST; size >= 8; size = size > 1024 ? size >> 1 : size - 8) {
    for (;;) {
      const block = module._malloc(size);
      if (block + size > end) {
        module._free(block); // the memory has grown, so no free block of this size is left
        break;
      }
      module.HEAPU8.fill(0, block, block + size);
      taken.push([block, block + size]);
    }
  }
  taken.forEach(([block]) => module._free(block));
  // The allocator has merged neighbours, and has left its old notes about each of them between the zeros.
  const free = [];
  for (const [first, last] of taken.sort(([a], [b]) => a - b)) {
    if (first - free.at(-1)?.[1] < GAP) free.at(-1)[1] = last;
    else free.push([first, last]);
  }
  for (const [first, last] of free) if (last - first > 2 * NOTES) module.HEAPU8.fill(0, first + NOTES, last - NOTES);
}
