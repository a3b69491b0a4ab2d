// Reads and writes the code of WebAssembly functions.
// `instructions` lists a body's instructions in order. `decoded` makes a tree of them: sequences of items, where an item is an instruction, or a block, loop or
// if that holds further sequences. An item has
//   op; bytes (of an instruction) or head and inner (of a structure: its first bytes, and its sequences);
//   taken and given: how many values it takes from the stack and puts there;
//   local: the local variable that it reads or writes; calls: the index of the function that it calls; calleeType: the type of a callee from the table;
//   to: the labels that it may branch to, as depths; ends: whether control never continues with the next item;
//   block: the number of its basic block, which is code that runs either whole or not at all; startsBlock: whether it is the first item there.
// `decoded` does not know exceptions and tail calls, and throws Unknown for them.
import { leb, signedLeb, toLeb } from "./binary.mjs";

const [BLOCK, LOOP, IF, ELSE, END, BR, BR_IF, BR_TABLE, RETURN, CALL, CALL_INDIRECT, SELECT_OF] = [2, 3, 4, 5, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x1c];
const [GET, SET, TEE, GLOBAL_GET, GLOBAL_SET, CONSTANT] = [0x20, 0x21, 0x22, 0x23, 0x24, 0x41];
const EMPTY = 0x40; // the type of a block without values
export const I32 = 0x7f;

// Constructors of items. They have only the properties that `encoded` needs.
export const get = (local) => ({ op: GET, local });
export const set = (local) => ({ op: SET, local });
export const getGlobal = (number) => raw(Uint8Array.of(GLOBAL_GET), toLeb(number));
export const setGlobal = (number) => raw(Uint8Array.of(GLOBAL_SET), toLeb(number));
export const branch = (to) => ({ op: BR, to: [to] });
export const branchIf = (to) => ({ op: BR_IF, to: [to] });
export const branchTable = (to) => ({ op: BR_TABLE, to });
export const call = (number) => raw(Uint8Array.of(CALL), toLeb(number));
export const constant = (value) => raw(Uint8Array.of(CONSTANT), signedLeb(value));
export const unreachable = () => raw(Uint8Array.of(0));
export const block = ([type = EMPTY], items) => ({ head: Uint8Array.of(BLOCK, type), inner: [items] });
export const raw = (...bytes) => ({ bytes: Buffer.concat(bytes) });

export const writes = ({ op }) => op === SET || op === TEE;

const unary = (...ranges) => ranges.map(([first, last]) => [first, last, 1, 1, ""]);

/** Vector instructions, in the format of PLAIN, without their first byte, 0xfd. */
const VECTORS = [
  [0x00, 0x0a, 1, 1, "nn"], // loads, a store
  [0x0b, 0x0b, 2, 0, "nn"],
  [0x0c, 0x0c, 0, 1, "88"], // a constant
  [0x0d, 0x0d, 2, 1, "88"], // shuffle
  [0x0f, 0x14, 1, 1, ""], // splat
  ...[0x15, 0x16, 0x18, 0x19, 0x1b, 0x1d, 0x1f, 0x21].map((op) => [op, op, 1, 1, "1"]), // extract_lane
  [0x17, 0x22, 2, 1, "1"], // replace_lane
  [0x4d, 0x4d, 1, 1, ""], // not
  [0x52, 0x52, 3, 1, ""], // bitselect
  [0x53, 0x53, 1, 1, ""], // any_true
  [0x54, 0x57, 2, 1, "nn1"], // load_lane, store_lane
  [0x58, 0x5b, 2, 0, "nn1"],
  [0x5c, 0x5d, 1, 1, "nn"],
  ...unary([0x5e, 0x64], [0x67, 0x6a], [0x74, 0x75], [0x7a, 0x7a], [0x7c, 0x81], [0x83, 0x84], [0x87, 0x8a], [0x94, 0x94], [0xa0, 0xaa], [0xc0, 0xca], [0xe0, 0xe3]),
  ...unary([0xec, 0xef], [0xf8, 0xff]),
  [0x0e, 0xff, 2, 1, ""], // all others: operations on two vectors
];

