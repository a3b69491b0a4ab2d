// The binary format of WebAssembly: a file's sections, the entries that a section lists, and numbers (LEB128).
// Source: WebAssembly Core Specification 2.0, chapter 5, and the tool conventions for dynamic linking ("dylink.0").

export const [TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, CODE, DATA, DATA_COUNT, TAG] = Array.from({ length: 13 }, (_, i) => i + 1);
const LINKING = 0; // the only custom section that is kept
const ORDER = [LINKING, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, TAG, GLOBAL, EXPORT, START, ELEMENT, DATA_COUNT, CODE, DATA];
export const KINDS = { function: 0, table: 1, memory: 2, global: 3, tag: 4 }; // of imports and exports

/** A file's sections by number. Names and other custom sections are left out. */
export function sectionsOf(file) {
  const sections = new Map();
  for (let at = 8; at < file.length; ) {
    const [length, start] = leb(file, at + 1);
    const content = file.subarray(start, start + length);
    if (file[at] || Buffer.from(content.subarray(1, 9)).equals(Buffer.from("dylink.0"))) sections.set(file[at], content);
    at = start + length;
  }
  return sections;
}

export function fileOf(sections) {
  const head = Buffer.from("\0asm\x01\0\0\0", "latin1");
  const written = ORDER.filter((id) => sections.has(id)).map((id) => [Uint8Array.of(id), toLeb(sections.get(id).length), sections.get(id)]);
  return Buffer.concat([head, ...written.flat()]);
}

export const vector = (list) => Buffer.concat([toLeb(list.length), ...list]);

/** Append entries to a section. */
export function append(sections, id, list) {
  const [count, start] = sections.has(id) ? leb(sections.get(id), 0) : [0, 0];
  sections.set(id, Buffer.concat([toLeb(count + list.length), sections.get(id)?.subarray(start) ?? new Uint8Array(), ...list]));
}

/** The entries of a section, as bytes. A body of CODE includes its length. */
export function entries(sections, id) {
  if (!sections.has(id)) return [];
  const bytes = sections.get(id);
  const list = [];
  for (let [left, at] = leb(bytes, 0); left; left--) {
    const end = ENDS[id](bytes, at);
    list.push(bytes.subarray(at, end));
    at = end;
  }
  return list;
}

/** An entry of IMPORT: its kind and its type. */
export function importOf(entry) {
  const kind = afterList(entry, afterList(entry, 0));
  return { kind: entry[kind], type: entry.subarray(kind + 1) };
}

/** An entry of EXPORT. */
export function exportOf(entry) {
  const kind = afterList(entry, 0);
  return { name: Buffer.from(entry.subarray(leb(entry, 0)[1], kind)).toString(), kind: entry[kind], index: leb(entry, kind + 1)[0] };
}

/** The segments that a file writes into its memory as it starts: [{address, bytes}]. */
export function dataOf(file) {
  return entries(sectionsOf(file), DATA).map((entry) => {
    const [address, end] = leb(entry, 2);
    if (entry[0] !== 0 || entry[1] !== 0x41 || entry[end] !== 0x0b) unknown("data segment", entry[0]); // only an i32.const as address
    return { address, bytes: entry.subarray(afterNumber(entry, end + 1)) };
  });
}

/** Functions that find where something ends: a number; a list of bytes; the limits of a table or memory; a constant expression. */
const afterNumber = (bytes, at) => leb(bytes, at)[1];
const afterList = (bytes, at) => leb(bytes, at).reduce((length, start) => length + start);
const afterLimits = (bytes, at) => (bytes[at] & 1 ? afterNumber(bytes, afterNumber(bytes, at + 1)) : afterNumber(bytes, at + 1));
const AFTER_TYPE = [afterNumber, (bytes, at) => afterLimits(bytes, at + 1), afterLimits, (_, at) => at + 2, (bytes, at) => afterNumber(bytes, at + 1)];
const ENDS = {
  [TYPE]: (bytes, at) => (bytes[at] === 0x60 ? afterList(bytes, afterList(bytes, at + 1)) : unknown("type", bytes[at])),
  [IMPORT]: (bytes, at) => {
    const kind = afterList(bytes, afterList(bytes, at));
    return AFTER_TYPE[bytes[kind]](bytes, kind + 1);
  },
  [FUNCTION]: afterNumber,
  [TABLE]: AFTER_TYPE[KINDS.table],
  [MEMORY]: afterLimits,
  [GLOBAL]: (bytes, at) => afterExpression(bytes, at + 2),
  [EXPORT]: (bytes, at) => afterNumber(bytes, afterList(bytes, at) + 1),
  [CODE]: afterList,
  [DATA]: (bytes, at) => (bytes[at] === 0 ? afterList(bytes, afterExpression(bytes, at + 1)) : unknown("data segment", bytes[at])),
  [TAG]: AFTER_TYPE[KINDS.tag],
};

function afterExpression(bytes, at) {
  for (;;) {
    const code = bytes[at++];
    if (code === 0x0b) return at;
    if ([0x23, 0x41, 0x42, 0xd2].includes(code)) at = afterNumber(bytes, at); // global.get, i32.const, i64.const, ref.func
    else if (code === 0xd0) at++; // ref.null
    else if (code === 0xfd && bytes[at] === 0x0c) at += 17; // v128.const
    else if (code === 0x43 || code === 0x44) at += code === 0x43 ? 4 : 8; // f32.const, f64.const
    else if (![0x6a, 0x6b, 0x6c].includes(code)) unknown("instruction", code); // i32.add, i32.sub, i32.mul
  }
}

function unknown(what, code) {
  throw new Error(`this WebAssembly file has the ${what} 0x${code.toString(16)}, which demo/optimise/wasm/binary.mjs does not know yet`);
}

/** The unsigned number at a place, and the place after it. */
export function leb(bytes, at) {
  for (let value = 0, unit = 1; ; unit *= 128) {
    const byte = bytes[at++];
    if (byte === undefined) throw new RangeError("a number is cut off");
    value += (byte & 127) * unit;
    if (byte < 128) return [value, at];
  }
}

export function toLeb(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  return Uint8Array.of(...bytes, value);
}

/** A signed number of 32 bits. */
export function signedLeb(value) {
  const bytes = [];
  for (; value > 63 || value < -64; value >>= 7) bytes.push((value & 127) | 128);
  return Uint8Array.of(...bytes, value & 127);
}
