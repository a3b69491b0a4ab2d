"""facelab inside the page: a runtime on top of the worker's onnxruntime-web, and the session that answers the page.

This is the only module that knows JavaScript. Pixels stay on the JavaScript side: Python holds a handle to a photo, {id, dims,
data}, and sees only boxes, scores and embeddings.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from js import Object  # the page's globals
from numpy.typing import NDArray
from pyodide.ffi import JsProxy, jsnull, to_js

from .cells import Notebook
from .cluster import cluster, usual_limit
from .cohort import Cohort, read_cohort
from .coverings import is_covered
from .detect import Face, detect_faces, overlaps
from .embed import embed_faces, embed_kept_chip, fault_of
from .embedder_file import read_embedder
from .enrol import look_at, unfit
from .errors import InputError, ModelError
from .gallery import Enrolled, read_gallery, write_gallery
from .models import Embedder, parse_manifest
from .quality import measure_quality, refuse_made_up
from .register import Register, Rule
from .runtime import Answer, Photo
from .upright import upright_largest
from .verify import compare, in_words
from .workspace import Workspace, set_workspace

_json = partial(json.dumps, allow_nan=False)  # JSON has no NaN, and JavaScript would refuse it


class Loan:
    """A photo that the engine keeps for Python. The engine releases it when Python no longer refers to it."""

    def __init__(self, engine: JsProxy, handle: JsProxy) -> None:
        self.handle = handle
        self._engine = engine

    def __del__(self) -> None:
        self._engine.release(self.handle)


class PageRuntime:
    """A Runtime whose graphs run in the worker.

    engine: the worker's side of it, with these functions. `run(graph, photo, input, dims, type, data)` promises the outputs of a
    graph, each {dims, type, data}. `run_pyramid(photo, sizes)` promises the outputs at each level. `run_with(embedder, [[photo,
    dims, transforms], ...])` promises those of another embedder. `hold(pixels, dims)` returns the handle of a new photo, and
    `release(photo)` frees it. `model(file, sha256)` promises the bytes of a file beside the manifest.

    engine_seconds: the total time spent waiting for the engine.
    """

    engine: JsProxy
    engine_seconds = 0.0

    def __init__(self, manifest: str) -> None:
        self.manifest = parse_manifest(manifest)
        self.cohort: Cohort | None = None
        self._cohorts: dict[str, Cohort] = {}

    async def load_cohort(self, embedder: Embedder | None = None) -> Cohort:
        """See Runtime.load_cohort. The file is fetched on the first call."""
        embedder = embedder or self.manifest.embedder
        entry = embedder.cohort
        if entry is None:
            raise ModelError(f"The embedder {embedder.name} has no cohort on this site.")
        if entry.sha256 not in self._cohorts:
            data = await self.engine.model(entry.file, entry.sha256)
            self._cohorts[entry.sha256] = read_cohort(bytes(data.to_py()), entry)
        return self._cohorts[entry.sha256]

    async def run(self, graph: str, photo: Photo, inputs: Mapping[str, NDArray[Any]]) -> Answer:
        """See Runtime.run."""
        started = perf_counter()
        ((name, array),) = inputs.items()
        flat = array.ravel()
        data = to_js(flat.tolist() if array.dtype == np.int64 else flat)  # an array of int64 would become BigInts in JavaScript
        outputs = await self.engine.run(graph, _handle(photo), name, to_js(array.shape), array.dtype.name, data)
        self.engine_seconds += perf_counter() - started
        return _answer(outputs.to_py())

    async def run_with(self, embedder: str, jobs: Sequence[tuple[Photo, NDArray[np.float32]]]) -> list[Answer]:
        """See Runtime.run_with. The page fetches the other network, runs it, and returns to its own network afterwards."""
        asked = [[_handle(photo), to_js(transforms.shape), to_js(transforms.ravel())] for photo, transforms in jobs]
        answers = await self.engine.run_with(embedder, to_js(asked))
        return [_answer(outputs) for outputs in answers.to_py()]

    async def run_pyramid(self, photo: Photo, sizes: Sequence[tuple[int, int]]) -> list[Answer]:
        """See Runtime.run_pyramid."""
        started = perf_counter()
        answers = await self.engine.run_pyramid(_handle(photo), to_js(sizes))
        self.engine_seconds += perf_counter() - started
        return [_answer(outputs) for outputs in answers.to_py()]

    def photo(self, pixels: NDArray[np.uint8]) -> Photo:
        """See Runtime.photo."""
        return self.adopt(self.engine.hold(to_js(np.ascontiguousarray(pixels).ravel()), to_js(list(pixels.shape))))

    def pixels(self, photo: Photo) -> NDArray[np.uint8]:
        """See Runtime.pixels. Raises AttributeError for a level of a pyramid: only the engine has its pixels."""
        return np.asarray(_handle(photo).data.to_py()).reshape(photo.height, photo.width, 3)

    def adopt(self, handle: JsProxy) -> Photo:
        """A photo that belongs to Python: it is released when Python no longer needs it."""
        return Photo(Loan(self.engine, handle), *handle.dims.to_py()[:2])


def _answer(outputs: Mapping[str, Mapping[str, Any]]) -> Answer:
    return {name: np.asarray(output["data"]).reshape(output["dims"]) for name, output in outputs.items()}


def _handle(photo: Photo) -> JsProxy:
    return photo.pixels.handle if isinstance(photo.pixels, Loan) else photo.pixels


def _of_the_page(handle: JsProxy) -> Photo:
    """A photo that belongs to the page: the page keeps it for as long as it shows it."""
    return Photo(handle, *handle.dims.to_py()[:2])


class Session:
    """Everything that the page can ask for. Most answers are JSON, so that no Python object has to be freed by JavaScript.

    The build creates the session and stores it in the memory snapshot that the page starts from
    (demo/optimise/snapshot/python.mjs). The page then calls `begin` before anything else.
    """

    def __init__(self, manifest: str) -> None:
        self._text = manifest
        self._runtime = PageRuntime(manifest)
        self._listed = self._runtime.manifest
        self._offered: tuple[Embedder, Cohort | None] = self._listed.embedder, None
        self._workspace = Workspace(self._runtime, {})
        self._notebook = Notebook()
        self._enrolled_with = self._runtime.manifest.embedder
        self._register = Register([], np.empty((0, 0), np.float32), None, self._enrolled_with.calibration.good)
        set_workspace(self._workspace)

    def begin(self, engine: JsProxy, manifest: str) -> None:
        """Connects the session to the page's engine (see PageRuntime).

        manifest: the manifest as the page has it now. It may list embedders that were unknown when the snapshot was made.

        All readers start from the same snapshot, so everything that must differ from visit to visit is renewed here: the random
        number generators are seeded. If numpy.random is imported later, it seeds itself. `os.urandom` and everything built on it
        (uuid, secrets, names of temporary files) ask the browser each time, as clocks do. The seed for hashes of strings stays the
        same in every visit. That is safe, because a page with a single reader has no attacker who could make hashes collide.
        """
        random.seed()
        if numpy_random := sys.modules.get("numpy.random"):
            numpy_random.seed()
        self._runtime.engine = engine
        if manifest != self._text:
            self._runtime.manifest = self._listed = parse_manifest(manifest)

    async def find(self, handle: JsProxy) -> JsProxy:
        """The largest face of a photo, chosen and embedded: {analysis, embedded}. Without a face, `embedded` is undefined.

        The field `complete` of the analysis says whether its faces are all that the photo has.
        """
        started = perf_counter()
        photo = _of_the_page(handle)
        faces, complete = await upright_largest(self._runtime, photo)
        analysis = _analysis(photo, faces, 0 if faces else None, started, complete)
        embedded = await self._embedded(photo, faces[0]) if faces else None
        return to_js({"analysis": analysis, "embedded": embedded}, dict_converter=Object.fromEntries)

    async def analyse(self, handle: JsProxy, known: str | None = None) -> str:
        """All faces of a photo in its present orientation, the largest first.

        known: the face that `find` returned; it stays the chosen one. Without it, the largest face is chosen.
        """
        started = perf_counter()
        photo = _of_the_page(handle)
        faces, chosen = await detect_faces(self._runtime, photo), 0
        if known:
            kept = _face(known)
            shared = overlaps(kept.box[None], np.array([face.box for face in faces]).reshape(-1, 4))[0]
            chosen = int(shared.argmax())
        return _analysis(photo, faces, chosen if faces else None, started, complete=True)

    # Changing the embedder takes two steps: it is offered first, which may fail, and used only after that succeeded.

    def offer_file(self, file: JsProxy) -> str:
        """Reads an embedder from its file and describes it: {name, dimensions, chip_size, measured, normalised}.

        Raises InputError.
        """
        return self._offer(read_embedder(bytes(file.to_py())), None)

    async def offer_listed(self, name: str, normalise: bool) -> str:
        """Describes an embedder of the manifest, as `offer_file` does. Raises ModelError.

        normalise: whether distances corrected by its cohort are to decide.
        """
        embedder = self._listed.choosing(name).embedder
        if not normalise:
            return self._offer(embedder, None)
        return self._offer(embedder.normalised(), await self._runtime.load_cohort(embedder))

    def use_offered(self) -> None:
        """Uses the embedder offered last, from the next face on."""
        embedder, self._runtime.cohort = self._offered
        self._runtime.manifest = replace(self._listed, embedder=embedder)

    def _offer(self, embedder: Embedder, cohort: Cohort | None) -> str:
        self._offered = embedder, cohort
        told = {"name": embedder.name, "dimensions": embedder.dimensions, "chip_size": embedder.chip_size}
        return _json({**told, "measured": embedder.measured is not None, "normalised": cohort is not None})

    async def embed(self, handle: JsProxy, face: str) -> JsProxy:
        """The embedding of a face that `analyse` returned: {chip, chip_size, embedding, poor, milliseconds}. Raises PhotoError."""
        return to_js(await self._embedded(_of_the_page(handle), _face(face)), dict_converter=Object.fromEntries)

    async def reread(self, handle: JsProxy, kept_for: str) -> JsProxy:
        """The embedding, by the present embedder, of a chip that was cut for the embedder `kept_for`. Raises ModelError."""
        kept = self._listed.choosing(kept_for).embedder
        return to_js(await embed_kept_chip(self._runtime, _of_the_page(handle), kept))

    async def _embedded(self, photo: Photo, face: Face) -> dict[str, Any]:
        started, waited = perf_counter(), self._runtime.engine_seconds
        (embedded,) = await embed_faces(self._runtime, photo, [face])
        embedding_seconds = self._runtime.engine_seconds - waited
        refuse_made_up(embedded, self._runtime.manifest.embedder)
        return {
            "chip": embedded.chip.ravel(),
            "chip_size": embedded.chip.shape[0],
            "embedding": embedded.embedding,
            "poor": list(measure_quality(embedded, self._runtime.manifest.embedder).complaints),
            "milliseconds": {
                "align": _milliseconds(perf_counter() - started - embedding_seconds),
                "embed": _milliseconds(embedding_seconds),
            },
        }

    def compare(self, a: JsProxy, b: JsProxy, poor: bool) -> str:
        """The decision on two embeddings, with a sentence. poor: whether one of the two faces is hard to see."""
        runtime, embedder = self._runtime, self._runtime.manifest.embedder
        first, second = (_checked(np.asarray(one.to_py(), np.float32), embedder) for one in (a, b))
        decision = compare(first, second, embedder, runtime.cohort, poor)
        return _json({**decision.as_json(), "words": in_words(decision)})

    # The functions below serve the roll call and the album.

    def photos_among(self, entries: str) -> str:
        """The photos among files and folders (JSON, as layout.Entry), and what is left out: layout.Sifted."""
        from .layout import Entry, sift  # imported here because the demo's start does without it

        return json.dumps(asdict(sift([Entry(**entry) for entry in json.loads(entries)])))

    def layout(self, entries: str, people_at: int | None, called: str) -> str:
        """Whose the photos among files and folders are: see layout.read_layout."""
        from .layout import Entry, read_layout

        return json.dumps(read_layout([Entry(**entry) for entry in json.loads(entries)], people_at, called).as_json())

    async def look(self, handle: JsProxy, smallest: float) -> JsProxy:
        """Every face of a photo, the largest first: {faces: [{face, chip, chip_size, embedding, poor}], evened, unfit}.

        smallest: the side of the smallest face to look for, in pixels. unfit: why this photo should not enrol anybody, or null.
        """
        seen = await look_at(self._runtime, _of_the_page(handle), smallest)
        poor = [measure_quality(one, self._runtime.manifest.embedder).complaints for one in seen.faces]
        faces = [
            {
                "face": one.face.as_json(),
                "chip": one.chip.ravel(),
                "chip_size": one.chip.shape[0],
                "embedding": one.embedding,
                "poor": list(complaints),
            }
            for one, complaints in zip(seen.faces, poor, strict=True)
        ]
        reason = unfit([one.face.area for one in seen.faces], poor[0] if poor else ())
        return to_js({"faces": faces, "evened": seen.evened, "unfit": reason or jsnull}, dict_converter=Object.fromEntries)

    def enrol(self, keys: str, embeddings: JsProxy) -> str:
        """Sets the class that `who` compares with, and describes it (see Register.told).

        keys: the key of the person on each photo (JSON). embeddings: those of the photos, one after another.
        """
        whose = json.loads(keys)
        embedder = self._enrolled_with = self._runtime.manifest.embedder
        self._register = Register(whose, _rows(embeddings, embedder), self._runtime.cohort, embedder.calibration.good)
        return _json(self._register.told())

    def who(self, embeddings: JsProxy, rule: Rule) -> str:
        """Names the faces of a photo (see Register.who). A covered face is never sure."""
        faces = _rows(embeddings, self._enrolled_with)
        told = self._register.who(faces, rule)
        for one, face in zip(told, faces, strict=True):
            if one["answer"] == "sure" and is_covered(face, self._enrolled_with):
                one["answer"] = "unsure"
        return _json(told)

    def group(self, embeddings: JsProxy, photos: str, limit: float | None) -> str:
        """Faces sorted by person: a list of lists of their indices.

        photos: the photo of each face (JSON). limit: the distance up to which groups are joined; None means the usual one.
        """
        embedder = self._runtime.manifest.embedder
        chosen = usual_limit(embedder) if limit is None else limit
        return _json(cluster(_rows(embeddings, embedder), self._runtime.cohort, chosen, json.loads(photos)))

    def scale(self) -> str:
        """The distances at which answers change, for faces that are seen well: {same_below, different_from, group_limit}.

        Raises ModelError.
        """
        embedder = self._runtime.manifest.embedder
        return _json({**asdict(embedder.calibration.good), "group_limit": usual_limit(embedder)})

    def write_gallery(self, people: str, name: str) -> str:
        """The text of a gallery's file from [{name, photos: [{file, embedding, chip}]}] (JSON). Raises InputError.

        name: the class's name.
        """
        embedder = self._runtime.manifest.embedder
        told = {
            person["name"]: [
                Enrolled(p["file"], _checked(np.array(p["embedding"], np.float32), embedder), p["chip"]) for p in person["photos"]
            ]
            for person in json.loads(people)
        }
        return write_gallery(told, embedder.name, name)

    def read_gallery(self, text: str) -> str:
        """The content of a gallery's file: {embedder, people, name, remarks}. Raises InputError (see gallery.read_gallery)."""
        file = read_gallery(text, self._listed)
        people = [
            {
                "name": name,
                "photos": [{"file": p.file, "embedding": p.embedding.tolist(), "chip": p.chip} for p in photos],
            }
            for name, photos in file.people.items()
        ]
        return _json({"embedder": file.embedder, "people": people, "name": file.name, "remarks": file.remarks})

    # The functions below serve the chapters: labs and code cells work on the photos that lie on the workspace.

    def put(self, name: str, handle: JsProxy) -> None:
        """Puts a photo on the workspace."""
        self._workspace.put(name, self._runtime.adopt(handle))

    def remove(self, name: str) -> None:
        """Takes a photo off the workspace."""
        self._workspace.remove(name)

    async def lab(self, kind: str, settings: str) -> JsProxy:
        """The panels with which a lab answers its settings (JSON): plain objects, with pixels as arrays."""
        from .labs import LABS  # imported here because the demo's start does without it

        panels = await LABS[kind].answer(self._workspace, json.loads(settings))
        return _handed_over([asdict(panel) for panel in panels])

    async def run(self, source: str) -> JsProxy:
        """Runs a code cell and returns its outcome: cells.Outcome as a plain object."""
        outcome = await self._notebook.run(source)
        shown = [
            {"pixels": picture.pixels, "faces": [face.as_json() for face in picture.faces], "caption": picture.caption}
            for picture in outcome.shown
        ]
        return _handed_over({"text": outcome.text, "shown": shown, "error": outcome.error, "line": outcome.line})


