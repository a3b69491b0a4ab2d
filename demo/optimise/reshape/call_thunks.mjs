// Calls of functions in the table, made by others: one for each type, which no more than makes the call.
// A browser that compiles a function for speed, takes it that a place in it that has called few functions so far will call no others, builds those in,
// and begins again when it was wrong: Python's loop over its bytecode three or four times. Of a place that calls everything it does not believe that.
import { everyOne, call, get } from "../wasm/code.mjs";
import { Module } from "../wasm/module.mjs";

const BUILT_IN = 512; // bytes of a function up to which a browser may make it a part of its callers

/** The file, with such calls in these functions, and in all small ones that they call. */
export function withCallThunks(file, numbers) {
  const module = new Module(file);
  const seen = new Set(numbers);
  const callers = new Map();
  for (const number of seen) {
    const code = module.code(number);
    if (!code) continue;
    for (const [{ calls = 0 }] of everyOne(code.items)) {
      if (calls >= module.imported && module.bodies[calls - module.imported].length < BUILT_IN) seen.add(calls - module.imported);
    }
    module.put(number, { ...code, items: code.items.flatMap((item) => thunked(item, module, callers)) });
  }
  return module.file;
}

function thunked(item, module, callers) {
  if (item.inner) return { ...item, inner: item.inner.map((sequence) => sequence.flatMap((one) => thunked(one, module, callers))) };
  if (!item.asks) return item;
  const key = item.bytes.toString("hex");
  if (!callers.has(key)) callers.set(key, module.add(item.asks, [], [...item.asks.takes.map((_, i) => get(i)), item]));
  return call(callers.get(key));
}
