// node fast_products.mjs ORT.wasm OUT: ONNX Runtime's wasm with another kernel of its matrix products, which all convolutions come down to. What it
// computes is the same to the last bit. As it was compiled, the kernel loads more at a time than there are registers, so that browsers put sums aside
// in memory and fetch them again; this one keeps everything that a step takes in fourteen of the sixteen that there are, and is nearly twice as fast.
//
// MLAS, which these products are of, asks `kernel(A, B, C, K, rows, columns, lda, ldc, alpha)` to compute C = alpha A B, or C += alpha A B, for as many
// rows as it likes; how many it did, it answers. B comes in panels of sixteen columns, [K][16] floats each. Addresses in bytes, strides in floats.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bodyOf, raw } from "./wasm_code.mjs";
import { signedLeb, toLeb } from "./wasm_functions.mjs";
import { Module } from "./wasm_module.mjs";

const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
export const KERNEL = { takes: [...Array(8).fill(I32), F32], gives: [I32] };
const [A, B, C, K, ROWS, COLUMNS, LDA, LDC, ALPHA] = KERNEL.takes.keys();
const PANEL = 16;
const UNROLLED = 4; // steps along K before a jump back
/** How many rows and columns are computed at once: a sum for each row and four columns, the four columns of B, and one number of A in each lane. */
const TILES = [[4, 8], [2, 16], [1, 16]];

const get = (local) => [0x20, ...toLeb(local)];
const set = (local, value) => [...value, 0x21, ...toLeb(local)];
const number = (value) => [0x41, ...signedLeb(value)];
const plus = (a, b) => [...a, ...b, 0x6a];
const minus = (a, b) => [...a, ...b, 0x6b];
const times = (a, b) => [...a, ...b, 0x6c];
const atLeast = (a, b) => [...a, ...b, 0x4e]; // signed
const when = (condition, ...code) => [...condition, 0x04, 0x40, ...code.flat(Infinity), 0x0b];
const loopWhile = (condition, ...code) => [0x03, 0x40, ...code.flat(Infinity), ...condition, 0x0d, 0, 0x0b];
const load = (address, offset) => [...address, 0xfd, 0x00, 2, ...toLeb(offset)];
const loadToAll = (address, offset) => [...address, 0xfd, 0x09, 2, ...toLeb(offset)];
const store = (address, offset, value) => [...address, ...value, 0xfd, 0x0b, 2, ...toLeb(offset)];
const loadOne = (address, offset) => [...address, 0x2a, 2, ...toLeb(offset)];
const storeOne = (address, offset, value) => [...address, ...value, 0x38, 2, ...toLeb(offset)];
const lane = (vector, i) => [...vector, 0xfd, 0x1f, i];
const sumOfOne = (a, b) => [...a, ...b, 0x92];
const sum = (a, b) => [...a, ...b, 0xfd, 0xe4, 0x01];
const product = (a, b) => [...a, ...b, 0xfd, 0xe6, 0x01];
const inAll = (one) => [...one, 0xfd, 0x13];
const ZERO = [0xfd, 0x0c, ...Array(16).fill(0)];
const range = (length) => Array.from({ length }, (_, i) => i);

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [path, out] = process.argv.slice(2);
  await writeFile(join(out, "ort-wasm-simd-threaded.wasm"), faster(await readFile(path)));
}

/** The file with other kernels. Throws where it has none that compute what these do. */
export function faster(file) {
  const module = new Module(file);
  const found = [...module.bodies.keys()].filter((number) => module.isOf(number, KERNEL));
  const made = [false, true].map(kernel);
  for (const number of found) {
    const same = made.find((body) => agree(module.bodies[number], body));
    if (!same) throw new Error(`function ${number} of ONNX Runtime looks like a kernel of its matrix products, and computes something else`);
    module.bodies[number] = same;
  }
  if (found.length !== made.length) throw new Error(`ONNX Runtime has ${found.length} kernels of matrix products where two were expected`);
  return module.file;
}