/** Instructions without structure: [first, last, taken, given, immediates]; the first matching row counts. Immediates: "n" is a number, a digit so many bytes. */
const PLAIN = [
  [0x00, 0x01, 0, 0, ""], // unreachable, nop
  [0x1a, 0x1a, 1, 0, ""], // drop
  [0x1b, 0x1b, 3, 1, ""], // select
  [0x20, 0x20, 0, 1, "n"], // local.get, .set, .tee, global.get, .set
  [0x21, 0x21, 1, 0, "n"],
  [0x22, 0x22, 1, 1, "n"],
  [0x23, 0x23, 0, 1, "n"],
  [0x24, 0x24, 1, 0, "n"],
  [0x28, 0x35, 1, 1, "nn"], // loads, stores
  [0x36, 0x3e, 2, 0, "nn"],
  [0x3f, 0x3f, 0, 1, "n"], // memory.size, .grow
  [0x40, 0x40, 1, 1, "n"],
  [0x41, 0x42, 0, 1, "n"], // constants
  [0x43, 0x43, 0, 1, "4"],
  [0x44, 0x44, 0, 1, "8"],
  ...unary([0x45, 0x45], [0x50, 0x50], [0x67, 0x69], [0x79, 0x7b], [0x8b, 0x91], [0x99, 0x9f], [0xa7, 0xc4]), // comparisons and arithmetic
  [0x46, 0xa6, 2, 1, ""],
  [0xfc00, 0xfc07, 1, 1, ""], // saturating conversions
  [0xfc09, 0xfc09, 0, 0, "n"], // data.drop
  [0xfc0b, 0xfc0b, 3, 0, "n"], // memory.fill
  [0xfc08, 0xfc0a, 3, 0, "nn"], // memory.init, memory.copy
  [0xfe00, 0xfe00, 2, 1, "nn"], // atomic instructions
  [0xfe01, 0xfe02, 3, 1, "nn"],
  [0xfe03, 0xfe03, 0, 0, "1"],
  [0xfe10, 0xfe16, 1, 1, "nn"],
  [0xfe17, 0xfe1d, 2, 0, "nn"],
  [0xfe1e, 0xfe47, 2, 1, "nn"],
  [0xfe48, 0xfe4e, 3, 1, "nn"],
  ...VECTORS.map(([first, last, ...more]) => [0xfd00 + first, 0xfd00 + last, ...more]),
];

/** Immediates of the other instructions: "n" and digits as in PLAIN; "b": a block type; "v": a list of numbers; "t": a list of types; "c": a list of catches. */
const CONTROL = {
  0x02: "b", 0x03: "b", 0x04: "b", 0x05: "", 0x06: "b", 0x07: "n", 0x08: "n", 0x09: "n", 0x0a: "", 0x0b: "", 0x0c: "n", 0x0d: "n", 0x0e: "vn", 0x0f: "",
  0x10: "n", 0x11: "nn", 0x12: "n", 0x13: "nn", 0x18: "n", 0x19: "", 0x1c: "t", 0x1f: "bc", 0x25: "n", 0x26: "n", 0xd0: "1", 0xd1: "", 0xd2: "n",
  0xfc0c: "nn", 0xfc0d: "n", 0xfc0e: "nn", 0xfc0f: "n", 0xfc10: "n", 0xfc11: "n",
};

/** Thrown for an instruction that this file does not know. */
export class Unknown extends Error {}

