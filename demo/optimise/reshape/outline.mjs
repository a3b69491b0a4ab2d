// Large functions of a wasm file made small: what they seldom do is moved into functions of its own, which they call. A browser that compiles such a
// function for speed takes as long as it is large; and it does so the sooner, the larger it is.
import { bit, block, branch, branchBy, branchIf, call, constant, encoded, everyOne, get, getGlobal, I32, markLive } from "../wasm/code.mjs";
import { raw, set, setGlobal, unreachable, writes } from "../wasm/code.mjs";
import { Module } from "../wasm/module.mjs";

const LARGE = 4096; // bytes of a function from which on it pays
const OFTEN = 10000; // what is come to less often, browsers do not compile for speed,
const MUCH = 1e8; // unless it is long: bytes of a function times how often it is come to
const SELDOM = 100; // what is come to less often than this part of the most frequent, need not be there
const WORTH = 24; // bytes that a call must save
const [LOAD, ADD, STORE] = [[0x28, 2, 0], [0x6a], [0x36, 2, 0]].map((bytes) => Uint8Array.from(bytes)); // of i32

/** Numbers of functions that are large, with what is in each. */
function* largeOnes(module) {
  for (const [number, body] of [...module.bodies.entries()]) {
    const code = body.length > LARGE && module.code(number);
    if (code) yield [number, code];
  }
}

/** The file, with its large functions counting in memory, four bytes each, how often they come to each run of their code; and where that ends. */
export function counting(file, address) {
  const module = new Module(file);
  for (const [number, code] of largeOnes(module)) {
    module.put(number, { ...code, items: withCounters(code.items, address) });
    address += 4 * code.runs;
  }
  return { file: module.file, end: address };
}

function withCounters(items, first) {
  return items.flatMap((item) => {
    const address = constant(first + 4 * item.run);
    const counter = item.leads ? [address, address, raw(LOAD), constant(1), raw(ADD), raw(STORE)] : [];
    return [...counter, item.inner ? { ...item, inner: item.inner.map((sequence) => withCounters(sequence, first)) } : item];
  });
}

/** The file, with what its large functions seldom do outside of them; which have changed, and whether one was added. `counts`: as `counting` left them. */
export function outlined(file, counts) {
  const module = new Module(file);
  const { length } = module.bodies;
  const changed = [];
  let first = 0;
  for (const [number, code] of largeOnes(module)) {
    const own = counts.subarray(first, (first += code.runs));
    const most = own.reduce((a, b) => Math.max(a, b), 0);
    if (most < OFTEN && most * module.bodies[number].length < MUCH) continue;
    module.put(number, shortened(module, code, (run) => own[run] * SELDOM > most));
    changed.push(number);
  }
  return { file: module.file, changed, added: (number) => number >= length };
}

/** A function's code with what is not `kept` in functions of its own. */
export function shortened(module, code, kept) {
  markLive(code.items, [code.label]);
  markKept(code.items, kept);
  const locals = [...code.locals];
  const local = (type) => locals.push(type) - 1;
  const items = without(code.items, [code.label], (some, labels) => moved(some, labels, { module, locals: code.locals, local }));
  return { ...code, locals, items };
}

/** `item.kept`: because of it, or of what is in it. A loop that is seldom come to may itself go round often. */
function markKept(items, kept) {
  for (const item of items) {
    item.inner?.forEach((sequence) => markKept(sequence, kept));
    item.kept = kept(item.run) || (item.inner ?? []).flat().some((one) => one.kept);
  }
}

/** Items, with those that are not kept as `move` gives them. */
function without(items, labels, move) {
  const rest = [];
  let at = 0;
  for (const [first, end] of movable(items)) {
    rest.push(...items.slice(at, first), ...move(items.slice(first, end), labels));
    at = end;
  }
  rest.push(...items.slice(at));
  const inside = (item) => item.inner.map((sequence) => without(sequence, [...labels, item.label], move));
  return rest.map((item) => (item.kept && item.inner ? { ...item, inner: inside(item) } : item));
}

/** [first, end) of items that need not be there, and that leave the stack as they find it, or never end. */
function* movable(items) {
  let height = 0;
  let found = null;
  for (const [i, item] of items.entries()) {
    if (found && (item.kept || height - item.taken < found.height)) {
      if (found.end) yield [found.first, found.end];
      found = null;
    }
    if (!found && !item.kept && !item.taken) found = { first: i, end: 0, height };
    height += item.given - item.taken;
    if (found && (item.ends || height === found.height)) found.end = i + 1;
    if (item.ends) break; // what comes behind it, is never come to
  }
  if (found?.end) yield [found.first, found.end];
}

