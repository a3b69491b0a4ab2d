// Run by test_trim_script.py: what trim_script.mjs leaves of a script works as before.
import assert from "node:assert/strict";
import { test } from "node:test";
import { trimScript } from "../../demo/assemble/trim_script.mjs";

const PLACING = "var ret=getEmptyTableSlot();try{setWasmTableEntry(ret,func)}";
const SCRIPT = `async function _createPyodideModule(moduleArg={}){
  var Module=moduleArg,log=[];
  function used(){return helper()+1}
  function helper(){return 1}
  var unused=()=>loneliest(),loneliest=()=>3;
  var table=[];var getEmptyTableSlot=()=>table.push(null)-1;var setWasmTableEntry=(at,func)=>{table[at]=func};
  var functionsInTableMap=new Map();
  var addFunction=(func,sig)=>{if(functionsInTableMap.has(func)){return functionsInTableMap.get(func)}${PLACING}catch(err){}functionsInTableMap.set(func,ret);return ret};
  function _emscripten_glClear(mask){return drawing()}_emscripten_glClear.sig="vi";
  var _emscripten_glClearAgain=_emscripten_glClear;
  function drawing(){return "drawn"}
  function _get(){return used()}_get.sig="i";
  function _left(){return 5}_left.sig="i";
  var wasmImports={get:_get,left:_left,used,emscripten_glClear:_emscripten_glClear,emscripten_glClearAgain:_emscripten_glClearAgain};
  var happens=log.push("happens");
  Module["asked"]=asked;Module["unasked"]=unasked;
  function asked(){return 7}
  function unasked(){return 8}
  Module.found={log,table,wasmImports,sig:_get.sig,places:[used,_emscripten_glClear,_emscripten_glClearAgain,_get].map(func=>addFunction(func,"i"))};
  return Module}
export default _createPyodideModule;
`;
const IMPORTED = new Set(["get", "used", "emscripten_glClear", "emscripten_glClearAgain"]);

const run = async (script) => (await import(`data:text/javascript,${encodeURIComponent(script)}`)).default();
const trimmed = trimScript(SCRIPT, IMPORTED, ["module.asked()"]);

test("what is imported, and what that needs, works as before", async () => {
  const { found, asked } = await run(trimmed);
  assert.equal(found.wasmImports.get(), 2);
  assert.equal(found.sig, "i");
  assert.equal(asked(), 7);
  assert.deepEqual(found.log, ["happens"]);
});

test("what nobody imports or mentions is gone", () => {
  for (const name of ["unused", "loneliest", "_left", "unasked", "drawing"]) assert.ok(!trimmed.includes(name), name);
});

test("functions of WebGL say so, and have the places in the table that they had, empty", async () => {
  const [before, after] = await Promise.all([SCRIPT, trimmed].map(run));
  assert.throws(() => after.found.wasmImports.emscripten_glClear(), /no WebGL/);
  assert.equal(after.found.wasmImports.emscripten_glClear, after.found.wasmImports.emscripten_glClearAgain);
  assert.deepEqual(after.found.places, before.found.places);
  assert.equal(after.found.table[after.found.places[1]], null);
});

test("a script that places functions otherwise is refused", () => {
  assert.throws(() => trimScript(SCRIPT.replace(PLACING, ""), IMPORTED, []), /another way/);
});
