// Makes large functions of a WebAssembly file small. It moves the code that they seldom run (cold code) into new functions, which they call.
//
// The time that a browser takes to compile a function for speed grows with the function's length, and V8 begins earlier with long functions.
// `counting` makes a file that counts in memory how often each basic block of its large functions runs. `outlined` moves the cold blocks of functions that a
// browser is likely to compile for speed.
// Assumes that the counts of a few visits show which code is hot.
// Guarantees that the file computes the same, and that its functions keep their indices.
// On a miss, a cold block that runs costs one call.
import { bit, block, branch, branchIf, branchTable, call, constant, encoded, get, getGlobal, I32, markLive } from "../wasm/code.mjs";
import { raw, set, setGlobal, unreachable, walk, writes } from "../wasm/code.mjs";
import { Module } from "../wasm/module.mjs";

const LARGE = 4096; // bytes: shorter functions stay as they are
// A browser is likely to compile a function for speed if its hottest block runs this often, or if its length in bytes times that count is this large.
const [COUNT, WORK] = [10_000, 1e8];
const COLD = 100; // a block is cold if the function's hottest block runs at least this many times as often
const WORTH = 24; // bytes that moving must save
const [LOAD, ADD, STORE] = [[0x28, 2, 0], [0x6a], [0x36, 2, 0]].map((bytes) => Uint8Array.from(bytes)); // of i32

/** Numbers and code of the large functions. */
function* largeFunctions(module) {
  for (const [number, body] of [...module.bodies.entries()]) {
    const code = body.length > LARGE && module.code(number);
    if (code) yield [number, code];
  }
}

/** {file, end}: the file in which each basic block of the large functions has a counter, four bytes of memory; they lie from `address` to `end`. */
export function counting(file, address) {
  const module = new Module(file);
  for (const [number, code] of largeFunctions(module)) {
    module.put(number, { ...code, items: withCounters(code.items, address) });
    address += 4 * code.blocks;
  }
  return { file: module.file, end: address };
}

function withCounters(items, first) {
  return items.flatMap((item) => {
    const address = constant(first + 4 * item.block);
    const counter = item.startsBlock ? [address, address, raw(LOAD), constant(1), raw(ADD), raw(STORE)] : [];
    return [...counter, item.inner ? { ...item, inner: item.inner.map((sequence) => withCounters(sequence, first)) } : item];
  });
}

/** {file, changed, added}: the file without cold code in its large functions; the numbers of those that changed; whether a number is a new function's. */
export function outlined(file, counts) {
  const module = new Module(file);
  const { length } = module.bodies;
  const changed = [];
  let first = 0;
  for (const [number, code] of largeFunctions(module)) {
    const own = counts.subarray(first, (first += code.blocks));
    const most = own.reduce((a, b) => Math.max(a, b), 0);
    if (most < COUNT && most * module.bodies[number].length < WORK) continue;
    module.put(number, shortened(module, code, (block) => own[block] * COLD > most));
    changed.push(number);
  }
  return { file: module.file, changed, added: (number) => number >= length };
}

/** A function's code after its cold code has become functions of the module. `isHot(block)`: whether a basic block must stay. */
export function shortened(module, code, isHot) {
  markLive(code.items, [code.label]);
  markHot(code.items, isHot);
  const locals = [...code.locals];
  const addLocal = (type) => locals.push(type) - 1;
  const items = withoutCold(code.items, [code.label], (cold, labels) => moved(cold, labels, { module, locals: code.locals, addLocal }));
  return { ...code, locals, items };
}

/** Sets `item.hot` where an item's own block is hot, or one inside it: a loop that is seldom entered may still run many rounds. */
function markHot(items, isHot) {
  for (const item of items) {
    item.inner?.forEach((sequence) => markHot(sequence, isHot));
    item.hot = isHot(item.block) || (item.inner ?? []).flat().some(({ hot }) => hot);
  }
}

/** The items, in which `move(cold items, labels)` replaces each movable range, also inside hot structures. */
function withoutCold(items, labels, move) {
  const rest = [];
  let at = 0;
  for (const [first, end] of movable(items)) {
    rest.push(...items.slice(at, first), ...move(items.slice(first, end), labels));
    at = end;
  }
  rest.push(...items.slice(at));
  const inside = (item) => item.inner.map((sequence) => withoutCold(sequence, [...labels, item.label], move));
  return rest.map((item) => (item.hot && item.inner ? { ...item, inner: inside(item) } : item));
}

/** Ranges [first, end) of cold items that use no value from the stack that lay there before, and either leave none there or never reach their end. */
function* movable(items) {
  let height = 0;
  let found = null;
  for (const [i, item] of items.entries()) {
    if (found && (item.hot || height - item.taken < found.height)) {
      if (found.end) yield [found.first, found.end];
      found = null;
    }
    if (!found && !item.hot && !item.taken) found = { first: i, end: 0, height };
    height += item.given - item.taken;
    if (found && (item.ends || height === found.height)) found.end = i + 1;
    if (item.ends) break; // the items after this one never run
  }
  if (found?.end) yield [found.first, found.end];
}

