// WebAssembly files that observe where in their memory they read: one that notes it, and one that stops at places that were left out.
import { instructions, I32, offsetOf, raw } from "../wasm/code.mjs";
import { leb, signedLeb, toLeb } from "../wasm/binary.mjs";
import { localsOf, Module } from "../wasm/module.mjs";

const [GET, SET, TEE, CONSTANT, ADD, SHIFT_RIGHT, IF, ELSE, END, LESS, MORE, AND, CALL] = [0x20, 0x21, 0x22, 0x41, 0x6a, 0x76, 0x04, 0x05, 0x0b, 0x49, 0x4b, 0x71, 0x10];
const NOTHING = 0x40; // the type of a block without a value
const I64 = 0x7e;
const V128 = 0x7b;
const COPY = 0xfc0a;
/** Instructions that read: [first, last, how many bytes each reads, types of the values that lie on the stack above the address, by turns]. */
const READS = [
  [0x28, 0x35, [4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4]], // loads
  [0xfd00, 0xfd0a, [16, 8, 8, 8, 8, 8, 8, 1, 2, 4, 8]], // of vectors
  [0xfd54, 0xfd57, [1, 2, 4, 8], [[V128]]], // of one lane
  [0xfd5c, 0xfd5d, [4, 8]],
  [0xfe01, 0xfe02, [4, 8], [[I32, I64], [I64, I64]]], // of memory that threads share
  [0xfe10, 0xfe16, [4, 8, 1, 2, 1, 2, 4]],
  [0xfe1e, 0xfe47, [4, 8, 1, 2, 1, 2, 4], [[I32], [I64], [I32], [I32], [I64], [I64], [I64]]],
  [0xfe48, 0xfe4e, [4, 8, 1, 2, 1, 2, 4], [[I32, I32], [I64, I64], [I32, I32], [I32, I32], [I64, I64], [I64, I64], [I64, I64]]],
];
const START_AND_LENGTH = { takes: [I32, I32], gives: [] };
const [START, LENGTH] = [0, 1];
const get = (local) => [GET, ...toLeb(local)];
const set = (local) => [SET, ...toLeb(local)];
const constant = (value) => [CONSTANT, ...signedLeb(value)];

/**
 * The file, noting each read: the byte at `marks`, and each byte behind it, stands for 1 << `shift` bytes of memory, and becomes 1 when one of them is read.
 * No run may come near `marks`. `isWatched(body, number)`: whether a function takes notes.
 */
export function tracing(file, marks, shift, isWatched) {
  const granule = (place) => [...place, ...constant(shift), SHIFT_RIGHT];
  const last = granule([...get(START), ...get(LENGTH), ADD, ...constant(-1), ADD]);
  const length = [...last, ...granule(get(START)), 0x6b, ...constant(1), ADD]; // i32.sub
  const start = [...granule(get(START)), ...constant(marks), ADD];
  return beforeReads(file, [...get(LENGTH), IF, NOTHING, ...start, ...constant(1), ...length, 0xfc, 0x0b, 0, END], isWatched); // memory.fill
}

/**
 * The file, stopping (`unreachable`) before it reads a byte of `ranges`, [first, end) of addresses in order. `filledAt`: an address of theirs that is not zero
 * once their content has arrived after all; from then on, reading is allowed.
 */
export function guarded(file, ranges, { filledAt, isWatched = () => true } = {}) {
  const stop = filledAt === undefined ? [0x00] : [...constant(filledAt), 0x2d, 0, 0, 0x45, IF, NOTHING, 0x00, END]; // i32.load8_u, i32.eqz
  // The first range that ends behind the start of the read is the only one that the read can begin to touch.
  const search = (some) => {
    if (some.length > 1) {
      const half = some.length >> 1;
      return [...get(START), ...constant(some[half - 1][1]), LESS, IF, NOTHING, ...search(some.slice(0, half)), ELSE, ...search(some.slice(half)), END];
    }
    const [[first, end]] = some;
    return [...get(START), ...constant(end), LESS, ...get(START), ...get(LENGTH), ADD, ...constant(first), MORE, AND, IF, NOTHING, ...stop, END];
  };
  return beforeReads(file, search(ranges), isWatched);
}

/** The file with a function (start, length) that runs before each read of memory. `code`: its body. */
function beforeReads(file, code, isWatched = () => true) {
  const module = new Module(file);
  const watched = [...module.bodies.entries()].filter(([number, body]) => isWatched(body, number));
  const check = [CALL, ...toLeb(module.add(START_AND_LENGTH, [], [raw(Uint8Array.from(code))]))];
  for (const [number, body] of watched) module.bodies[number] = withChecks(body, module.typeOf(number).takes.length, check);
  return module.file;
}

function withChecks(body, taken, check) {
  const { count, start: codeAt } = localsOf(body);
  const locals = new Map(); // further ones, by type and use
  const local = (type, use) => {
    const key = `${type} ${use}`;
    if (!locals.has(key)) locals.set(key, { type, index: taken + count + locals.size });
    return locals.get(key).index;
  };
  const parts = [];
  let done = codeAt;
  for (const { op, start, end } of instructions(body, codeAt)) {
    const checked = op === COPY ? copy(local) : read(op, body.subarray(start, end), local);
    if (!checked) continue;
    parts.push(body.subarray(done, start), Uint8Array.from(checked(check)));
    done = start;
  }
  if (!parts.length) return body;
  const [groups, first] = leb(body, leb(body, 0)[1]);
  const declared = [...locals.values()].flatMap(({ type }) => [1, type]);
  const inner = Buffer.concat([toLeb(groups + locals.size), body.subarray(first, codeAt), Uint8Array.from(declared), ...parts, body.subarray(done)]);
  return Buffer.concat([toLeb(inner.length), inner]);
}

/** Code before an instruction that reads; undefined where it does not. Values above the address are put away meanwhile. */
function read(op, bytes, local) {
  const [first, , lengths, above = [[]]] = READS.find(([low, high]) => op >= low && op <= high) ?? [];
  if (first === undefined) return undefined;
  const values = above[(op - first) % above.length].map((type, i) => local(type, i + 1));
  const address = local(I32, 0);
  const length = lengths[(op - first) % lengths.length];
  const place = [...get(address), ...constant(offsetOf(bytes)), ADD, ...constant(length)];
  return (check) => [...values.toReversed().flatMap(set), TEE, ...toLeb(address), ...place, ...check, ...values.flatMap(get)];
}

/** memory.copy: the target, the source and the length lie on the stack. */
function copy(local) {
  const [length, from] = [local(I32, 0), local(I32, 1)];
  return (check) => [...set(length), ...set(from), ...get(from), ...get(length), ...check, ...get(from), ...get(length)];
}