/**
 * What is left of items once they are a function of their own: a call. It is given the locals that they read; it gives back which way they were left,
 * where there are several; what a way takes along; and the locals that they have set and somebody reads. They themselves, where that is no less.
 * A function here has one result and puts the others into globals: of several at once V8 has lost some (in Node 20, between a caller and a function
 * that were not compiled by the same of its compilers).
 */
function moved(items, labels, { module, locals, local }) {
  const every = [...everyOne(items)];
  const falls = !items.at(-1).ends; // to what comes behind them
  const outside = every.flatMap(([{ to = [] }, depth]) => to.filter((label) => label >= depth).map((label) => label - depth));
  const exits = [...new Set(outside)].sort((a, b) => a - b).map((label) => ({ label, ...labels.at(-1 - label) }));
  const valued = exits.filter(({ given }) => given.length);
  const ways = exits.length + falls;

  const readLater = exits.reduce((all, { live }) => all | live, falls ? items.at(-1).liveAfter : 0n);
  const named = [...new Set(every.flatMap(([{ local }]) => local ?? []))];
  const written = new Set(every.filter(([item]) => writes(item)).map(([item]) => item.local));
  const takes = named.filter((one) => items[0].live & bit(one));
  const gives = named.filter((one) => written.has(one) && readLater & bit(one));
  const results = (ways > 1) + valued.length + gives.length;
  if (exits.some(({ given }) => given.length > 1) || encoded(items).length < WORTH + 2 * takes.length + 4 * results) return items;

  // Its own function: around the code a block for each exit, the nearest first, and one for the end.
  const own = [...takes, ...named.filter((one) => !takes.includes(one))];
  const types = own.map((one) => locals[one]);
  const ownLocal = (type) => types.push(type) - 1;
  const way = ways > 1 ? [ownLocal(I32)] : [];
  const values = valued.map(({ given }) => ownLocal(given[0]));
  const exitOf = (label) => exits.findIndex((exit) => exit.label === label);
  const code = encoded(items, (one) => own.indexOf(one), (label, depth) => (label < depth ? label : depth + exitOf(label - depth)));
  let body = [raw(code), ...(falls ? [branch(exits.length)] : [])];
  exits.forEach((exit, i) => {
    const value = valued.includes(exit) ? [set(values[valued.indexOf(exit)])] : [];
    const told = way.flatMap((it) => [constant(i + falls), set(it)]);
    body = [block(exit.given, body), ...value, ...told, branch(exits.length - 1 - i)];
  });
  const given = [...way, ...values, ...gives.map((one) => own.indexOf(one))];
  const [first, ...others] = given;
  const shared = module.globalsFor(others.map((one) => types[one]));
  const type = { takes: takes.map((one) => locals[one]), gives: first === undefined ? [] : [types[first]] };
  body = [block([], body), ...others.flatMap((one, i) => [get(one), setGlobal(shared[i])]), ...(type.gives.length ? [get(first)] : [])];
  const number = module.add(type, types.slice(takes.length), body);

  // Its caller: around the call a block for each exit that takes a value along, and one for what comes behind.
  const valuesHere = valued.map(({ given }) => local(given[0]));
  const targetsHere = [...valuesHere, ...gives];
  const direct = ways > 1 ? [] : targetsHere.splice(0, 1).map(set);
  const called = [...takes.map(get), call(number), ...direct, ...targetsHere.flatMap((one, i) => [getGlobal(shared[i]), set(one)])];
  if (ways === 0) return [...called, unreachable()];
  if (ways === 1 && falls) return called;
  if (ways === 2 && falls && !valued.length) return [...called, branchIf(exits[0].label)];
  const around = valued.length + falls;
  const targets = exits.map((exit) => (valued.includes(exit) ? valued.indexOf(exit) : exit.label + around));
  let left = [...called, ways === 1 ? branch(targets[0]) : branchBy(falls ? [valued.length, ...targets] : targets)];
  valued.forEach(({ label }, i) => {
    left = [block([], left), get(valuesHere[i]), branch(label + around - 1 - i)];
  });
  return falls ? [block([], left)] : left;
}
