// Moves calls through the function table (call_indirect) into thunks: small functions, one for each type and table, that only make the call.
//
// A browser that compiles a function for speed guesses that each call_indirect reaches only the few functions that it has reached so far, and inlines these.
// After a wrong guess it compiles the function again; for Python's loop over its bytecode, three or four times. A thunk has many callers, so its call reaches
// many functions, and the browser does not guess.
// Assumes nothing about visits. A function whose code `decoded` does not know stays as it is.
// Guarantees that every call reaches the same function as before.
import { call, get, walk } from "../wasm/code.mjs";
import { Module } from "../wasm/module.mjs";

const INLINED = 512; // bytes: browsers may inline functions up to this length into their callers, with the calls inside

/** The file with thunks for the calls in these functions, and in all short functions that they call, directly or not. */
export function withCallThunks(file, numbers) {
  const module = new Module(file);
  const changed = new Set(numbers); // grows while the loop runs
  const thunks = new Map();
  for (const number of changed) {
    const code = module.code(number);
    if (!code) continue;
    for (const [{ calls = 0 }] of walk(code.items)) {
      if (calls >= module.imported && module.bodies[calls - module.imported].length < INLINED) changed.add(calls - module.imported);
    }
    module.put(number, { ...code, items: thunked(code.items, module, thunks) });
  }
  return module.file;
}

function thunked(items, module, thunks) {
  return items.map((item) => {
    if (item.inner) return { ...item, inner: item.inner.map((sequence) => thunked(sequence, module, thunks)) };
    if (!item.calleeType) return item;
    const key = item.bytes.toString("hex"); // type and table
    if (!thunks.has(key)) thunks.set(key, module.add(item.calleeType, [], [...item.calleeType.takes.map((_, i) => get(i)), item]));
    return call(thunks.get(key));
  });
}
