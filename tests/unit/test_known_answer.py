"""The known answer: noted for each file of an embedder, the same on both sides, and asked before anything else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from facelab.errors import ModelError
from facelab.known_answer import TRANSFORM, is_known, known_picture
from facelab.native import NativeRuntime, models_folder
from facelab.runtime import finish

from ..conftest import ROOT

BUNDLE = """
const { rolldown } = await import(process.argv[1]);
await (await rolldown({ input: process.argv[2] })).write({ file: process.argv[3] });
"""
DRAWN = """
const { TRANSFORM, isKnown, knownPicture } = await import(process.argv[1]);
const { dims, data } = knownPicture();
const answers = [[1, 2], [1.0005, 2], [1.002, 2], [NaN, 2], [1]].map((embedding) => isKnown(embedding, [1, 2]));
console.log(JSON.stringify({ dims, answers, transform: TRANSFORM, pixels: Buffer.from(data).toString("hex") }));
"""


def test_page_draws_and_judges_alike(tmp_path: Path) -> None:
    script = tmp_path / "known-answer.mjs"
    source = ROOT / "demo" / "web" / "src" / "engine" / "compute" / "known-answer.ts"
    rolldown = (ROOT / "demo" / "web" / "node_modules" / "rolldown" / "dist" / "index.mjs").as_uri()
    node = ["node", "--input-type=module", "-e"]
    subprocess.run([*node, BUNDLE, rolldown, str(source), str(script)], check=True)
    done = subprocess.run([*node, DRAWN, script.as_uri()], check=True, capture_output=True, text=True)
    page = json.loads(done.stdout)
    picture = known_picture()
    assert page["dims"] == list(picture.shape)
    assert bytes.fromhex(page["pixels"]) == picture.tobytes()
    np.testing.assert_allclose(page["transform"], TRANSFORM.ravel(), atol=1e-7)
    ours = [is_known(np.array(answer), [1, 2]) for answer in ([1, 2], [1.0005, 2], [1.002, 2], [np.nan, 2], [1])]
    assert page["answers"] == ours == [True, True, False, False, False]


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("embedder", ["mobilefacenet-v1", "dlib-resnet-v1"])
def test_it_is_noted_for_each_file(embedder: str, compact: bool) -> None:
    runtime = NativeRuntime(models_folder(), compact=compact, embedder=embedder)
    stored = runtime.manifest.graphs["embedder"]
    known = (stored.compact if compact and stored.compact else stored).known
    assert known is not None
    answer = finish(runtime.run("embedder", runtime.photo(known_picture()), {"transforms": TRANSFORM[None]}))
    np.testing.assert_allclose(answer["embeddings"][0], known, atol=1e-4)


def test_embedder_that_answers_otherwise_is_not_used(models_with_another_answer: Path) -> None:
    runtime = NativeRuntime(models_with_another_answer)
    photo = runtime.photo(known_picture())
    for _ in range(2):
        with pytest.raises(ModelError, match="does not give here the answer that it gave where it was made"):
            finish(runtime.run("embedder", photo, {"transforms": TRANSFORM[None]}))


@pytest.fixture
def models_with_another_answer(tmp_path: Path) -> Path:
    """A folder whose manifest notes another one."""
    manifest = json.loads((models_folder() / "models.json").read_text())
    embedder = manifest["graphs"]["embedder"]
    embedder["known"][7] += 0.01
    (tmp_path / "models.json").write_text(json.dumps(manifest))
    (tmp_path / embedder["file"]).symlink_to(models_folder() / embedder["file"])
    return tmp_path
