// What Python does in the page, under Node and without networks: `facelab.browser.Session` asked for all that the page asks it for, of an engine
// that sees faces where it likes, and readers' own code. Scripts that want to know what of Pyodide is in use, watch it at this.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import createPyodideModule from "../../web/node_modules/pyodide/pyodide.asm.mjs";
import { loadPyodide } from "../../web/node_modules/pyodide/pyodide.mjs";

const ROUNDS = 4; // of a rehearsal

/**
 * Pyodide with facelab imported. `wasm`: its file, bytes; `archives`: paths of NumPy's and facelab's; `seen`: is given the instance before anything
 * runs in it; `replaced`: bytes in place of what the archives have under these names.
 */
export async function begun(wasm, stdlib, archives, seen = () => {}, replaced = {}) {
  const folder = await mkdtemp(join(tmpdir(), "pyodide-"));
  await writeFile(join(folder, "pyodide.asm.wasm"), wasm);
  const pyodide = await loadPyodide({
    indexURL: folder,
    stdLibURL: stdlib,
    lockFileContents: await readFile(new URL("../../web/node_modules/pyodide/pyodide-lock.json", import.meta.url), "utf8"),
    env: { PYTHONHASHSEED: "0" }, // the same every time
    createPyodideModule: (settings) => {
      const { instantiateWasm } = settings;
      settings.instantiateWasm = (imports, done) => instantiateWasm(imports, (instance, compiled) => (seen(instance), done(instance, compiled)));
      return createPyodideModule(settings);
    },
  });
  await rm(folder, { recursive: true });
  const extractDir = pyodide.runPython("import site; site.getsitepackages()[0]");
  for (const archive of archives) pyodide.unpackArchive(new Uint8Array(await readFile(archive)), "wheel", { extractDir });
  for (const [name, bytes] of Object.entries(replaced)) pyodide.FS.writeFile(`${extractDir}/${name}`, bytes);
  if (archives.length) pyodide.pyimport("facelab.browser");
  return pyodide;
}

/** An engine that sees a face or two where it likes; a photo for it; whether it is shy: then it sees none. `manifest`: the text of models.json. */
function pretended(manifest) {
  const { detector, embedder } = JSON.parse(manifest);
  const { stride, cell } = detector;
  const side = embedder.chip_size;
  const filled = (dims, of) => ({ dims, type: "float32", data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => of(i)) });
  const random = (i) => ((i * 7919 + 13) % 1009) / 1009;
  const mood = { shy: false };
  const level = ([height, width]) => {
    const [rows, columns] = [height, width].map((side) => Math.max(1, (side - cell) / stride + 3) | 0);
    const at = Math.floor(rows / 2) * columns + Math.floor(columns / 3);
    const sure = (i) => !mood.shy && (i === at || i === at + 1 || (i % 97 === 5 && i > at));
    return {
      scores: filled([rows, columns], (i) => (sure(i) ? 0.9 + random(i) / 20 : random(i) / 3)),
      log_odds: filled([rows, columns], (i) => (sure(i) ? 3 + random(i) : -3)),
      offsets: filled([rows, columns, 4], (i) => (i % 4 < 2 ? -1 : 1) + random(i) / 9),
    };
  };
  const answers = {
    rnet: (rows) => ({ scores: filled([rows], (i) => 0.99 - random(i) / 2), offsets: filled([rows, 4], (i) => random(i) / 9) }),
    onet: (rows) => ({
      scores: filled([rows], (i) => 0.999 - random(i) / 4),
      offsets: filled([rows, 4], (i) => random(i) / 20),
      landmarks: filled([rows, 5, 2], (i) => [0.3, 0.35, 0.7, 0.35, 0.5, 0.55, 0.35, 0.75, 0.65, 0.75][i % 10] + random(i) / 50),
    }),
    embedder: (rows) => ({
      embeddings: filled([rows, 128], (i) => (random(i) - 0.5) / 4),
      chips: { dims: [rows, side, side, 3], type: "uint8", data: Uint8Array.from({ length: rows * side * side * 3 }, (_, i) => 255 * random(i >> 4)) },
    }),
  };
  const engine = {
    run: async (graph, photo, input, [rows]) => answers[graph](rows),
    run_pyramid: async (photo, sizes) => sizes.map(level),
    hold: (data, dims) => ({ id: 9, dims, data }),
    release: () => {},
    model: () => Promise.reject(new Error("no file")),
  };
  const photo = (height, width) => engine.hold(Uint8Array.from({ length: height * width * 3 }, (_, i) => 255 * random(i >> 3)), [height, width, 3]);
  return { engine, photo, mood, random };
}

