// node f32.mjs ORT.wasm OUT: ONNX Runtime's WebAssembly with another inner loop of its matrix products, to which all convolutions come down. The results are the
// same to the last bit. The published loop loads more at a time than there are registers, so browsers put sums into memory and fetch them again. This one
// keeps all that a step needs in fourteen of the sixteen registers, and is nearly twice as fast.
//
// MLAS, ONNX Runtime's library for these products, asks `kernel(A, B, C, K, rows, columns, lda, ldc, alpha)` for C = alpha A B, or C += alpha A B, in as many
// rows as the kernel likes; it answers with their number. B lies in panels of sixteen columns, [K][16] floats each. A, B and C are addresses in bytes, lda and
// ldc are rows in floats.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CODE, EXPORT, fileOf, FUNCTION, MEMORY, signedLeb, toLeb, TYPE, vector } from "../wasm/binary.mjs";
import { bodyOf, raw } from "../wasm/code.mjs";
import { Module } from "../wasm/module.mjs";

const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
export const KERNEL = { takes: [...Array(8).fill(I32), F32], gives: [I32] };
const [A, B, C, K, ROWS, COLUMNS, LDA, LDC, ALPHA] = KERNEL.takes.keys();
const PANEL = 16; // columns
/** How many rows and columns are computed at once. */
const TILES = [[4, 8], [2, 16], [1, 16]];
const MOST = { rows: 4, sums: 8, vectors: 4 };
const UNROLLED = 4; // steps before a jump back

// Instructions as lists of bytes. An instruction that takes values, takes the code that leaves them on the stack.
const vectorOp = (op) => [0xfd, ...toLeb(op)];
const [plus, minus, times, atLeast, addOne] = [0x6a, 0x6b, 0x6c, 0x4e, 0x92].map((op) => (a, b) => [...a, ...b, op]);
const [sum, product] = [0xe4, 0xe6].map((op) => (a, b) => [...a, ...b, ...vectorOp(op)]);
const [loadOne, load, loadToAll] = [[0x2a], vectorOp(0x00), vectorOp(0x09)].map((op) => (address, offset) => [...address, ...op, 0, ...toLeb(offset)]);
const [storeOne, store] = [[0x38], vectorOp(0x0b)].map((op) => (address, offset, value) => [...address, ...value, ...op, 0, ...toLeb(offset)]);
const ZERO = [...vectorOp(0x0c), ...Array(16).fill(0)];
const inAll = (value) => [...value, ...vectorOp(0x13)];
const lane = (value, i) => [...value, ...vectorOp(0x1f), i];
const get = (local) => [0x20, ...toLeb(local)];
const set = (local, value) => [...value, 0x21, ...toLeb(local)];
const number = (value) => [0x41, ...signedLeb(value)];
const when = (condition, ...code) => [...condition, 0x04, 0x40, ...code.flat(Infinity), 0x0b];
const either = (condition, code, otherwise) => [...condition, 0x04, 0x40, ...code.flat(Infinity), 0x05, ...otherwise.flat(Infinity), 0x0b];
const loopWhile = (condition, ...code) => [0x03, 0x40, ...code.flat(Infinity), ...condition, 0x0d, 0, 0x0b];
const range = (length) => Array.from({ length }, (_, i) => i);

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [path, out] = process.argv.slice(2);
  await writeFile(join(out, "ort-wasm-simd-threaded.wasm"), faster(await readFile(path)));
}

/** The file with other kernels. Throws an error where it has none that compute what these do. */
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

