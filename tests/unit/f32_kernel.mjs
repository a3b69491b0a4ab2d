// Run by test_f32_kernel.py: the tests of demo/optimise/kernels/f32.mjs.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { agree, faster, KERNEL, kernel } from "../../demo/optimise/kernels/f32.mjs";
import { Module } from "../../demo/optimise/wasm/module.mjs";

const file = await readFile(new URL("../../demo/web/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", import.meta.url));
const [PLUS, MINUS] = [[0xfd, 0xe4, 0x01], [0xfd, 0xe5, 0x01]].map((bytes) => Buffer.from(bytes)); // of four floats each

test("the kernel that overwrites and the one that adds are told apart", () => {
  assert.ok(agree(kernel(false), kernel(false)));
  assert.ok(!agree(kernel(false), kernel(true)));
});

test("a kernel that subtracts somewhere is refused", () => {
  const module = new Module(file);
  const number = [...module.bodies.keys()].find((one) => module.isOf(one, KERNEL));
  const body = Buffer.from(module.bodies[number]);
  MINUS.copy(body, body.indexOf(PLUS));
  module.bodies[number] = body;
  assert.throws(() => faster(module.file), new RegExp(`function ${number} .* computes something else`));
});

test("ONNX Runtime with a kernel more is refused", () => {
  const module = new Module(file);
  module.add(KERNEL, [], []);
  module.bodies[module.bodies.length - 1] = kernel(true);
  assert.throws(() => faster(module.file), /3 kernels/);
});