/** `manifest`: the text of models.json. */
export async function work(pyodide, manifest) {
  const { engine, photo, mood, random } = pretended(manifest);
  const session = pyodide.pyimport("facelab.browser").Session(manifest);
  session.begin(engine, manifest);
  const embedded = [];
  for (const [height, width] of [[480, 640], [300, 200], [40, 40]]) {
    for (mood.shy of [true, false]) {
      const seen = photo(height, width);
      const { analysis, embedded: read } = await session.find(seen);
      const { faces } = JSON.parse(analysis);
      const known = faces[0] && JSON.stringify(faces[0]);
      await session.analyse(seen, known);
      if (read) embedded.push(read.embedding);
    }
  }
  const numbers = Float32Array.from({ length: 6 * 128 }, (_, i) => (random(i) - 0.5) / 4);
  const [a, b] = [numbers.subarray(0, 128), numbers.subarray(128, 256)];
  for (const poor of [true, false]) [session.compare(a, a, poor), session.compare(a, b, poor)];
  const rows = { rows: 6, numbers };
  const entries = JSON.stringify(["7b/Änn/1.jpg", "7b/Ben/autumn/2.jpg", "7b/Eve.jpg", "7b/.DS_Store", "7b/list.pdf"].map((path) => ({ path })));
  session.photos_among(entries);
  session.layout(entries, undefined, "");
  await session.look(photo(200, 300), 20);
  session.enrol(JSON.stringify(["Ann", "Ann", "Ben", "Ben", "Eve", "Eve"]), rows);
  for (const rule of ["template", "original"]) await tried(() => session.who(rows, rule));
  session.group(rows, JSON.stringify([1, 1, 2, 3, 4, 5]), undefined);
  const people = [{ name: "Änn", photos: [{ file: "1.jpg", embedding: [...a], chip: null }] }];
  session.read_gallery(session.write_gallery(JSON.stringify(people), "7b"));
  await tried(() => session.read_gallery("{}"));

  for (const name of ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "own"]) session.put(name, photo(240, 320));
  const labs = pyodide.runPython("import json, facelab.labs; json.dumps({name: dict(lab.settings) for name, lab in facelab.labs.LABS.items()})");
  for (const [kind, settings] of Object.entries(JSON.parse(labs))) await tried(() => session.lab(kind, JSON.stringify(settings)));
  for (const cell of [READERS, "1 / 0", "while", "from facelab.cells import *\nshow(pixels())", "import asyncio\nawait asyncio.sleep(0)"]) await session.run(cell);
}

/** A session asked for a few verdicts, and as it was after that: Python and NumPy have noted what they do when. */
export async function rehearse(session, manifest) {
  const { engine, photo } = pretended(manifest);
  session.begin(engine, manifest);
  for (let round = 0; round < ROUNDS; round++) {
    const found = [];
    for (const [height, width] of [[480, 640], [640, 512]]) {
      const answer = session.find(photo(height, width));
      found.push((await answer).embedded.embedding);
      answer.destroy();
    }
    for (const poor of [true, false]) session.compare(...found, poor);
  }
}

/** What fails on made-up faces, was done all the same. */
async function tried(job) {
  try {
    return await job();
  } catch (error) {
    if (error.name !== "PythonError") throw error;
  }
}

