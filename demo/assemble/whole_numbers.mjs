// node whole_numbers.mjs ORT.wasm ORT-trimmed.wasm ort.handles.json OUT: the trimmed file, multiplying in whole numbers where it multiplies by weights
// that are stored as such. A vector holds eight numbers of 16 bits where it holds four floats, and one instruction multiplies them and adds each two.
//
// Such weights lie in the memory as whole numbers (assemble.runtime), where ONNX Runtime believes them to be floats: [rows][columns] of 16 bits, then,
// from the next multiple of four on, a float32 for each row, the step that they count. Wherever its kernel (fast_products.mjs) is asked for C = A B with A
// in there, it hands over to another, which rounds B, the part of a photo or of what has become of it, to the finest whole numbers whose sums still fit
// in 32 bits: at most 15 bits and a sign, in steps of their own for every sixteen columns. So products are off by some 2^-16 of the largest of them.
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { agree, KERNEL, kernel } from "./fast_products.mjs";
import * as wasm from "./instructions.mjs";
import { Locals, PANEL, tiles } from "./product_loops.mjs";
import { raw } from "./wasm_code.mjs";
import { Module } from "./wasm_module.mjs";

const { and, atLeast, belowUnsigned, F32, float, floatOfBits, get, give, I32, inAll, loadInteger, loadOne, loopWhile, minus, number, plus, range, set, store, times, V128, when } = wasm;

/** What the list of tables has of each: where it begins, how many bytes its floats would take, the largest whole number. A zero ends the list. */
const ENTRY = 12;
const [FIRST, BYTES, LARGEST] = [0, 4, 8];
const [A, B, C, K, ROWS, COLUMNS, LDA, LDC, ALPHA, TABLE] = range(KERNEL.takes.length + 1);
const STACK_POINTER = 0; // the global; what is below it in memory, is free for a function that calls no other
const ROOM = 1 << 15; // bytes for B: MLAS asks for 128 steps of 128 columns at once, or as much in another shape
const PANELS = 64;
const ROWS_AT_ONCE = 4;
const FINEST = 32767;
const LONGEST_SUM = 2 ** 31 - 512; // some less than fits, as it is computed with in floats
const SMALLEST = (127 - 60) << 23; // bits of 2^-60, which stands for a largest number of zero
const ROUNDING = 1.5 * 2 ** 23; // a float to which a small number is added, has it in its lowest 16 bits, rounded

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [whole, trimmed, handles, out] = process.argv.slice(2);
  const { tables } = JSON.parse(await readFile(handles, "utf8"));
  await writeFile(join(out, basename(trimmed)), inWholeNumbers(await readFile(whole), await readFile(trimmed), tables));
}

/** `whole`: the file that was trimmed, in which the kernels are as fast_products.mjs has made them. `list`: the address of the list of tables. */
export function inWholeNumbers(whole, trimmed, list) {
  const before = new Module(whole);
  const module = new Module(trimmed);
  for (const adds of [false, true]) {
    const other = module.add({ takes: [...KERNEL.takes, I32], gives: [] }, ...products(adds));
    const number = [...before.bodies.keys()].find((one) => before.isOf(one, KERNEL) && agree(before.bodies[one], kernel(adds)));
    module.bodies[number] = kernel(adds, (locals) => handedOver(locals.one(I32), list, other));
  }
  return module.file;
}

/** Code that calls the other kernel where A lies in a table. */
function handedOver(table, list, other) {
  const entry = (part) => loadInteger(get(table), part);
  return [
    set(table, number(list)),
    loopWhile(
      entry(FIRST),
      when(
        belowUnsigned(minus(get(A), entry(FIRST)), entry(BYTES)),
        wasm.call(other, ...range(KERNEL.takes.length).map(get), get(table)),
        give(get(ROWS)),
      ),
      set(table, plus(get(table), number(ENTRY))),
    ),
  ];
}