session: Session  # set by the build when it makes the snapshot


def _face(text: str) -> Face:
    """Reads a face as `find` or `analyse` wrote it."""
    known = json.loads(text)
    return Face(np.array(known["box"]), known["score"], np.array(known["landmarks"]), known.get("turned", 0))


def _analysis(photo: Photo, faces: Sequence[Face], chosen: int | None, started: float, complete: bool) -> str:
    return _json(
        {
            "photo": {"width": photo.width, "height": photo.height},
            "faces": [face.as_json() for face in faces],
            "chosen": chosen,
            "complete": complete,
            "milliseconds": {"detect": _milliseconds(perf_counter() - started)},
        }
    )


def _rows(embeddings: JsProxy, embedder: Embedder) -> NDArray[np.float32]:
    """An array [N, D] from {rows, numbers}. Raises InputError where the embedder cannot have made these numbers."""
    plain = np.asarray(embeddings.numbers.to_py(), np.float32)
    return _checked(plain.reshape(embeddings.rows, -1), embedder) if embeddings.rows else plain.reshape(0, 0)


def _checked(embeddings: NDArray[np.float32], embedder: Embedder) -> NDArray[np.float32]:
    if fault := fault_of(embeddings, embedder.dimensions):
        raise InputError(f"A face cannot be compared with {embedder.name}: it has {fault}. Choose its photo again.")
    return embeddings


def _handed_over(value: object) -> JsProxy:
    """Converts values to plain JavaScript objects; each array of pixels becomes {height, width, rgb}."""
    return to_js(_plainly(value), dict_converter=Object.fromEntries)


def _plainly(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim in (2, 3):
        rgb = value if value.ndim == 3 else np.repeat(value[:, :, None], 3, axis=2)
        return {"height": rgb.shape[0], "width": rgb.shape[1], "rgb": np.ascontiguousarray(rgb).ravel()}
    if value is None:
        return jsnull  # a bare None would become undefined
    if isinstance(value, np.ndarray | np.generic):
        return _plainly(value.tolist())
    if isinstance(value, Mapping):
        return {key: _plainly(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plainly(inner) for inner in value]
    return value


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
