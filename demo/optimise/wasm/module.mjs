// A WebAssembly file whose functions can be read, changed and added to. Everything else stays as it is, indices included.
import { bodyOf, decoded, Unknown } from "./code.mjs";
import { append, CODE, entries, fileOf, FUNCTION, GLOBAL, IMPORT, importOf, KINDS, leb, sectionsOf, signedLeb, toLeb, TYPE, vector } from "./binary.mjs";

const FUNCTION_TYPE = 0x60;
const [CHANGES, END] = [1, 0x0b];
const UNREACHABLE = Uint8Array.of(0x03, 0x00, 0x00, 0x0b); // a whole body
/** Code that gives zero, by the type of value. */
const ZERO = {
  0x7f: [0x41, 0],
  0x7e: [0x42, 0],
  0x7d: [0x43, 0, 0, 0, 0],
  0x7c: [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
  0x7b: [0xfd, 0x0c, ...new Uint8Array(16)],
};

/** Functions go by their number among the file's own. Calls in code name another index, which also counts the `imported` ones. */
export class Module {
  #sections;
  #types;
  #of;
  #globals;
  #newTypes = [];
  #newFunctions = [];
  #newGlobals = [];

  constructor(file) {
    this.#sections = sectionsOf(file);
    this.#types = entries(this.#sections, TYPE).map(functionType);
    const imports = entries(this.#sections, IMPORT).map(importOf);
    const imported = imports.flatMap(({ kind, type }) => (kind === KINDS.function ? [type] : []));
    this.imported = imported.length;
    this.#of = [...imported, ...entries(this.#sections, FUNCTION)].map((type) => this.#types[leb(type, 0)[0]]);
    this.#globals = imports.filter(({ kind }) => kind === KINDS.global).length + entries(this.#sections, GLOBAL).length;
    /** Each includes its length. */
    this.bodies = entries(this.#sections, CODE);
  }

  /** A function's type and its code (see `decoded`); null where it has instructions that `decoded` does not know. */
  code(number) {
    const type = this.typeOf(number);
    try {
      return { type, ...decoded(this.bodies[number], type, { types: this.#types, typeOf: this.#of }) };
    } catch (error) {
      if (error instanceof Unknown) return null;
      throw error;
    }
  }

  typeOf(number) {
    return this.#of[this.imported + number];
  }

  /** Whether a function takes and gives what the type does. */
  isOf(number, type) {
    return this.typeOf(number).key === keyOf(type);
  }

  /** `locals`: with the arguments. */
  put(number, { type, locals, items }) {
    this.bodies[number] = bodyOf(locals.slice(type.takes.length), items);
  }

  /** Make a function stop the program when it is called. */
  remove(number) {
    this.bodies[number] = UNREACHABLE;
  }

  /** The index of a new function; the table does not have it. */
  add(type, locals, items) {
    let index = this.#types.findIndex(({ key }) => key === keyOf(type));
    if (index < 0) {
      index = this.#types.push({ ...type, key: keyOf(type) }) - 1;
      this.#newTypes.push(Buffer.from([FUNCTION_TYPE, type.takes.length, ...type.takes, type.gives.length, ...type.gives]));
    }
    this.#newFunctions.push(toLeb(index));
    this.bodies.push(bodyOf(locals, items));
    return this.#of.push(this.#types[index]) - 1;
  }

  /** A global for each of these values. Calls share the globals, because their values are taken away at once. */
  globalsFor(types) {
    const free = [...this.#newGlobals];
    return types.map((type) => {
      const at = free.findIndex((one) => one.type === type);
      if (at >= 0) return free.splice(at, 1)[0].index;
      const added = { type, index: this.#globals + this.#newGlobals.length };
      this.#newGlobals.push(added);
      return added.index;
    });
  }

  get file() {
    const sections = new Map(this.#sections);
    const globals = this.#newGlobals.map(({ type }) => Uint8Array.of(type, CHANGES, ...ZERO[type], END));
    for (const [id, list] of [[TYPE, this.#newTypes], [FUNCTION, this.#newFunctions], [GLOBAL, globals]]) if (list.length) append(sections, id, list);
    sections.set(CODE, vector(this.bodies));
    return fileOf(sections);
  }
}

/** A body that first runs other code, given as bytes. */
export function prepended(body, code) {
  const { start } = localsOf(body);
  const inner = Buffer.concat([body.subarray(leb(body, 0)[1], start), Uint8Array.from(code), body.subarray(start)]);
  return Buffer.concat([toLeb(inner.length), inner]);
}

/** How many locals a body declares beside its arguments, and where its code starts. */
export function localsOf(body) {
  let [groups, start] = leb(body, leb(body, 0)[1]);
  let count = 0;
  for (; groups; groups--) {
    const [length, type] = leb(body, start);
    count += length;
    start = type + 1;
  }
  return { count, start };
}

/** Code that stores 1 in the byte at an address: `i32.const address, i32.const 1, i32.store8`. */
export const marking = (address) => [0x41, ...signedLeb(address), 0x41, 1, 0x3a, 0, 0];

const keyOf = ({ takes, gives }) => `${takes}:${gives}`;

function functionType(bytes) {
  const [takes, middle] = valueTypes(bytes, 1);
  const [gives] = valueTypes(bytes, middle);
  return { takes, gives, key: keyOf({ takes, gives }) };
}

function valueTypes(bytes, at) {
  const [count, start] = leb(bytes, at);
  return [[...bytes.subarray(start, start + count)], start + count];
}