/** The instructions of a body in order, without structure: {op, start, end}. `start`: where the code begins in the body (see `localsOf`). */
export function* instructions(body, start) {
  for (let at = start; at < body.length; ) {
    const first = at;
    let op = body[at++];
    const number = () => {
      const [value, next] = leb(body, at);
      at = next;
      return value;
    };
    if (op >= 0xfc) op = op * 256 + number();
    const immediates = CONTROL[op] ?? PLAIN.find(([low, high]) => op >= low && op <= high)?.[4];
    if (immediates === undefined) throw new Unknown(`instruction ${op.toString(16)}`);
    for (const kind of immediates) {
      if (kind === "n" || kind === "b") number();
      else if (kind === "t") at += 1 + body[at];
      else if (kind === "v") for (let count = number(); count; count--) number();
      else if (kind === "c") for (let count = number(); count; count--) for (let more = body[at++] < 2 ? 2 : 1; more; more--) number();
      else at += Number(kind);
    }
    yield { op, start: first, end: at };
  }
}

/**
 * The tree of a body: {locals, items, blocks, label}. `locals`: types of all local variables, arguments first; `blocks`: the number of basic blocks; `label`:
 * the label that returns from the function. A label is {carries, loop, live}: types of the values that a branch carries; whether it leads back to the beginning
 * of a loop; what `markLive` finds.
 * `body`: begins with its length. `type`: the function's. `types`: the file's types; `typeOf`: the type of each function, by index.
 */
export function decoded(body, type, { types, typeOf }) {
  let at = leb(body, 0)[1];
  const number = () => {
    const [value, next] = leb(body, at);
    at = next;
    return value;
  };
  const locals = [...type.takes];
  for (let groups = number(); groups > 0; groups--) locals.push(...Array(number()).fill(body[at++]));
  let blocks = 0;
  const labels = [{ carries: type.gives, live: 0n }];
  const [outermost] = labels;
  const items = sequence();
  return { locals, items, blocks, label: outermost };

  function sequence() {
    const items = [];
    blocks++;
    for (let startsBlock = true; body[at] !== END && body[at] !== ELSE; ) {
      const item = { block: blocks - 1, startsBlock, ...next() };
      items.push(item);
      startsBlock = Boolean(item.inner) || item.op === BR_IF;
      if (startsBlock) blocks++;
    }
    return items;
  }

  function next() {
    const start = at;
    let op = body[at++];
    if (op >= 2 && op <= IF) return structure(op, start);
    if (op >= 0xfc) op = op * 256 + number();
    const item = (taken, given, more = {}) => ({ op, taken, given, bytes: body.subarray(start, at), ...more });
    const values = (depth) => labels.at(-1 - depth).carries.length;
    if (op === BR || op === BR_IF) {
      const depth = number();
      return item(values(depth) + (op === BR_IF), values(depth), { to: [depth], ends: op === BR });
    }
    if (op === BR_TABLE) {
      const to = Array.from({ length: number() + 1 }, number);
      return item(values(to[0]) + 1, 0, { to, ends: true });
    }
    if (op === RETURN) return { ...item(type.gives.length, 0, { to: [labels.length - 1], ends: true }), op: BR };
    if (op === CALL) {
      const calls = number();
      return item(typeOf[calls].takes.length, typeOf[calls].gives.length, { calls });
    }
    if (op === CALL_INDIRECT) {
      const { takes, gives } = types[number()];
      number(); // the table's index
      return item(takes.length + 1, gives.length, { calleeType: { takes: [...takes, I32], gives } });
    }
    if (op === SELECT_OF) return (at += 1 + body[at]), item(3, 1);
    const known = PLAIN.find(([first, last]) => op >= first && op <= last);
    if (!known) throw new Unknown(`instruction ${op.toString(16)}`);
    const [, , taken, given, immediates] = known;
    const local = op >= GET && op <= TEE ? leb(body, at)[0] : undefined;
    for (const kind of immediates) kind === "n" ? number() : (at += Number(kind));
    return item(taken, given, { local, ends: op === 0 });
  }

  function structure(op, start) {
    const byte = body[at];
    const index = number(); // of a type of blocks; or one byte above EMPTY is the type of a single value
    const { takes, gives } = byte === EMPTY ? { takes: [], gives: [] } : byte > EMPTY && byte < 128 ? { takes: [], gives: [byte] } : types[index];
    const head = body.subarray(start, at);
    const label = { carries: op === LOOP ? takes : gives, loop: op === LOOP };
    labels.push(label);
    const inner = [sequence()];
    if (body[at++] === ELSE) {
      inner.push(sequence());
      at++;
    }
    labels.pop();
    return { op, head, inner, label, taken: takes.length + (op === IF), given: gives.length };
  }
}

