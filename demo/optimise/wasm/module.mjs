// A wasm file whose functions can be looked into, changed, and added to. All else in it stays as it is, indices included.
import { bodyOf, decoded, Unknown } from "./code.mjs";
import { leb, toLeb } from "./binary.mjs";

const [TYPES, IMPORTS, FUNCTIONS, GLOBALS, CODE, TAGS] = [1, 2, 3, 6, 10, 13]; // sections, which come in this order; but tags before globals
const NONE = Uint8Array.of(0); // entries of a section
const FUNCTION_TYPE = 0x60;
const [FUNCTION, TABLE, , GLOBAL, TAG] = [0, 1, 2, 3, 4]; // kinds of imports
const [CHANGES, END] = [1, 0x0b];
/** Code that gives zero, by the type of value. */
const ZERO = {
  0x7f: [0x41, 0],
  0x7e: [0x42, 0],
  0x7d: [0x43, 0, 0, 0, 0],
  0x7c: [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
  0x7b: [0xfd, 0x0c, ...new Uint8Array(16)],
};

/** Functions go by their number among those that the file has itself, as in `withBodies`; code calls them by another: see `imported`. */
export class Module {
  #head;
  #sections = [];
  #types;
  #of;
  #globals;
  #newTypes = [];
  #newFunctions = [];
  #newGlobals = [];

  constructor(file) {
    this.#head = file.subarray(0, 8);
    for (let at = 8; at < file.length; ) {
      const [length, start] = leb(file, at + 1);
      this.#sections.push([file[at], file.subarray(start, start + length)]);
      at = start + length;
    }
    if (!this.#sections.some(([id]) => id === GLOBALS)) {
      this.#sections.splice(this.#sections.findIndex(([id]) => id > GLOBALS && id < TAGS), 0, [GLOBALS, NONE]);
    }
    const entries = (kind, read) => vector(this.#sections.find(([id]) => id === kind)?.[1] ?? NONE, read);
    this.#types = entries(TYPES, functionType);
    const imports = entries(IMPORTS, importOf);
    const imported = imports.flatMap(({ kind, type }) => (kind === FUNCTION ? [type] : []));
    /** How many functions the file imports: theirs are the first indices. */
    this.imported = imported.length;
    this.#of = [...imported, ...entries(FUNCTIONS, leb)].map((type) => this.#types[type]);
    const [, globals] = this.#sections.find(([id]) => id === GLOBALS);
    this.#globals = imports.filter(({ kind }) => kind === GLOBAL).length + leb(globals, 0)[0];
    /** Each with its length ahead. */
    this.bodies = entries(CODE, (bytes, at) => {
      const [length, start] = leb(bytes, at);
      return [bytes.subarray(at, start + length), start + length];
    });
  }

  /** A function's type and what is in it (see `decoded`); null where that is more than is known here. */
  code(number) {
    const type = this.#of[this.imported + number];
    try {
      return { type, ...decoded(this.bodies[number], type, { types: this.#types, of: this.#of }) };
    } catch (error) {
      if (error instanceof Unknown) return null;
      throw error;
    }
  }

  /** Whether a function takes and gives what the type does. */
  isOf(number, type) {
    return this.#of[this.imported + number].key === keyOf(type);
  }

  /** `locals`: with the arguments. */
  put(number, { type, locals, items }) {
    this.bodies[number] = bodyOf(locals.slice(type.takes.length), items);
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
    return this.#of.push(type) - 1;
  }

  /** A global for each of these values, always the same ones: for what is put there and taken from there at once. */
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
    const longer = { [TYPES]: this.#newTypes, [FUNCTIONS]: this.#newFunctions, [GLOBALS]: this.#newGlobals.map(({ type }) => Uint8Array.of(type, CHANGES, ...ZERO[type], END)) };
    const parts = this.#sections.flatMap(([id, section]) => {
      const bytes = id === CODE ? joined(NONE, this.bodies) : longer[id]?.length ? joined(section, longer[id]) : section;
      return [Uint8Array.of(id), toLeb(bytes.length), bytes];
    });
    return Buffer.concat([this.#head, ...parts]);
  }
}

const keyOf = ({ takes, gives }) => `${takes}:${gives}`;

function functionType(bytes, at) {
  if (bytes[at] !== FUNCTION_TYPE) throw new Unknown(`type ${bytes[at]}`);
  const [takes, middle] = valueTypes(bytes, at + 1);
  const [gives, end] = valueTypes(bytes, middle);
  return [{ takes, gives, key: keyOf({ takes, gives }) }, end];
}

function importOf(bytes, at) {
  for (const _ of ["module", "name"]) {
    const [length, start] = leb(bytes, at);
    at = start + length;
  }
  const kind = bytes[at++];
  if (kind === GLOBAL) return [{ kind }, at + 2]; // its type, and whether it changes
  if (kind === FUNCTION || kind === TAG) {
    const [type, end] = leb(bytes, kind === TAG ? at + 1 : at);
    return [{ kind, type }, end];
  }
  const limits = kind === TABLE ? at + 1 : at; // what is in it comes first
  const [, first] = leb(bytes, limits + 1);
  return [{ kind }, bytes[limits] & 1 ? leb(bytes, first)[1] : first];
}

function vector(bytes, read) {
  const found = [];
  let [count, at] = leb(bytes, 0);
  for (let value; count > 0; count--) {
    [value, at] = read(bytes, at);
    found.push(value);
  }
  return found;
}

function valueTypes(bytes, at) {
  const [count, start] = leb(bytes, at);
  return [[...bytes.subarray(start, start + count)], start + count];
}

/** A section, longer by these. */
function joined(section, more) {
  const [count, first] = leb(section, 0);
  return Buffer.concat([toLeb(count + more.length), section.subarray(first), ...more]);
}
