// Run by test_trim_script.py: a trimmed script does what the whole script does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { trimScript } from "../../demo/optimise/drop/trim_script.mjs";

const PLACING = "var ret=getEmptyTableSlot();try{setWasmTableEntry(ret,func)}";
const LISTING = "if(!functionsInTableMap){functionsInTableMap=new WeakMap;updateTableMap(0,wasmTable.length)}";
const SCRIPT = `async function _createPyodideModule(moduleArg={}){
  var Module=moduleArg,log=[];
  function used(){return helper()+1}
  function helper(){return 1}
  var unused=()=>loneliest(),loneliest=()=>3;
  var table=[null,...(moduleArg.table??[])];var getEmptyTableSlot=()=>table.push(null)-1;var setWasmTableEntry=(at,func)=>{table[at]=func};
  var wasmTable=table;
  var updateTableMap=(offset,count)=>{log.push("listed");table.forEach((func,at)=>{if(func){functionsInTableMap.set(func,at)}})};
  var functionsInTableMap;
  var getFunctionAddress=func=>{${LISTING}return functionsInTableMap.get(func)||0};
  var addFunction=(func,sig)=>{var rtn=getFunctionAddress(func);if(rtn){return rtn}${PLACING}catch(err){}functionsInTableMap.set(func,ret);return ret};
  var API=moduleArg.API;
  var begin=()=>[API.rawRun("import _pyodide_core")[0],API._pyodide._base.eval_code("{}"),API.runPythonInternal("import importlib; importlib"),
    API.importlib,API.runPythonInternal("import __main__; __main__.__dict__"),API.runPythonInternal("import builtins; builtins.__dict__")];
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
  Module.found={addFunction,begin,log,table,wasmImports,sig:_get.sig,places:[used,_emscripten_glClear,_emscripten_glClearAgain,_get].map(func=>addFunction(func,"i"))};
  return Module}
export default _createPyodideModule;
`;
const IMPORTED = new Set(["get", "used", "emscripten_glClear", "emscripten_glClearAgain"]);

const run = async (script, settings = { places: new WeakMap() }) =>
  (await import(`data:text/javascript,${encodeURIComponent(script)}`)).default({ ...settings });
const trimmed = trimScript(SCRIPT, IMPORTED, ["module.asked()"]);

test("imported functions, and functions that they need, work as before", async () => {
  const { found, asked } = await run(trimmed);
  assert.equal(found.wasmImports.get(), 2);
  assert.equal(found.sig, "i");
  assert.equal(asked(), 7);
  assert.deepEqual(found.log, ["happens"]);
});

test("code that nothing imports or mentions is gone", () => {
  for (const name of ["unused", "loneliest", "_left", "unasked", "drawing"]) assert.ok(!trimmed.includes(name), name);
});

test("functions of WebGL throw, and their slots in the table are empty", async () => {
  const [before, after] = await Promise.all([SCRIPT, trimmed].map((script) => run(script)));
  assert.throws(() => after.found.wasmImports.emscripten_glClear(), /no WebGL/);
  assert.equal(after.found.wasmImports.emscripten_glClear, after.found.wasmImports.emscripten_glClearAgain);
  assert.deepEqual(after.found.places, before.found.places);
  assert.equal(after.found.table[after.found.places[1]], null);
});

test("slots of known WebAssembly functions need no map of the table; other functions make the map once", async () => {
  const named = (name) => Object.defineProperty(() => {}, "name", { value: name });
  const [known, other] = [named("17"), named("18")];
  const places = new WeakMap([[known, 1]]);
  const { found } = await run(trimmed, { places, table: [known, other] });
  assert.equal(found.addFunction(known), 1);
  assert.ok(!found.log.includes("listed"));
  Object.assign(places, { all: false });
  assert.equal(found.addFunction(other), 2);
  assert.deepEqual(found.log.filter((what) => what === "listed"), ["listed"]);
});

test("modules are found without Python's compiler", async () => {
  const never = () => assert.fail("Python's compiler runs");
  const builtins = { dict: () => "a dictionary", __dict__: "built in" };
  const importlib = {};
  const import_module = (name) => (name === "importlib" ? importlib : { __dict__: `of ${name}` });
  const _base = { builtins, eval_code: never, import_module };
  const { found } = await run(trimmed, { places: new WeakMap(), API: { rawRun: never, runPythonInternal: never, _pyodide: { _base }, importlib } });
  assert.deepEqual(found.begin(), [0, "a dictionary", importlib, importlib, "of __main__", "built in"]);
});

test("a script of another form is refused", () => {
  for (const line of [PLACING, LISTING, 'API.rawRun("import _pyodide_core")']) {
    assert.throws(() => trimScript(SCRIPT.replace(line, ""), IMPORTED, []), /expects this once/);
  }
});