/** A function's body: C = alpha A B, or with `adds` C += alpha A B. */
export function kernel(adds) {
  const types = [];
  const locals = (count, type) => range(count).map(() => KERNEL.takes.length + types.push(type) - 1);
  const [atB, left, atC] = locals(3, I32);
  const rowsOfA = locals(MOST.rows, I32);
  const sums = locals(MOST.sums, V128);
  const fromB = locals(MOST.vectors, V128);
  const [alpha, fromA] = locals(2, V128);
  const next = (local, bytes) => set(local, plus(get(local), number(bytes)));

  /** Some steps along K: each multiplies a column of A with a row of B. */
  const steps = (count, rows, vectors) => [
    ...range(count).map((step) => [
      ...range(vectors).map((vector) => set(fromB[vector], load(get(atB), 4 * (PANEL * step + 4 * vector)))),
      ...range(rows).map((row) => [
        set(fromA, loadToAll(get(rowsOfA[row]), 4 * step)),
        ...range(vectors).map((vector) => {
          const one = sums[row * vectors + vector];
          return set(one, sum(get(one), product(get(fromA), get(fromB[vector]))));
        }),
      ]),
    ]),
    next(atB, 4 * PANEL * count),
    ...range(rows).map((row) => next(rowsOfA[row], 4 * count)),
    set(left, minus(get(left), number(count))),
  ];
  /** Writes four columns of C, or as many as there are. */
  const written = (column, value) => {
    const there = (count) => atLeast(get(COLUMNS), number(column + count));
    const whole = store(get(atC), 4 * column, adds ? sum(get(fromA), load(get(atC), 4 * column)) : get(fromA));
    const ones = range(3).map((i) => {
      const [one, offset] = [lane(get(fromA), i), 4 * (column + i)];
      return when(there(i + 1), storeOne(get(atC), offset, adds ? addOne(one, loadOne(get(atC), offset)) : one));
    });
    return [set(fromA, value), either(there(4), whole, ones)];
  };
  /** A few rows, and four columns of a panel for each of `vectors`, from the column `first` on. */
  const tile = (rows, first, vectors) => [
    ...sums.slice(0, rows * vectors).map((one) => set(one, ZERO)),
    ...range(rows).map((row) => set(rowsOfA[row], row ? plus(get(rowsOfA[row - 1]), times(get(LDA), number(4))) : get(A))),
    set(atB, plus(get(B), number(4 * first))),
    set(left, get(K)),
    ...[UNROLLED, 1].map((count) => {
      const enough = atLeast(get(left), number(count));
      return when(enough, loopWhile(enough, ...steps(count, rows, vectors)));
    }),
    ...range(rows).map((row) => [
      set(atC, row ? plus(get(atC), times(get(LDC), number(4))) : get(C)),
      ...range(vectors).map((vector) => written(first + 4 * vector, product(get(sums[row * vectors + vector]), get(alpha)))),
    ]),
  ];
  const panels = (rows, columns) =>
    loopWhile(
      atLeast(get(COLUMNS), number(1)),
      ...range(PANEL / columns).map((part) => when(atLeast(get(COLUMNS), number(part * columns + 1)), tile(rows, part * columns, columns / 4))),
      set(B, plus(get(B), times(get(K), number(4 * PANEL)))),
      next(C, 4 * PANEL),
      set(COLUMNS, minus(get(COLUMNS), number(PANEL))),
    );
  const code = [
    set(alpha, inAll(get(ALPHA))),
    ...TILES.map(([rows, columns]) => when(atLeast(get(ROWS), number(rows)), panels(rows, columns), [...number(rows), 0x0f])), // return
    number(0),
  ];
  return bodyOf(types, [raw(Uint8Array.from(code.flat(Infinity)))]);
}

/** Whether two kernels give the same, to the last bit. */
export function agree(one, other) {
  const named = (name, kind, index) => Uint8Array.of(1, name.charCodeAt(0), kind, index);
  const list = (...entries) => vector(entries.map((entry) => Uint8Array.from(entry)));
  const file = fileOf(new Map([
    [TYPE, list([0x60, ...vector(KERNEL.takes.map((type) => Uint8Array.of(type))), 1, ...KERNEL.gives])],
    [FUNCTION, list([0], [0])],
    [MEMORY, list([0, 2])],
    [EXPORT, vector([named("a", 0, 0), named("b", 0, 1), named("m", 2, 0)])],
    [CODE, vector([one, other])],
  ]));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(file));
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
