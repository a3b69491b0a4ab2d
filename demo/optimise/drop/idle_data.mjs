// Which of a wasm file's constant data only its rest (defer/split.mjs) has to do with. Of Python's that is two thirds: tables of Chinese, Japanese and Korean
// writing, names of all characters, explanations, modules that are compiled in.
import { instructions, offsetOf } from "../wasm/code.mjs";
import { dataOf, leb } from "../wasm/binary.mjs";
import { localsOf, Module } from "../wasm/module.mjs";
import { constantGlobals } from "../defer/split.mjs";

const [GLOBAL_GET, CONSTANT] = [0x23, 0x41];
/** Instructions that name a place in memory, [first, last]: loads and stores, of vectors and of shared memory too. */
const PLACES = [[0x28, 0x3e], [0xfd00, 0xfd0b], [0xfd54, 0xfd5d], [0xfe00, 0xfe02], [0xfe10, 0xfe4e]];
const LEAST = 4096; // bytes: shorter pieces are not worth a place in the list, and may belong to what lies before them

/**
 * [first, end) of addresses, in order. Code names the address where a table or a text begins; up to the next address that any code names, it is taken for
 * one. It is idle where no function that `isHot(body, number)`, and nobody outside, names it, and `touched(first, end)` says that none reads it either, as
 * they would by an address that lies in memory. `end`: from there on, data may change.
 */
export function idleData(file, isHot, end, touched) {
  const module = new Module(file);
  const { values, exported } = constantGlobals(file);
  const [start] = dataOf(file).map(({ address }) => address);
  const [named, needed] = [new Set([end]), new Set([start, ...exported])];
  for (const [number, body] of module.bodies.entries()) {
    for (const address of addressesIn(body, values)) (isHot(body, number) ? needed : named).add(address);
  }
  const inside = (address) => address >= start && address <= end;
  const places = [...new Set([...named, ...needed])].filter(inside).sort((a, b) => a - b);
  const idle = [];
  for (const [i, first] of places.slice(0, -1).entries()) {
    const next = places[i + 1];
    if (needed.has(first) || touched(first, next)) continue;
    if (idle.at(-1)?.[1] === first) idle.at(-1)[1] = next;
    else idle.push([first, next]);
  }
  return idle.filter(([first, next]) => next - first >= LEAST);
}

function* addressesIn(body, globals) {
  for (const { op, start, end } of instructions(body, localsOf(body).start)) {
    if (op === CONSTANT) yield leb(body, start + 1)[0]; // signed, but no address is negative
    else if (op === GLOBAL_GET && globals.has(leb(body, start + 1)[0])) yield globals.get(leb(body, start + 1)[0]);
    else if (PLACES.some(([low, high]) => op >= low && op <= high)) yield offsetOf(body.subarray(start, end));
  }
}
