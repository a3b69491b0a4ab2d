// Of demo/assemble/whole_numbers.mjs. `node --test whole_numbers.mjs`
import assert from "node:assert/strict";
import { test } from "node:test";
import { KERNEL, kernel } from "../../demo/assemble/fast_products.mjs";
import { I32 } from "../../demo/assemble/instructions.mjs";
import { toLeb } from "../../demo/assemble/wasm_functions.mjs";
import { inWholeNumbers } from "../../demo/assemble/whole_numbers.mjs";

const [LIST, TABLE, B, C] = [64, 1 << 16, 1 << 20, 3 << 19]; // addresses
const PAGES = 48;
const LARGEST = 63;

const vector = (...entries) => Buffer.concat([toLeb(entries.length), ...entries.map((entry) => Uint8Array.from(entry))]);
const section = (id, content) => [Uint8Array.of(id), toLeb(content.length), content];
const named = (name, kind, index) => [1, name.charCodeAt(0), kind, index];
const type = ({ takes, gives }) => [0x60, ...vector(...takes.map((one) => [one])), ...vector(...gives.map((one) => [one]))];
/** ONNX Runtime as far as it matters here: two kernels, a memory, a stack pointer, which is its first global. */
const runtime = Buffer.concat([
  Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0),
  ...section(1, vector(type(KERNEL))),
  ...section(3, vector([0], [0])),
  ...section(5, vector([0, PAGES])),
  ...section(6, vector([I32, 1, 0x41, ...[0x80, 0x80, 0x04], 0x0b])), // 1 << 16
  ...section(7, vector(named("a", 0, 0), named("b", 0, 1), named("m", 2, 0))),
  ...section(10, vector(kernel(false), kernel(true))),
]);

function instance() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(inWholeNumbers(runtime, runtime, LIST)));
  return { run: [exports.a, exports.b], floats: new Float32Array(exports.m.buffer), shorts: new Int16Array(exports.m.buffer), words: new Uint32Array(exports.m.buffer) };
}

let seed = 7;
const random = () => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff - 0.5;
const whole = () => Math.round(2 * LARGEST * random());

/** A table of weights [rows][lda] at TABLE, and the list that has it alone. */
function laid({ floats, shorts, words }, rows, lda) {
  words.set([TABLE, 4 * rows * lda, LARGEST, 0], LIST / 4);
  const levels = Array.from({ length: rows * lda }, whole);
  const steps = Array.from({ length: rows }, () => Math.fround(0.01 + Math.abs(random())));
  shorts.set(levels, TABLE / 2);
  floats.set(steps, Math.ceil((TABLE + 2 * rows * lda) / 4));
  return (row, k) => levels[row * lda + k] * steps[row];
}

/** B [k][columns] in panels of sixteen; what lies there besides, is no number. */
function panels({ floats }, k, columns, value) {
  floats.fill(NaN, B / 4, B / 4 + k * 16 * Math.ceil(columns / 16));
  const b = Array.from({ length: k }, () => Array.from({ length: columns }, value));
  b.forEach((row, step) => row.forEach((one, column) => (floats[B / 4 + ((column >> 4) * k + step) * 16 + (column & 15)] = one)));
  return (step, column) => Math.fround(b[step][column]);
}

