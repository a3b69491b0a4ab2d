// Pyodide's script without what the page has no use for: it is read, and run, before Python begins. Emscripten puts into it all that any library might
// ask for that is linked later; which libraries come, is known here. What nobody imports goes, and then what nobody mentions any more.
import { parseAst } from "../../web/node_modules/vite/dist/node/index.js";

/** Functions of WebGL, which a worker has no canvas for. Pyodide's file takes the address of each, so each has a place in the table; an empty one. */
const DRAWS = /^_(emscripten_)?gl[A-Z]/;
const ABSENT = `var absents=new Set(),absent=()=>{const one=()=>{throw new Error("there is no WebGL here")};absents.add(one);return one};`;
// Emscripten gives a function of JavaScript its place by compiling a module around it: 250 of them.
const PLACING = "var ret=getEmptyTableSlot();try{setWasmTableEntry(ret,func)}";
const LEAVING_EMPTY = PLACING.replace("try", "if(absents.has(func)){functionsInTableMap.set(func,ret);return ret}try");
// Where a function of wasm stands in the table, it looks up in a list of all nine thousand that stand there. The page knows of those that are asked for at
// the start (snapshot/python.mjs). A function of wasm has a number for its name.
const LISTING = "if(!functionsInTableMap){functionsInTableMap=new WeakMap;updateTableMap(0,wasmTable.length)}";
const LISTING_LATE = `const map=functionsInTableMap??=Module["places"];if(map.all===false&&!map.has(func)&&/^\\d/.test(func.name)){\
map.all=true;updateTableMap(0,wasmTable.length)}`;
// Pyodide gets hold of modules by lines of Python, for which Python's compiler has to run; all of them are there, in the memory that the page takes up.
const BASE = "API._pyodide._base";
const BY_LINES_OF_PYTHON = [
  ['API.rawRun("import _pyodide_core")', '[0,""]'],
  [`${BASE}.eval_code("{}")`, `${BASE}.builtins.dict()`],
  ['API.runPythonInternal("import importlib; importlib")', `${BASE}.import_module("importlib")`],
  ['API.runPythonInternal("import __main__; __main__.__dict__")', `${BASE}.import_module("__main__").__dict__`],
  ['API.runPythonInternal("import builtins; builtins.__dict__")', `${BASE}.builtins.__dict__`],
];

/**
 * `imported`: names that the files of wasm import. `mentioned`: scripts that use Pyodide's module from outside.
 * Throws where the script is built otherwise than Emscripten does it today.
 */
export function trimScript(script, imported, mentioned) {
  const text = [[PLACING, LEAVING_EMPTY], [LISTING, LISTING_LATE], ...BY_LINES_OF_PYTHON].reduce(replaceOnce, script);
  const main = parseAst(text).body.find(({ type, id }) => type === "FunctionDeclaration" && id.name === "_createPyodideModule");
  const parts = main.body.body.flatMap((statement) => partsOf(statement, text, imported));
  const uses = new Set(mentioned.flatMap((other) => other.match(/[\w$]+/g)));
  const kept = reachable(parts, uses);
  const body = parts.filter((part) => kept.has(part)).map(({ code }) => code);
  // In brackets V8 takes a function for one that is called at once. Others it reads once to see where they end, and once more when they are called.
  const whole = `${text.slice(main.start, main.body.start + 1)}${ABSENT}${body.join("\n")}${text.slice(main.body.end - 1, main.end)}`;
  return `${text.slice(0, main.start)}const ${main.id.name}=(${whole});${text.slice(main.end)}`;
}

function replaceOnce(text, [before, after]) {
  if (text.split(before).length !== 2) throw new Error(`Pyodide's script is another one than drop/trim_script.mjs knows: it has not once ${before}`);
  return text.replace(before, () => after);
}

/**
 * What a statement falls into: [{code, needs, serves}]. `serves`: a variable that it declares, or a property that it puts on the module; it is there for
 * whoever mentions that. Where there is none, something happens, and it stays. `needs`: what it mentions itself, properties too.
 */
function partsOf(statement, text, imported) {
  const part = (node, serves) => [{ code: text.slice(statement.start, statement.end), needs: mentionsOf(node), serves }];
  if (statement.type === "FunctionDeclaration") {
    const { name } = statement.id;
    return DRAWS.test(name) ? [standIn(name)] : part(statement, name);
  }
  if (statement.type === "VariableDeclaration" && statement.declarations.every(({ id, init }) => id.type === "Identifier" && isPure(init))) {
    return statement.declarations.map((declaration) => {
      const { id, init, start, end } = declaration;
      if (id.name === "wasmImports") return importsOf(init, text, imported);
      if (DRAWS.test(id.name) && init && /Function/.test(init.type)) return standIn(id.name);
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

/** Parts that stay, and whatever those mention, and so on. `uses`: what others mention. */
function reachable(parts, uses) {
  const serving = new Map();
  for (const part of parts) serving.set(part.serves, [...(serving.get(part.serves) ?? []), part]);
  const kept = new Set(serving.get(undefined));
  const mentioned = new Set(uses);
  for (const { needs } of kept) for (const name of needs) mentioned.add(name);
  for (const name of mentioned) { // which grows meanwhile
    for (const part of serving.get(name) ?? []) {
      kept.add(part);
      for (const needed of part.needs) mentioned.add(needed);
    }
  }
  return kept;
}

/** Whether nothing happens while it is evaluated. */
function isPure(node) {
  if (!node) return true;
  if (/^(Literal|Identifier|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return true;
  if (node.type === "ArrayExpression") return node.elements.every(isPure);
  return node.type === "ObjectExpression" && node.properties.every(({ type, computed, value }) => type === "Property" && !computed && isPure(value));
}

function mentionsOf(node, found = new Set()) {
  if (!node || typeof node !== "object") return found;
  if (Array.isArray(node)) node.forEach((one) => mentionsOf(one, found));
  else if (node.type === "Identifier") found.add(node.name);
  else if (node.type === "Literal") typeof node.value === "string" && found.add(node.value);
  else for (const [key, value] of Object.entries(node)) key === "type" || mentionsOf(value, found);
  return found;
}