/** Types of its locals and its code: C = alpha A B, or with `adds` C += alpha A B, for all rows, of which there must be a multiple of four. */
export function products(adds) {
  const locals = new Locals(KERNEL.takes.length + 1);
  const [pairs, steps, rounded, panel, scales, scale, columns, c] = locals.some(8, I32); // addresses, but the first and the second but last
  const finest = locals.one(F32);
  const factor = locals.one(V128);

  const block = tiles(locals, {
    most: { rows: ROWS_AT_ONCE, sums: 2 * ROWS_AT_ONCE, vectors: 2 },
    a: get(A),
    b: get(panel),
    c: get(c),
    strideOfA: times(get(LDA), number(2)),
    strideOfC: times(get(LDC), number(4)),
    steps: get(pairs),
    columns: get(columns),
    add: (before, a, b) => wasm.integerSum(before, wasm.productsInPairs(a, b)),
    result: (all, row) => wasm.product(wasm.floats(all), inAll(wasm.productOfOne(wasm.productOfOne(loadOne(get(steps), 4 * row), get(ALPHA)), loadOne(get(scale))))),
    adds,
  });
  const bytesOfPanel = times(get(pairs), number(4 * PANEL));
  const panels = (code) => [
    set(panel, get(rounded)),
    set(scale, get(scales)),
    set(columns, get(COLUMNS)),
    loopWhile(
      atLeast(get(columns), number(1)),
      code,
      set(panel, plus(get(panel), bytesOfPanel)),
      set(scale, plus(get(scale), number(4))),
      set(columns, minus(get(columns), number(PANEL))),
    ),
  ];
  const index = wasm.shiftedRight(minus(get(A), loadInteger(get(TABLE), FIRST)), number(2));
  const levels = plus(loadInteger(get(TABLE), BYTES), number(7));
  return [locals.types, [raw(Uint8Array.from([
    set(pairs, wasm.shiftedRight(plus(get(K), number(1)), number(1))),
    set(columns, wasm.shiftedRight(plus(get(COLUMNS), number(PANEL - 1)), number(4))),
    when(wasm.or(and(get(ROWS), number(ROWS_AT_ONCE - 1)), wasm.or(wasm.more(get(columns), number(PANELS)), wasm.more(times(get(columns), bytesOfPanel), number(ROOM)))), wasm.stop),
    set(rounded, and(minus(wasm.getGlobal(STACK_POINTER), number(ROOM)), number(-16))),
    set(scales, minus(get(rounded), number(4 * PANELS))),
    set(steps, plus(plus(loadInteger(get(TABLE), FIRST), times(wasm.shiftedRight(levels, number(3)), number(4))), times(wasm.dividedBy(index, get(LDA)), number(4)))),
    set(A, plus(loadInteger(get(TABLE), FIRST), times(index, number(2)))),
    set(finest, wasm.leastOfOne(float(FINEST), wasm.floor(wasm.quotientOfOne(float(LONGEST_SUM), wasm.floatOfInteger(times(get(K), loadInteger(get(TABLE), LARGEST))))))),
    panels([roundedPanel(), set(B, plus(get(B), times(get(K), number(4 * PANEL))))]),
    loopWhile(
      atLeast(get(ROWS), number(1)),
      set(c, get(C)),
      panels([
        range(2).map((half) => when(atLeast(get(columns), number(8 * half + 1)), block(ROWS_AT_ONCE, 8 * half, 2))),
        set(c, plus(get(c), number(4 * PANEL))),
      ]),
      set(steps, plus(get(steps), number(4 * ROWS_AT_ONCE))),
      set(A, plus(get(A), times(get(LDA), number(2 * ROWS_AT_ONCE)))),
      set(C, plus(get(C), times(get(LDC), number(4 * ROWS_AT_ONCE)))),
      set(ROWS, minus(get(ROWS), number(ROWS_AT_ONCE))),
    ),
  ].flat(Infinity)))]];

  /** Code that rounds B's panel: [pairs of steps][16 columns][2], what one instruction multiplies by two neighbours of A; and notes its scale. */
  function roundedPanel() {
    const [from, to, left, bits] = [I32, I32, I32, I32].map(locals.one);
    const [most, inverse] = [V128, V128].map(locals.one);
    const masks = locals.some(PANEL / 4, V128); // of columns that there are
    const masked = (i, step) => wasm.bothBits(wasm.load(get(from), 4 * (PANEL * step + 4 * i)), get(masks[i]));
    const size = (i) => wasm.bothBits(masked(i, 0), wasm.four(Array(4).fill(0x7fffffff))); // sizes of floats are in the order of their bits
    const shifted = (i, step) => wasm.sum(wasm.product(masked(i, step), get(inverse)), inAll(float(ROUNDING)));
    const low = (vector) => wasm.bothBits(vector, wasm.four(Array(4).fill(0xffff)));
    const each = (count, ...code) => [set(from, get(B)), set(left, get(K)), eachMore(count, code)];
    const eachMore = (count, code) =>
      when(atLeast(get(left), number(count)), loopWhile(
        atLeast(get(left), number(count)),
        code,
        set(from, plus(get(from), number(4 * PANEL * count))),
        set(left, minus(get(left), number(count))),
      ));
    const pairOf = (value) => [range(PANEL / 4).map((i) => store(get(to), 16 * i, value(i))), set(to, plus(get(to), number(4 * PANEL)))];
    return [
      range(PANEL / 4).map((i) => set(masks[i], wasm.lessIntegers(wasm.four(range(4).map((j) => 4 * i + j)), wasm.integerInAll(get(columns))))),
      set(most, wasm.ZERO),
      each(1, set(most, wasm.largerIntegers(get(most), range(PANEL / 4).map(size).reduce(wasm.largerIntegers)))),
      set(bits, number(SMALLEST)),
      range(4).map((i) => [set(left, wasm.integerLane(get(most), i)), set(bits, wasm.larger(get(left), get(bits)))]),
      wasm.storeOne(get(scale), 0, wasm.quotientOfOne(floatOfBits(get(bits)), get(finest))),
      set(inverse, inAll(wasm.quotientOfOne(get(finest), floatOfBits(get(bits))))),
      set(to, get(panel)),
      each(2, pairOf((i) => wasm.anyBits(low(shifted(i, 0)), wasm.shiftedLeft(shifted(i, 1), number(16))))),
      eachMore(1, pairOf((i) => low(shifted(i, 0)))),
    ];
  }
}
