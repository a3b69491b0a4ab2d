// node kernels/f32.mjs ORT.wasm OUT: ONNX Runtime's wasm with another kernel of its matrix products, which all convolutions come down to. What it
// computes is the same to the last bit. As it was compiled, the kernel loads more at a time than there are registers, so that browsers put sums aside
// in memory and fetch them again; this one keeps everything that a step takes in fourteen of the sixteen that there are, and is nearly twice as fast.
//
// MLAS, which these products are of, asks `kernel(A, B, C, K, rows, columns, lda, ldc, alpha)` to compute C = alpha A B, or C += alpha A B, for as many
// rows as it likes; how many it did, it answers. B comes in panels of sixteen columns, [K][16] floats each. Addresses in bytes, strides in floats.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { atLeast, F32, get, give, I32, inAll, loopWhile, minus, number, plus, product, range, set, sum, times, V128, when } from "./instructions.mjs";
import { Locals, PANEL, tiles } from "./tiles.mjs";
import { bodyOf, raw } from "../wasm/code.mjs";
import { toLeb } from "../wasm/binary.mjs";
import { Module } from "../wasm/module.mjs";

export const KERNEL = { takes: [...Array(8).fill(I32), F32], gives: [I32] };
const [A, B, C, K, ROWS, COLUMNS, LDA, LDC, ALPHA] = KERNEL.takes.keys();
/** How many rows and columns are computed at once. */
const TILES = [[4, 8], [2, 16], [1, 16]];
const MOST = { rows: 4, sums: 8, vectors: 4 };

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [path, out] = process.argv.slice(2);
  await writeFile(join(out, "ort-wasm-simd-threaded.wasm"), faster(await readFile(path)));
}

/** The file with other kernels. Throws where it has none that compute what these do. */
export function faster(file) {
  const module = new Module(file);
  const found = [...module.bodies.keys()].filter((number) => module.isOf(number, KERNEL));
  const made = [false, true].map((adds) => kernel(adds));
  for (const number of found) {
    const same = made.find((body) => agree(module.bodies[number], body));
    if (!same) throw new Error(`function ${number} of ONNX Runtime looks like a kernel of its matrix products, and computes something else`);
    module.bodies[number] = same;
  }
  if (found.length !== made.length) throw new Error(`ONNX Runtime has ${found.length} kernels of matrix products where two were expected`);
  return module.file;
}

/** A function's body, length ahead: C = alpha A B, or with `adds` C += alpha A B. `first(locals)`: code that runs before. */
export function kernel(adds, first = () => []) {
  const locals = new Locals(KERNEL.takes.length);
  const alpha = locals.one(V128);
  const block = tiles(locals, {
    most: MOST,
    a: get(A),
    b: get(B),
    c: get(C),
    strideOfA: times(get(LDA), number(4)),
    strideOfC: times(get(LDC), number(4)),
    steps: get(K),
    columns: get(COLUMNS),
    add: (before, a, b) => sum(before, product(a, b)),
    result: (all) => product(all, get(alpha)),
    adds,
  });
  const panels = (rows, columns) =>
    loopWhile(
      atLeast(get(COLUMNS), number(1)),
      ...range(PANEL / columns).map((part) => when(atLeast(get(COLUMNS), number(part * columns + 1)), block(rows, part * columns, columns / 4))),
      set(B, plus(get(B), times(get(K), number(4 * PANEL)))),
      set(C, plus(get(C), number(4 * PANEL))),
      set(COLUMNS, minus(get(COLUMNS), number(PANEL))),
    );
  const code = [
    first(locals),
    set(alpha, inAll(get(ALPHA))),
    ...TILES.map(([rows, columns]) => when(atLeast(get(ROWS), number(rows)), panels(rows, columns), give(number(rows)))),
    number(0),
  ];
  return bodyOf(locals.types, [raw(Uint8Array.from(code.flat(Infinity)))]);
}

/** Whether two kernels give the same, to the last bit. */
export function agree(one, other) {
  const vector = (...entries) => Buffer.concat([toLeb(entries.length), ...entries.map((entry) => Uint8Array.from(entry))]);
  const section = (id, content) => [Uint8Array.of(id), toLeb(content.length), content];
  const named = (name, kind, index) => [1, name.charCodeAt(0), kind, index];
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.concat([
    Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0),
    ...section(1, vector([0x60, ...vector(...KERNEL.takes.map((type) => [type])), ...vector(KERNEL.gives)])),
    ...section(3, vector([0], [0])),
    ...section(5, vector([0, 2])),
    ...section(7, vector(named("a", 0, 0), named("b", 0, 1), named("m", 2, 0))),
    ...section(10, vector(one, other)),
  ])));
  const memory = new Float32Array(exports.m.buffer);
  const [a, b, c] = [0, 4096, 16384]; // of floats
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff - 0.5;
  for (const k of [0, 1, 2, 3, 4, 7, 33]) {
    for (const rows of [1, 2, 3, 4, 5, 7]) {
      for (const columns of [...range(PANEL + 2).slice(1), 31, 33]) {
        const values = memory.map(random);
        const [first, second] = [exports.a, exports.b].map((run) => {
          memory.set(values);
          const [lda, ldc] = [k + 3, columns + 5];
          for (let row = 0; row < rows; ) row += run(4 * (a + row * lda), 4 * b, 4 * (c + row * ldc), k, rows - row, columns, lda, ldc, 0.7) || rows;
          return Buffer.from(memory.slice().buffer);
        });
        if (!first.equals(second)) return false;
      }
    }
  }
  return true;
}
