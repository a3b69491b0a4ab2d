// node outline.mjs PROGRAMS: makes random programs, moves parts of them into functions and thunks, and compares the answers before and after on the same arguments.
// Prints, as JSON, how many functions were added, and which programs answer differently. Run by test_outline.py.
import { shortened } from "../../demo/optimise/reshape/outline.mjs";
import { withCallThunks } from "../../demo/optimise/reshape/call_thunks.mjs";
import { Module } from "../../demo/optimise/wasm/module.mjs";

const [I32, I64, F32, F64, EMPTY, END] = [0x7f, 0x7e, 0x7d, 0x7c, 0x40, 0x0b];
const LOCALS = [I32, I64, F64, I32, I32, I64, F32, F64, F32]; // three are arguments; the fourth counts down and ends loops
const FUEL = 3;

let state = 1;
const random = (below) => (state = (Math.imul(state, 1103515245) + 12345) >>> 1) % below;
const oneOf = (things) => things[random(things.length)];
const localOf = (type) => oneOf([...LOCALS.keys()].filter((one) => LOCALS[one] === type && one !== FUEL));

/** Code that gives a value. `labels`: around the code, innermost last, each {loop} or {gives}. */
function value(type, depth, labels) {
  const plain = [0x20, localOf(type)];
  if (depth < 1) return plain;
  const of = (other) => value(other, depth - 1, labels);
  const more = {
    [I32]: () => oneOf([() => [0x41, random(60)], () => [...of(I32), ...of(I32), oneOf([0x6a, 0x6c, 0x71, 0x49])], () => [...of(I64), 0xa7]])(),
    [I64]: () => oneOf([() => [...of(I64), ...of(I64), oneOf([0x7c, 0x7e, 0x85])], () => [...of(I32), 0xac], () => asked(of), () => blockOf(I64, depth, labels)])(),
    [F32]: () => [...of(I32), 0xb2],
    [F64]: () => oneOf([() => [...of(F32), 0xbb], () => [...of(I32), 0xb7]])(),
  };
  return random(3) ? more[type]() : plain;
}

const asked = (of) => [...of(I64), ...of(I32), 0x41, 1, 0x71, 0x11, 1, 0]; // one of two functions in the table
const blockOf = (type, depth, labels) => [0x02, type, ...several(depth - 1, [...labels, { gives: true }]), ...value(type, depth - 1, labels.concat({ gives: true })), END];

function several(depth, labels) {
  return Array.from({ length: 1 + random(4) }, () => statement(depth, labels)).flat();
}

function statement(depth, labels) {
  const set = () => {
    const type = oneOf([I32, I64, F32, F64]);
    return [...value(type, 2, labels), 0x21, localOf(type)];
  };
  if (depth < 1) return set();
  const inside = (...more) => several(depth - 1, [...labels, ...more]);
  return oneOf([
    set,
    set,
    () => [0x02, EMPTY, ...inside({}), END],
    () => [0x02, EMPTY, 0x03, EMPTY, ...FUELLED, ...inside({}, { loop: true }), ...condition([...labels, {}, {}]), 0x0d, 0, END, END],
    () => [...condition(labels), 0x04, EMPTY, ...inside({}), ...(random(2) ? [0x05, ...inside({})] : []), END],
    () => [...condition(labels), 0x04, EMPTY, ...leaving([...labels, {}]), END],
    () => [0x02, EMPTY, ...leaving([...labels, {}]), END],
    () => [...value(I64, 1, labels), ...statement(depth - 1, labels), ...value(I64, 1, labels), 0x85, 0x21, localOf(I64)], // statements while a value lies on the stack
  ])();
}

/** Statements, and at their end a jump: return, branches, a table of branches. */
function leaving(labels) {
  const to = () => oneOf(labels.flatMap(({ gives }, i) => (gives ? [] : [labels.length - 1 - i])));
  const answer = () => value(I64, 1, labels);
  const end = oneOf([
    () => [...answer(), 0x0f], // return
    () => [...answer(), 0x0c, labels.length], // a branch out of the function
    () => [0x0c, to()],
    () => [...condition(labels), 0x0d, to(), 0x0c, to()],
    () => [...condition(labels), 0x0e, 2, to(), to(), to()], // br_table
    () => [...condition(labels), 0x0d, to()],
  ]);
  return [...several(1, labels), ...end()];
}

const condition = (labels) => [...value(I32, 2, labels), 0x41, 3, 0x71];
const FUELLED = [0x20, FUEL, 0x45, 0x0d, 1, 0x20, FUEL, 0x41, 1, 0x6b, 0x21, FUEL]; // leaves the block around a loop when no fuel is left

const leb = (number) => (number < 128 ? [number] : [(number & 127) | 128, ...leb(number >> 7)]);
const vector = (things) => [...leb(things.length), ...things.flat()];
const section = (id, bytes) => [id, ...leb(bytes.length), ...bytes];
const sized = (bytes) => [...leb(bytes.length), ...bytes];

function program() {
  const fuel = [0x41, 30, 0x21, FUEL];
  const all = [...LOCALS.keys()].flatMap((one) => [0x20, one, ...{ [I32]: [0xac], [I64]: [], [F32]: [0xbc, 0xac], [F64]: [0xbd] }[LOCALS[one]], 0x85]);
  const code = [...vector(LOCALS.slice(3).map((type) => [1, type])), ...fuel, ...several(5, []), 0x42, 0, ...all, END];
  const small = (op) => [0, 0x20, 0, 0x42, 3, op, END];
  return Buffer.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, 3, I32, I64, F64, 1, I64], [0x60, 1, I64, 1, I64]])),
    ...section(3, vector([[0], [1], [1]])),
    ...section(4, [1, 0x70, 0, 2]),
    ...section(7, vector([[1, 0x66, 0, 0]])),
    ...section(9, [1, 0, 0x41, 0, END, 2, 1, 2]),
    ...section(10, vector([code, small(0x7c), small(0x7e)].map(sized))),
  ]);
}

const answers = (file) => {
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(file)).exports;
  return [[0, 0n, 0], [7, -3n, 0.5], [-1, 1n << 40n, 1e9], [123456, 99n, -2]].map((values) => String(f(...values)));
};

const [added, wrong] = [[], []];
for (let seed = 1; seed <= Number(process.argv[2]); seed++) {
  state = seed * 7919;
  const file = program();
  const right = answers(file);
  for (const share of [0, 2, 3, 5]) { // one of so many basic blocks is hot; 0: only the first block
    const module = new Module(file);
    const before = module.bodies.length;
    module.put(0, shortened(module, module.code(0), (block) => block === 0 || (share > 0 && random(share) === 0)));
    added.push(module.bodies.length - before);
    const changed = withCallThunks(module.file, [0]);
    if (!WebAssembly.validate(changed) || String(answers(changed)) !== String(right)) wrong.push([seed, share]);
  }
}
console.log(JSON.stringify({ added: added.reduce((a, b) => a + b), wrong }));
