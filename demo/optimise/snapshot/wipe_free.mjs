const LARGEST = 1 << 16; // bytes taken at once; where no such block is left, the memory grows by that
const BETWEEN = 16; // bytes: what is further from a block's end is not its neighbour, as the smallest of all blocks may lie between them
const NOTES = 48; // bytes at either end of a free block, and more: where the allocator keeps what it has to know

/**
 * What an Emscripten module has freed is still there; zeros take less room in a file. Takes all memory that is free, gives it back, and writes zeros.
 * The module's memory may be a little longer afterwards, and has to be where it is taken up: the allocator counts on it.
 */
export function wipeFree(module) {
  const end = module._sbrk?.(0) ?? module.HEAPU8.length; // behind the former nothing has ever been
  const taken = [];
  for (let size = LARGEST; size >= 8; size = size > 1024 ? size >> 1 : size - 8) {
    for (;;) {
      const block = module._malloc(size);
      if (block + size > end) {
        module._free(block); // the memory has grown for it: there is no such block left
        break;
      }
      module.HEAPU8.fill(0, block, block + size);
      taken.push([block, block + size]);
    }
  }
  taken.forEach(([block]) => module._free(block));
  // Of neighbours the allocator has made one, and no longer cares for what it knew of each.
  const free = [];
  for (const [first, last] of taken.sort(([a], [b]) => a - b)) {
    if (first - free.at(-1)?.[1] < BETWEEN) free.at(-1)[1] = last;
    else free.push([first, last]);
  }
  for (const [first, last] of free) if (last - first > 2 * NOTES) module.HEAPU8.fill(0, first + NOTES, last - NOTES);
}