/** Python of every kind. */
export const READERS = `
import asyncio, collections, contextlib, dataclasses, enum, functools, gc, itertools, json, math, re, sys
import numpy as np

@dataclasses.dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0
    def __add__(self, other): return Point(self.x + other.x, self.y + other.y)
    @property
    def length(self): return math.hypot(self.x, self.y)

class Colour(enum.Enum):
    RED, GREEN = 1, 2

class Base:
    __slots__ = ("a",)
    def __init__(self, a): self.a = a
    def __getattr__(self, name): return name
    def __getitem__(self, key): return key
    def __len__(self): return 3
    def __contains__(self, other): return other == self.a
    def __call__(self, *args, **kwargs): return args, kwargs
    @classmethod
    def made(cls): return cls(1)
    @staticmethod
    def twice(x): return 2 * x

class Derived(Base):
    def __init__(self, a, *, b=2):
        super().__init__(a)
        self.b = b

@contextlib.contextmanager
def opened(name):
    try:
        yield name
    finally:
        pass

def counted(n):
    total = 0
    for i in range(n):
        got = yield i
        total += got or 0
    return total

def through(n):
    return (yield from counted(n))

async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i

class Later:
    async def __aenter__(self): return self
    async def __aexit__(self, *error): return False

def described(thing):
    match thing:
        case {"kind": str(kind), **rest}: return f"{kind!r:>10} {rest}"
        case [first, *_, last] if first != last: return f"{first}..{last}"
        case Point(x=0, y=y): return f"on the axis at {y:.3f}"
        case Colour.RED | None: return "red or nothing"
        case int() | float() as number: return f"{number:+,}"
        case _: return "?"

def fails(kind):
    try:
        if kind == 0: return 1 // 0
        if kind == 1: return {}["key"]
        if kind == 2: return [][3]
        if kind == 3: raise ValueError("no") from KeyError("why")
        if kind == 4: return None.name
        if kind == 5: return unknown
        if kind == 6: return int("x")
        if kind == 7: assert kind == 8, "eight"
        if kind == 8: return "a" + 1
        if kind == 9: raise ExceptionGroup("some", [ValueError(1), TypeError(2)])
    except* ValueError as group:
        total = len(group.exceptions)
    except* Exception as group:
        total = str(group)
    else:
        total = 0
    finally:
        kind = -1
    return total

def nested():
    count = 0
    def inner(step=1, *more, key=None, **others):
        nonlocal count
        count += step + len(more) + len(others)
        del more
        return count
    return [inner(), inner(2), inner(1, 2, 3, key=4, five=5), inner(*(1, 2), **{"key": 3})]

out = []
for thing in [{"kind": "a", "b": 1}, [1, 2, 3], Point(0, 2), Colour.RED, None, 1234567, 2.5, object]: out.append(described(thing))
for _ in range(40):
    out.append([fails(kind) for kind in range(11)])
    out.append(nested())
    out.append(sum(x * x for x in range(50) if x % 3))
    out.append({k: v for k, v in zip("abc", range(3))} | {"d": 4})
    out.append({x & 7 for x in range(30)} - {1} ^ {9})
    out.append([*range(3), *"ab"])
    out.append(sorted([3, 1, 2], key=lambda v: -v)[::-1][1:])
    out.append((Point(1, 2) + Point(3, 4)).length)
    d = Derived(3, b=4)
    d.b += 1
    out.append((d.a, d.b, d.none, d[1:2], len(d), 3 in d, 4 not in d, d(1, x=2), Derived.twice(4), d.made().b))
    with opened("x") as name, contextlib.suppress(KeyError): {}[name]
    out.append(list(through(4)))
    if (n := len(out)) > 3 and not n % 2 or n == 7: out.append(f"{n:05d} {n / 7:.2e} {'ab':^6}|")
    a, (b, *c) = 1, "xyz"
    a, b = b, a
    a, b, c = c, a, b
    x = [0] * 5; x[1] = 2; x[-1] += 3; x[1:3] = [9]; del x[0]
    out.append((2**70 % 97, -7 // 2, 7.5 % 2, 1 << 40 >> 3, ~5 & 6 | 1, 3 < 4 <= 4, 10**20 // 3, divmod(-9, 4), 5 @ np.eye(1) if False else 1.5 - 2))
    text = "x".join(str(i) for i in range(20)); text += "end"; out.append((text[3], text[-3:], "x" in text, text.split("x")[:2], b"ab"[0], text == text.upper()))
    for i, (p, q) in enumerate([(1, 2), (3, 4)]):
        if i: continue
        while p < q: p += 1
        else: out.append(p)
    out.append(np.arange(6.0).reshape(2, 3).T @ np.ones((2, 1)) > 3)
    out.append(json.loads(json.dumps({"a": [1, 2.5, None, True, "ü"]})))
    out.append(collections.Counter(re.findall(r"[a-z]+", "the cat the dog")).most_common(1))
    try:
        for i in itertools.count():
            if i > 3: raise StopIteration
    except StopIteration: pass
    except (TypeError, OSError) as error: out.append(error)
    try:
        try: 1 / 0
        finally: out.append("finally")
    except ZeroDivisionError as error: out.append(error.__traceback__.tb_lineno)
    it = iter((1, 2)); next(it); next(it); next(it, None)
    functools.reduce(lambda p, q: p * q, range(1, 6)); isinstance(3, int | str); type(3) is int; globals()["out"]; print(end="")

async def waited():
    async with Later() as later:
        out.append([i async for i in ticks(3)])
        async for i in ticks(2): out.append(i)
    return await asyncio.gather(*(asyncio.sleep(0, i) for i in range(3)))
out.append(await waited())

def deep(n): return deep(n + 1)
try: deep(0)
except RecursionError as error: out.append(str(error)[:30])
gen = counted(5); next(gen); gen.send(3)
try: gen.throw(ValueError("thrown"))
except ValueError: gen.close()
class Cycle: pass
one = Cycle(); one.self = one; del one; gc.collect()
lines = 0
def trace(frame, event, arg):
    global lines
    lines += 1
    return trace
sys.settrace(trace); described([1, 2]); fails(0); list(through(2)); sys.settrace(None)
out.append(lines)
print(out)
`;
