// A wasm file that notes where in its memory it reads.
import { constant, get, I32, offsetOf, raw, set } from "../wasm/code.mjs";
import { toLeb } from "../wasm/binary.mjs";
import { Module } from "../wasm/module.mjs";

const [I64, TEE, ADD, SHIFT_RIGHT, STORE_BYTE] = [0x7e, 0x22, 0x6a, 0x76, 0x3a];
const COPY = 0xfc0a;
/** Instructions that read: [first, last, types of what lies on the stack above the address, by turns]. Of vectors and of memory that threads share, too. */
const READS = [
  [0x28, 0x35, [[]]],
  [0xfd00, 0xfd0a, [[]]],
  [0xfd5c, 0xfd5d, [[]]],
  [0xfe01, 0xfe02, [[I32, I64], [I64, I64]]],
  [0xfe10, 0xfe16, [[]]],
  [0xfe1e, 0xfe47, [[I32], [I64], [I32], [I32], [I64], [I64], [I64]]],
  [0xfe48, 0xfe4e, [[I32, I32], [I64, I64], [I32, I32], [I32, I32], [I64, I64], [I64, I64], [I64, I64]]],
];

/**
 * `marks`: an address that no run gets near; the byte there, and each after it, stands for 1 << `shift` bytes of memory, and is 1 once one of them was read.
 * `isWatched(body, number, code)`: whether a function is to note that; its code is null where it has instructions that this script does not know.
 */
export function touching(file, marks, shift, isWatched = () => true) {
  const module = new Module(file);
  const mark = (address, offset = 0) => [
    get(address), constant(offset), raw(Uint8Array.of(ADD)), constant(shift), raw(Uint8Array.of(SHIFT_RIGHT)),
    constant(1), raw(Uint8Array.of(STORE_BYTE, 0), toLeb(marks)),
  ];
  for (const number of module.bodies.keys()) {
    const code = module.code(number);
    if (!isWatched(module.bodies[number], number, code)) continue;
    if (!code) throw new Error(`function ${number} has instructions that this script does not know, and may read by them`);
    const locals = [...code.locals];
    const known = new Map();
    const local = (type, which) => {
      const key = `${type} ${which}`;
      if (!known.has(key)) known.set(key, locals.push(type) - 1);
      return known.get(key);
    };
    const noting = (item) => {
      if (item.inner) return { ...item, inner: item.inner.map((items) => items.flatMap(noting)) };
      if (item.op === COPY) {
        const [length, from] = [local(I32, 0), local(I32, 1)];
        return [set(length), set(from), ...mark(from), get(from), get(length), item];
      }
      const reads = READS.find(([first, last]) => item.op >= first && item.op <= last);
      if (!reads) return item;
      const [first, , above] = reads;
      const values = above[(item.op - first) % above.length].map((type, i) => local(type, i + 1));
      const address = local(I32, 0);
      return [...values.map(set).reverse(), { op: TEE, local: address }, ...mark(address, offsetOf(item.bytes)), ...values.map(get), item];
    };
    module.put(number, { ...code, locals, items: code.items.flatMap(noting) });
  }
  return module.file;
}
