const LARGEST = 1 << 16; // bytes taken at once; where no such block is left, the memory grows by that

/**
 * What an Emscripten module has freed is still there; zeros take less room in a file. Takes all memory that is free, writes zeros, gives it back.
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
      taken.push(block);
    }
  }
  taken.forEach((block) => module._free(block));
}