/** A function's body, length ahead: C = alpha A B, or with `adds` C += alpha A B. */
export function kernel(adds) {
  const types = [];
  const local = (type) => KERNEL.takes.length + types.push(type) - 1;
  const locals = (count, type) => range(count).map(() => local(type));
  const [b, left, c] = locals(3, I32);
  const most = (of) => Math.max(...TILES.map(of));
  const rowsOfA = locals(most(([rows]) => rows), I32);
  const sums = locals(most(([rows, columns]) => (rows * columns) / 4), V128);
  const fromB = locals(most(([, columns]) => columns / 4), V128);
  const [fromA, alpha] = locals(2, V128);

  const tile = (rows, columns) =>
    loopWhile(
      atLeast(get(COLUMNS), number(1)),
      ...range(PANEL / columns).map((part) => when(atLeast(get(COLUMNS), number(part * columns + 1)), block(rows, part * columns, columns / 4))),
      set(B, plus(get(B), times(get(K), number(4 * PANEL)))),
      set(C, plus(get(C), number(4 * PANEL))),
      set(COLUMNS, minus(get(COLUMNS), number(PANEL))),
    );

  /** Of the panel the columns from `first` on, four for each of `vectors`. */
  const block = (rows, first, vectors) => {
    const sumOf = (row, vector) => sums[row * vectors + vector];
    const steps = (count) => [
      ...range(count).map((step) => [
        ...range(vectors).map((vector) => set(fromB[vector], load(get(b), 4 * (PANEL * step + 4 * vector)))),
        ...range(rows).map((row) => [
          set(fromA, loadToAll(get(rowsOfA[row]), 4 * step)),
          ...range(vectors).map((vector) => set(sumOf(row, vector), sum(get(sumOf(row, vector)), product(get(fromA), get(fromB[vector]))))),
        ]),
      ]),
      set(b, plus(get(b), number(4 * PANEL * count))),
      ...range(rows).map((row) => set(rowsOfA[row], plus(get(rowsOfA[row]), number(4 * count)))),
      set(left, minus(get(left), number(count))),
    ];
    const enough = (count) => atLeast(get(left), number(count));
    return [
      ...sums.slice(0, rows * vectors).map((one) => set(one, ZERO)),
      ...range(rows).map((row) => set(rowsOfA[row], plus(get(A), times(get(LDA), number(4 * row))))),
      set(b, plus(get(B), number(4 * first))),
      set(left, get(K)),
      ...[UNROLLED, 1].map((count) => when(enough(count), loopWhile(enough(count), ...steps(count)))),
      ...range(rows).map((row) => [
        ...set(c, plus(get(C), times(get(LDC), number(4 * row)))),
        ...range(vectors).flatMap((vector) => written(first + 4 * vector, product(get(sumOf(row, vector)), get(alpha)))),
      ]),
    ];
  };

  /** Four columns of C, or as many as there are. */
  const written = (column, four) => {
    const whole = store(get(c), 4 * column, adds ? sum(get(fromA), load(get(c), 4 * column)) : get(fromA));
    const ones = range(3).flatMap((i) => {
      const [one, offset] = [lane(get(fromA), i), 4 * (column + i)];
      return when(atLeast(get(COLUMNS), number(column + i + 1)), storeOne(get(c), offset, adds ? sumOfOne(one, loadOne(get(c), offset)) : one));
    });
    return [...set(fromA, four), ...atLeast(get(COLUMNS), number(column + 4)), 0x04, 0x40, ...whole, 0x05, ...ones, 0x0b];
  };

  const code = [
    set(alpha, inAll(get(ALPHA))),
    ...TILES.map(([rows, columns]) => when(atLeast(get(ROWS), number(rows)), tile(rows, columns), number(rows), [0x0f])),
    number(0),
  ];
  return bodyOf(types, [raw(Uint8Array.from(code.flat(Infinity)))]);
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
