// A wasm file's functions, taken apart and put together again, with nothing else in it touched: indices, types and tables stay as they are.

const CODE = 10; // number of the section that holds the bodies of functions
const UNREACHABLE = Uint8Array.of(0x03, 0x00, 0x00, 0x0b); // a body: three bytes, no locals, `unreachable`, `end`

/** The file with each function's body (length ahead, then locals, then code) replaced by what `change(body, number)` gives. */
export function withBodies(file, change) {
  const parts = [file.subarray(0, 8)];
  for (let at = 8; at < file.length; ) {
    const [length, start] = leb(file, at + 1);
    const section = file.subarray(at, start + length);
    parts.push(...(file[at] === CODE ? changed(file, start, change) : file[at] === 0 ? [] : [section])); // custom ones: names, and who made it
    at = start + length;
  }
  return Buffer.concat(parts);
}

function changed(file, start, change) {
  const [count, first] = leb(file, start);
  const bodies = [];
  for (let number = 0, at = first; number < count; number++) {
    const [length, code] = leb(file, at);
    bodies.push(change(file.subarray(at, code + length), number));
    at = code + length;
  }
  const all = Buffer.concat([toLeb(count), ...bodies]);
  return [Uint8Array.of(CODE), toLeb(all.length), all];
}

/** Of functions that are never called. */
export const unreachable = () => UNREACHABLE;

/** A body that first stores 1 at an address: `i32.const address, i32.const 1, i32.store8`. */
export const marking = (body, address) => after(body, [0x41, ...signedLeb(address), 0x41, 1, 0x3a, 0, 0]);

/** A body that runs some code first. */
export function after(body, code) {
  const [, start] = leb(body, 0);
  const [groups, first] = leb(body, start);
  let own = first;
  for (let group = 0; group < groups; group++) own = leb(body, own)[1] + 1; // how many locals, and their type in a byte
  const inner = Buffer.concat([body.subarray(start, own), Uint8Array.from(code), body.subarray(own)]);
  return Buffer.concat([toLeb(inner.length), inner]);
}

/** The unsigned number at a place, and the place after it. */
export function leb(bytes, at) {
  for (let value = 0, unit = 1; ; unit *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * unit;
    if (byte < 128) return [value, at];
  }
}

export function toLeb(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  return Uint8Array.of(...bytes, value);
}

/** Of a signed number of 32 bits. */
export function signedLeb(value) {
  const bytes = [];
  for (; value > 63 || value < -64; value >>= 7) bytes.push((value & 127) | 128);
  return Uint8Array.of(...bytes, value & 127);
}