for (const adds of [false, true]) {
  test(`any shape, ${adds ? "added to what is there" : "written"}: off by no more than rounding to 15 bits may cost`, () => {
    const module = instance();
    for (const [k, lda, first] of [[1, 9, 4], [2, 9, 0], [7, 27, 20], [27, 27, 0], [128, 288, 128], [1024, 2304, 1024]]) {
      for (const columns of [1, 3, 4, 8, 9, 15, 16]) {
        const [rows, skipped, ldc, alpha] = [12, 4, columns + 3, 0.5];
        const weight = laid(module, rows + skipped, lda);
        const b = panels(module, k, columns, random);
        const c = Array.from({ length: rows * ldc }, random);
        module.floats.set(c, C / 4);
        const address = TABLE + 4 * (skipped * lda + first); // where ONNX Runtime believes the floats to be
        assert.equal(module.run[Number(adds)](address, B, C, k, rows, columns, lda, ldc, alpha), rows);
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < ldc; column++) {
            const found = module.floats[C / 4 + row * ldc + column];
            const before = Math.fround(c[row * ldc + column]);
            if (column >= columns) {
              assert.equal(found, before, "nothing is written beside the columns");
              continue;
            }
            let [wanted, sizes] = [0, 0];
            for (let step = 0; step < k; step++) {
              const w = weight(skipped + row, first + step);
              wanted += w * b(step, column);
              sizes += Math.abs(w);
            }
            // of each number of B half a step, of which there are `finest` in the largest, here up to a half
            const finest = Math.min(32767, Math.floor((2 ** 31 - 512) / (k * LARGEST)));
            const most = alpha * sizes * (0.25 / finest) + 1e-5 * (1 + alpha * sizes);
            assert.ok(Math.abs(found - alpha * wanted - (adds ? before : 0)) <= most, `${[k, columns, row, column]}: ${found} for ${wanted}`);
          }
        }
      }
    }
  });
}

test("the largest numbers that there may be do not run over", () => {
  const module = instance();
  const [k, rows, columns] = [1024, 4, 16];
  laid(module, rows, k);
  module.shorts.fill(LARGEST, TABLE / 2, TABLE / 2 + rows * k);
  module.floats.fill(1, Math.ceil((TABLE + 2 * rows * k) / 4), Math.ceil((TABLE + 2 * rows * k) / 4) + rows);
  panels(module, k, columns, () => 3);
  module.run[0](TABLE, B, C, k, rows, columns, k, columns, 1);
  for (const one of module.floats.subarray(C / 4, C / 4 + rows * columns)) assert.ok(Math.abs(one / (k * LARGEST * 3) - 1) < 1e-6, one);
});

test("a photo that is black all over gives zeros, and one of no numbers none", () => {
  const module = instance();
  laid(module, 4, 32);
  for (const [value, wanted] of [[0, 0], [NaN, NaN]]) {
    panels(module, 32, 16, () => value);
    module.run[0](TABLE, B, C, 32, 4, 16, 32, 16, 1);
    assert.deepEqual([...module.floats.subarray(C / 4, C / 4 + 64)], Array(64).fill(wanted));
  }
});

test("matrices that are no table are multiplied as floats, as before", () => {
  const module = instance();
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(runtime));
  laid(module, 4, 32);
  const [k, rows, columns] = [32, 4, 16];
  const b = panels(module, k, columns, random);
  const a = Float32Array.from({ length: rows * k }, random);
  const beside = TABLE + 4 * 4 * 32; // the table's end
  module.floats.set(a, beside / 4);
  new Float32Array(exports.m.buffer).set(module.floats);
  assert.equal(module.run[0](beside, B, C, k, rows, columns, k, columns, 1), exports.a(beside, B, C, k, rows, columns, k, columns, 1));
  assert.deepEqual(module.floats.slice(C / 4, C / 4 + 64), new Float32Array(exports.m.buffer).slice(C / 4, C / 4 + 64));
  assert.ok(Math.abs(module.floats[C / 4] - a.slice(0, k).reduce((all, one, step) => all + one * b(step, 0), 0)) < 1e-5);
});

test("what it is not made for, stops, so that the page takes the whole runtime", () => {
  const module = instance();
  laid(module, 8, 2304);
  panels(module, 2304, 16, random);
  assert.throws(() => module.run[0](TABLE, B, C, 128, 3, 16, 2304, 16, 1), WebAssembly.RuntimeError, "rows");
  assert.throws(() => module.run[0](TABLE, B, C, 2304, 4, 16, 2304, 16, 1), WebAssembly.RuntimeError, "steps");
});