/**
 * Makes a function of cold items, and returns the items that call it; returns the cold items themselves where a call is hardly shorter.
 *
 * The function takes the local variables that the items read. Its results are: the number of the way by which control left the items, where there are several
 * ways (an exit is a label outside that they branch to; falling through to the next item is way 0); the value that the branch carries; and the local variables
 * that the items write and later code reads. The caller then branches to the same label.
 * Only the first result is the function's own; global variables pass the others. With several results, V8 lost some between two functions that were not
 * compiled by the same of its compilers (Node 20).
 */
function moved(items, labels, { module, locals, addLocal }) {
  const all = [...walk(items)];
  const fallsThrough = !items.at(-1).ends;
  const outside = all.flatMap(([{ to = [] }, depth]) => to.filter((label) => label >= depth).map((label) => label - depth));
  const exits = [...new Set(outside)].sort((a, b) => a - b).map((label) => ({ label, ...labels.at(-1 - label) }));
  const carrying = exits.filter(({ carries }) => carries.length);
  const ways = exits.length + fallsThrough;

  const readLater = exits.reduce((some, { live }) => some | live, fallsThrough ? items.at(-1).liveAfter : 0n);
  const used = [...new Set(all.flatMap(([{ local }]) => local ?? []))];
  const written = new Set(all.filter(([item]) => writes(item)).map(([item]) => item.local));
  const takes = used.filter((local) => items[0].live & bit(local));
  const gives = used.filter((local) => written.has(local) && readLater & bit(local));
  const results = (ways > 1) + carrying.length + gives.length;
  if (exits.some(({ carries }) => carries.length > 1) || encoded(items).length < WORTH + 2 * takes.length + 4 * results) return items;

  // The new function: the items, inside one block for each exit (the nearest label innermost) and an outermost block, whose end collects the results.
  const own = [...takes, ...used.filter((local) => !takes.includes(local))];
  const types = own.map((local) => locals[local]);
  const addOwn = (type) => types.push(type) - 1;
  const way = ways > 1 ? [addOwn(I32)] : [];
  const values = carrying.map(({ carries }) => addOwn(carries[0]));
  const exitOf = (label) => exits.findIndex((exit) => exit.label === label);
  const code = encoded(items, (local) => own.indexOf(local), (label, depth) => (label < depth ? label : depth + exitOf(label - depth)));
  let body = [raw(code), ...(fallsThrough ? [branch(exits.length)] : [])];
  exits.forEach((exit, i) => {
    const value = carrying.includes(exit) ? [set(values[carrying.indexOf(exit)])] : [];
    const numbered = way.flatMap((local) => [constant(i + fallsThrough), set(local)]);
    body = [block(exit.carries, body), ...value, ...numbered, branch(exits.length - 1 - i)];
  });
  const [first, ...others] = [...way, ...values, ...gives.map((local) => own.indexOf(local))];
  const globals = module.globalsFor(others.map((local) => types[local]));
  const type = { takes: takes.map((local) => locals[local]), gives: first === undefined ? [] : [types[first]] };
  body = [block([], body), ...others.flatMap((local, i) => [get(local), setGlobal(globals[i])]), ...(first === undefined ? [] : [get(first)])];
  const number = module.add(type, types.slice(takes.length), body);

  // The caller: the call, and the branches to the exits. Around them lies one block for each exit that carries a value, and one whose end is the next item.
  const valuesHere = carrying.map(({ carries }) => addLocal(carries[0]));
  const targets = [...valuesHere, ...gives];
  const direct = ways > 1 ? [] : targets.splice(0, 1).map(set); // with several ways, the direct result is the way's number, which stays on the stack
  const called = [...takes.map(get), call(number), ...direct, ...targets.flatMap((local, i) => [getGlobal(globals[i]), set(local)])];
  if (ways === 0) return [...called, unreachable()];
  if (ways === 1 && fallsThrough) return called;
  if (ways === 2 && fallsThrough && !carrying.length) return [...called, branchIf(exits[0].label)];
  const around = carrying.length + fallsThrough;
  const to = exits.map((exit) => (carrying.includes(exit) ? carrying.indexOf(exit) : exit.label + around));
  let leaving = [...called, ways === 1 ? branch(to[0]) : branchTable(fallsThrough ? [carrying.length, ...to] : to)];
  carrying.forEach(({ label }, i) => {
    leaving = [block([], leaving), get(valuesHere[i]), branch(label + around - 1 - i)];
  });
  return fallsThrough ? [block([], leaving)] : leaving;
}
