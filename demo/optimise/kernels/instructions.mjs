// Instructions of wasm as lists of bytes. What takes values, takes the code that leaves them on the stack.
import { signedLeb, toLeb } from "../wasm/binary.mjs";

export const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];

const vectorOp = (op) => [0xfd, ...toLeb(op)];
const ofOne = (...op) => (value) => [...value, ...op];
const ofTwo = (...op) => (a, b) => [...a, ...b, ...op];
const loading = (...op) => (address, offset = 0) => [...address, ...op, 0, ...toLeb(offset)];
const storing = (...op) => (address, offset, value) => [...address, ...value, ...op, 0, ...toLeb(offset)];
const bytesOf = (array) => [...new Uint8Array(array.buffer)];

export const get = (local) => [0x20, ...toLeb(local)];
export const set = (local, value) => [...value, 0x21, ...toLeb(local)];
export const getGlobal = (global) => [0x23, ...toLeb(global)];
export const call = (index, ...values) => [...values.flat(), 0x10, ...toLeb(index)];
export const give = (value) => [...value, 0x0f];
export const stop = [0x00];

// control: `code` in any depth of lists
export const when = (condition, ...code) => [...condition, 0x04, 0x40, ...code.flat(Infinity), 0x0b];
export const either = (condition, code, otherwise) => [...condition, 0x04, 0x40, ...code.flat(Infinity), 0x05, ...otherwise.flat(Infinity), 0x0b];
export const loopWhile = (condition, ...code) => [0x03, 0x40, ...code.flat(Infinity), ...condition, 0x0d, 0, 0x0b];

// i32
export const number = (value) => [0x41, ...signedLeb(value)];
export const [isZero, floatOfBits, floatOfInteger] = [0x45, 0xbe, 0xb2].map((op) => ofOne(op));
export const [plus, minus, times, dividedBy, and, or, shiftedRight] = [0x6a, 0x6b, 0x6c, 0x6e, 0x71, 0x72, 0x76].map((op) => ofTwo(op)); // the last: unsigned
export const [atLeast, more, belowUnsigned] = [0x4e, 0x4a, 0x49].map((op) => ofTwo(op)); // signed but the last
export const larger = (a, b) => [...a, ...b, ...more(a, b), 0x1b];
export const loadInteger = loading(0x28);

// f32
export const float = (value) => [0x43, ...bytesOf(Float32Array.of(value))];
export const [sumOfOne, productOfOne, quotientOfOne, leastOfOne] = [0x92, 0x94, 0x95, 0x96].map((op) => ofTwo(op));
export const floor = ofOne(0x8e);
export const loadOne = loading(0x2a);
export const storeOne = storing(0x38);

// four lanes of 32 bits each, or eight of 16
export const [load, loadToAll] = [0x00, 0x09].map((op) => loading(...vectorOp(op)));
export const store = storing(...vectorOp(0x0b));
export const four = (values) => [...vectorOp(0x0c), ...bytesOf(Int32Array.from(values))];
export const ZERO = four([0, 0, 0, 0]);
export const [integerInAll, inAll] = [0x11, 0x13].map((op) => ofOne(...vectorOp(op)));
export const integerLane = (vector, i) => [...vector, ...vectorOp(0x1b), i];
export const lane = (vector, i) => [...vector, ...vectorOp(0x1f), i];
export const [sum, product] = [0xe4, 0xe6].map((op) => ofTwo(...vectorOp(op)));
export const [integerSum, largerIntegers, lessIntegers] = [0xae, 0xb8, 0x39].map((op) => ofTwo(...vectorOp(op)));
export const [bothBits, anyBits, shiftedLeft] = [0x4e, 0x50, 0xab].map((op) => ofTwo(...vectorOp(op)));
/** Products of eight 16-bit numbers each, two neighbours added. */
export const productsInPairs = ofTwo(...vectorOp(0xba));
export const floats = ofOne(...vectorOp(0xfa));

export const range = (length) => Array.from({ length }, (_, i) => i);
