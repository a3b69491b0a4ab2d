// Removes unused code from Pyodide's script, which browsers parse and run before Python starts; snapshot/python.mjs calls this. Emscripten puts everything into
// the script that any library might import. The build knows which libraries the page links.
// Assumes the form that Emscripten gives the script, and throws if it has another.
// Guarantees that everything stays that the libraries import, that other scripts mention, or that remaining code mentions. So nothing can be missed.
import { parseAst } from "../../web/node_modules/vite/dist/node/index.js";

/** Functions of WebGL. A worker has no canvas, but Pyodide's WebAssembly takes the address of each, so each keeps a slot of the function table, empty. */
const WEBGL = /^_(emscripten_)?gl[A-Z]/;
const ABSENT = `var absents=new Set(),absent=()=>{const one=()=>{throw new Error("there is no WebGL here")};absents.add(one);return one};`;
// Emscripten compiles a small module for each JavaScript function that it puts into the table. That would be 250 modules for WebGL alone.
const PLACING = "var ret=getEmptyTableSlot();try{setWasmTableEntry(ret,func)}";
const LEAVING_EMPTY = PLACING.replace("try", "if(absents.has(func)){functionsInTableMap.set(func,ret);return ret}try");
// To find the slot of a WebAssembly function, Emscripten first makes a map of all nine thousand slots. The snapshot tells the page the slots that the start
// needs (snapshot/python.mjs), so the map is made only when another function is looked up. WebAssembly functions have numbers as names.
const LISTING = "if(!functionsInTableMap){functionsInTableMap=new WeakMap;updateTableMap(0,wasmTable.length)}";
const LISTING_LATE = `const map=functionsInTableMap??=Module["places"];if(map.all===false&&!map.has(func)&&/^\\d/.test(func.name)){\
map.all=true;updateTableMap(0,wasmTable.length)}`;
// Pyodide gets some modules by running lines of Python, which start Python's compiler. The snapshot already has these modules.
const BASE = "API._pyodide._base";
const WITHOUT_COMPILER = [
  ['API.rawRun("import _pyodide_core")', '[0,""]'],
  [`${BASE}.eval_code("{}")`, `${BASE}.builtins.dict()`],
  ['API.runPythonInternal("import importlib; importlib")', `${BASE}.import_module("importlib")`],
  ['API.runPythonInternal("import __main__; __main__.__dict__")', `${BASE}.import_module("__main__").__dict__`],
  ['API.runPythonInternal("import builtins; builtins.__dict__")', `${BASE}.builtins.__dict__`],
];

/** The script without unused code. `imported`: names that WebAssembly files import; `users`: scripts that use Pyodide's module. */
export function trimScript(script, imported, users) {
  const text = [[PLACING, LEAVING_EMPTY], [LISTING, LISTING_LATE], ...WITHOUT_COMPILER].reduce(replaceOnce, script);
  const main = parseAst(text).body.find(({ type, id }) => type === "FunctionDeclaration" && id.name === "_createPyodideModule");
  const parts = main.body.body.flatMap((statement) => partsOf(statement, text, imported));
  const kept = reachable(parts, users.flatMap((user) => user.match(/[\w$]+/g)));
  const body = parts.filter((part) => kept.has(part)).map(({ code }) => code);
  // V8 expects a function in brackets to be called at once, and parses it fully. It would parse another one twice: to find its end, and when it is called.
  const whole = `${text.slice(main.start, main.body.start + 1)}${ABSENT}${body.join("\n")}${text.slice(main.body.end - 1, main.end)}`;
  return `${text.slice(0, main.start)}const ${main.id.name}=(${whole});${text.slice(main.end)}`;
}

function replaceOnce(text, [before, after]) {
  if (text.split(before).length !== 2) throw new Error(`Pyodide's script has changed: demo/optimise/drop/trim_script.mjs expects this once in it: ${before}`);
  return text.replace(before, () => after);
}

/**
 * The parts of a statement that can stay or go separately: [{code, needs, serves}]. `serves`: the variable that a part declares, or the property that it sets
 * on the module; the part stays if this name is mentioned. Parts without such a name have effects, and always stay. `needs`: all names that the part mentions.
 */
function partsOf(statement, text, imported) {
  const part = (node, serves) => [{ code: text.slice(statement.start, statement.end), needs: mentionsOf(node), serves }];
  if (statement.type === "FunctionDeclaration") {
    const { name } = statement.id;
    return WEBGL.test(name) ? [standIn(name)] : part(statement, name);
  }
  if (statement.type === "VariableDeclaration" && statement.declarations.every(({ id, init }) => id.type === "Identifier" && isPure(init))) {
    return statement.declarations.map((declaration) => {
      const { id, init, start, end } = declaration;
      if (id.name === "wasmImports") return importsOf(init, text, imported);
      if (WEBGL.test(id.name) && init && /Function/.test(init.type)) return standIn(id.name);
      return { code: `${statement.kind} ${text.slice(start, end)};`, needs: mentionsOf(init), serves: id.name };
    });
  }
  const { left, right } = statement.type === "ExpressionStatement" && statement.expression.type === "AssignmentExpression" ? statement.expression : {};
  if (left?.type === "MemberExpression" && left.object.type === "Identifier") {
    const { object, property } = left;
    if (property.name === "sig" && right.type === "Literal") return part(right, object.name);
    if (object.name === "Module" && property.type === "Literal" && right.type === "Identifier") return part(right, property.value);
  }
  return part(statement);
}

const standIn = (name) => ({ code: `var ${name}=absent();`, needs: new Set(), serves: name });

function importsOf(object, text, imported) {
  const properties = object.properties.filter(({ key }) => imported.has(key.name ?? key.value));
  const needs = new Set(properties.flatMap(({ value }) => [...mentionsOf(value)]));
  return { code: `var wasmImports={${properties.map(({ start, end }) => text.slice(start, end)).join(",")}};`, needs, serves: "wasmImports" };
}

/** The parts that always stay, and those that serve a mentioned name, directly or through other parts. `names`: those mentioned elsewhere. */
function reachable(parts, names) {
  const serving = new Map();
  for (const part of parts) serving.set(part.serves, [...(serving.get(part.serves) ?? []), part]);
  const kept = new Set(serving.get(undefined));
  const mentioned = new Set(names);
  for (const { needs } of kept) for (const name of needs) mentioned.add(name);
  for (const name of mentioned) { // grows while the loop runs
    for (const part of serving.get(name) ?? []) {
      kept.add(part);
      for (const needed of part.needs) mentioned.add(needed);
    }
  }
  return kept;
}

/** Whether evaluating an expression has no effects. */
function isPure(node) {
  if (!node) return true;
  if (/^(Literal|Identifier|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return true;
  if (node.type === "ArrayExpression") return node.elements.every(isPure);
  return node.type === "ObjectExpression" && node.properties.every(({ type, computed, value }) => type === "Property" && !computed && isPure(value));
}

function mentionsOf(node, found = new Set()) {
  if (!node || typeof node !== "object") return found;
  if (Array.isArray(node)) node.forEach((entry) => mentionsOf(entry, found));
  else if (node.type === "Identifier") found.add(node.name);
  else if (node.type === "Literal") typeof node.value === "string" && found.add(node.value);
  else for (const [key, value] of Object.entries(node)) key === "type" || mentionsOf(value, found);
  return found;
}
