// Finds the constant data of a WebAssembly file that its hot functions do not read; defer/split_pyodide.mjs puts it into the rest of the file. Two thirds of
// Python's data is idle: tables for Chinese, Japanese and Korean encodings, names of all characters, docstrings, modules that are compiled in.
//
// An object (a table or a text) begins at an address that code or a global names, and ends where the next one begins.
// Assumes that functions reach an object by such an address, or by an address in memory; reads of the latter kind are noted at a few visits.
// Guarantees that an object stays if a hot function names it or a visit reads it.
// On a miss, a read before the rest is loaded gets zeros. observe/guard.mjs looks for such reads.
import { dataOf, entries, EXPORT, exportOf, GLOBAL, IMPORT, importOf, KINDS, leb, sectionsOf } from "../wasm/binary.mjs";
import { instructions, offsetOf } from "../wasm/code.mjs";
import { localsOf, Module } from "../wasm/module.mjs";

const [GLOBAL_GET, CONSTANT] = [0x23, 0x41];
/** Instructions with the offset of an address, [first, last]: loads and stores, also of vectors and atomic ones. */
const ACCESSES = [[0x28, 0x3e], [0xfd00, 0xfd0b], [0xfd54, 0xfd5d], [0xfe00, 0xfe02], [0xfe10, 0xfe4e]];
const LEAST = 4096; // bytes: a shorter range may be the middle of an object, and is not worth an entry in the list

/**
 * Idle ranges [first, end) of addresses, in order. `isHot(body, number)`: whether a function is hot; `end`: from this address on, data may change;
 * `wasRead(first, end)`: whether a visit read from a range. An object is idle if it was not read, and neither a hot function nor an exported global names it.
 */
export function idleData(file, isHot, end, wasRead) {
  const { values, exported } = constantGlobals(file);
  const [start] = dataOf(file).map(({ address }) => address);
  const [named, hot] = [new Set([end]), new Set([start, ...exported])];
  for (const [number, body] of new Module(file).bodies.entries()) {
    for (const address of addressesIn(body, values)) (isHot(body, number) ? hot : named).add(address);
  }
  const inside = (address) => address >= start && address <= end;
  const objects = [...new Set([...named, ...hot])].filter(inside).sort((a, b) => a - b);
  const idle = [];
  for (const [i, first] of objects.slice(0, -1).entries()) {
    const next = objects[i + 1];
    if (hot.has(first) || wasRead(first, next)) continue;
    if (idle.at(-1)?.[1] === first) idle.at(-1)[1] = next;
    else idle.push([first, next]);
  }
  return idle.filter(([first, next]) => next - first >= LEAST);
}

/** {values, exported}: the values of constant globals by index, and those that are exported. */
function constantGlobals(file) {
  const sections = sectionsOf(file);
  const imported = entries(sections, IMPORT).filter((entry) => importOf(entry).kind === KINDS.global).length;
  const constants = entries(sections, GLOBAL).flatMap((entry, i) => (entry[1] === 0 && entry[2] === CONSTANT ? [[imported + i, leb(entry, 3)[0]]] : []));
  const values = new Map(constants);
  const exports = entries(sections, EXPORT).map(exportOf).filter(({ kind, index }) => kind === KINDS.global && values.has(index));
  return { values, exported: exports.map(({ index }) => values.get(index)) };
}

function* addressesIn(body, globals) {
  for (const { op, start, end } of instructions(body, localsOf(body).start)) {
    if (op === CONSTANT) yield leb(body, start + 1)[0]; // the number is signed, but no address is negative
    else if (op === GLOBAL_GET && globals.has(leb(body, start + 1)[0])) yield globals.get(leb(body, start + 1)[0]);
    else if (ACCESSES.some(([low, high]) => op >= low && op <= high)) yield offsetOf(body.subarray(start, end));
  }
}