/** The bytes of items. `local(index)` and `label(index, depth)` translate the local variables and labels that they name. */
export function encoded(items, local = (index) => index, label = (index) => index, depth = 0) {
  return Buffer.concat(
    items.flatMap((item) => {
      if (item.inner) {
        const parts = item.inner.map((sequence) => encoded(sequence, local, label, depth + 1));
        return [item.head, parts[0], ...(parts[1] ? [Uint8Array.of(ELSE), parts[1]] : []), Uint8Array.of(END)];
      }
      if (item.local !== undefined) return [Uint8Array.of(item.op), toLeb(local(item.local))];
      if (!item.to) return [item.bytes];
      const to = item.to.map((index) => toLeb(label(index, depth)));
      return [Uint8Array.of(item.op), ...(item.op === BR_TABLE ? [toLeb(to.length - 1)] : []), ...to];
    }),
  );
}

/** A function's body, beginning with its length. `locals`: types of the local variables, without arguments. */
export function bodyOf(locals, items) {
  const groups = [];
  for (const type of locals) {
    if (groups.at(-1)?.[1] === type) groups.at(-1)[0]++;
    else groups.push([1, type]);
  }
  const inner = Buffer.concat([toLeb(groups.length), ...groups.flatMap(([count, type]) => [toLeb(count), Uint8Array.of(type)]), encoded(items), Uint8Array.of(END)]);
  return Buffer.concat([toLeb(inner.length), inner]);
}

/** All items in these and inside them, each with its depth: the number of structures around it. */
export function* walk(items, depth = 0) {
  for (const item of items) {
    yield [item, depth];
    for (const sequence of item.inner ?? []) yield* walk(sequence, depth + 1);
  }
}

/**
 * Finds which local variables are live, as sets of bits: before each item (`item.live`), after it (`item.liveAfter`), and at the target of each label
 * (`label.live`). Returns those before the first item. `labels`: around the items, innermost last. `after`: live after the last item.
 */
export function markLive(items, labels, after = 0n) {
  let live = after;
  for (const item of items.toReversed()) {
    item.liveAfter = live;
    if (item.inner) live = liveInside(item, labels, live);
    else if (item.to) live = item.to.reduce((all, depth) => all | labels.at(-1 - depth).live, item.ends ? 0n : live);
    else if (item.ends) live = 0n;
    if (item.local !== undefined) live = item.op === GET ? live | bit(item.local) : live & ~bit(item.local);
    item.live = live;
  }
  return live;
}

function liveInside({ inner, label, op }, labels, after) {
  const around = [...labels, label];
  if (!label.loop) {
    label.live = after;
    const live = inner.map((sequence) => markLive(sequence, around, after));
    return live.reduce((all, some) => all | some, op === IF && inner.length === 1 ? after : 0n);
  }
  label.live ??= 0n; // a nested loop is analysed repeatedly, and its set only grows
  for (;;) {
    const live = markLive(inner[0], around, after);
    if ((live | label.live) === label.live) return live;
    label.live |= live;
  }
}

/** The offset of a load or store: its immediate after the alignment. */
export function offsetOf(bytes) {
  const start = bytes[0] >= 0xfc ? leb(bytes, 1)[1] : 1;
  return leb(bytes, leb(bytes, start)[1])[0];
}

export const bit = (local) => 1n << BigInt(local);
