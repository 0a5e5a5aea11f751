"""How photos of another shape get that of a sample, as Pillow does it: kept by the model for every door."""

import io
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

import pellucid as pl
from pellucid.data.readers.images import image_to_input, read_sample
from pellucid.data.readers.picture_modes import FITS, White
from pellucid.data.source import DataSource
from pellucid.errors import DataError
from pellucid.estimators import ImageClassifier, image_paths
from pellucid.evaluation.saliency.scoring import read_photo
from pellucid.formats.onnx.export import export_onnx
from pellucid.formats.script.export import export_script
from pellucid.runs.build import plan
from pellucid.runs.config import RunConfig
from pellucid.runs.data import source_for
from pellucid.types import Array
from pellucid.workflows.predict import predict
from tests.commands import Command
from tests.every import every

RNG = np.random.default_rng(0)
BY_PILLOW: dict[str, Callable[..., Image.Image]] = {
    "squeeze": lambda image, size: image.resize(size),
    "crop": ImageOps.fit,
    "pad": ImageOps.pad,
}
SHAPE = (16, 12, 3)


def photo(height: int, width: int) -> Array:
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def wanted(image: Array, fit: str, shape: tuple[int, ...] = SHAPE) -> Array:
    return np.asarray(BY_PILLOW[fit](Image.fromarray(image), shape[1::-1]))


def folder_of(root: Path) -> Path:
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for i in range(5):
            Image.fromarray(photo(20 + i, 41 - 7 * i)).save(root / name / f"{i}.png")
    return root


@every("fit", FITS)
def test_every_reader_does_what_pillow_does(fit: str, tmp_path: Path) -> None:
    for size in ((31, 20), (9, 31), (63, 17), (16, 12), (32, 24), (3, 40), (40, 7)):
        image, file = photo(*size), io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        for shape in (SHAPE, (8, 8, 3), (5, 60, 3)):
            sample = read_sample(file.getvalue(), shape, White(fit=fit))
            np.testing.assert_array_equal(sample, wanted(image, fit, shape), err_msg=f"{size} {shape}")
            np.testing.assert_array_equal(image_to_input(image, shape, fit), sample)
    root = folder_of(tmp_path / "pets")
    here, there = (
        pl.load_data(root, image_size=SHAPE[:2], fit=fit, on_disk=on_disk) for on_disk in (False, True)
    )
    for part, stored in zip(here, there, strict=True):
        assert part.files is not None
        for file, X, same in zip(part.files, part.X, stored.X[:], strict=True):
            np.testing.assert_array_equal(X, wanted(np.asarray(Image.open(root / file)), fit), err_msg=file)
            np.testing.assert_array_equal(X, same)
    done = {"squeeze": "squeezed", "crop": "cropped", "pad": "padded"}[fit]
    assert any(note.startswith(f"images {done} to 16 × 12 (they were of 5 sizes)") for note in here.notes)


@every("fit", FITS)
def test_every_door_reads_as_the_training_did(fit: str, pellucid: Command, tmp_path: Path) -> None:
    root, run = folder_of(tmp_path / "pets"), tmp_path / "run"
    pellucid.ok(f"train {root} --model logistic --epochs 3 --image-size 16x12 --fit {fit} --out {run}")
    pellucid.ok(f"train {root} --resume --epochs 4 --out {run}")
    assert RunConfig.from_toml((run / "config.toml").read_text()).source.fit == fit
    model, image, new = pl.load(run), photo(30, 50), tmp_path / "new.png"
    Image.fromarray(image).save(new)
    seen = wanted(image, fit)
    expected = model.predict_proba(seen[None])[0, 1]
    export_script(model, tmp_path / "script.py", samples=[new])
    script = runpy.run_path(str(tmp_path / "script.py"))
    paths, labels = image_paths(root)
    fitted = ImageClassifier("logistic", image_size=SHAPE[:2], image_fit=fit, n_epochs=3, random_state=1)
    fitted.fit(paths, labels)
    again = ImageClassifier.load(run / "model.safetensors")
    doors: dict[str, float] = {
        "predict": predict(model, [new]).predictions[0].classes["dog"],
        "script": script["predict"](str(new))["classes"]["dog"],
        "script, pixels": script["predict"](image)["classes"]["dog"],
        "loaded": again.predict_proba([new])[0, 1],
        "loaded, pixels": again.predict_proba([image])[0, 1],
    }
    for name, found in doors.items():
        assert found == pytest.approx(expected, rel=1e-5), name
    own = fitted.model_.predict_proba(seen[None])[0, 1]
    assert fitted.predict_proba([new])[0, 1] == pytest.approx(own, rel=1e-5)
    for source in (new, image):
        shown, sample = read_photo("explain", model, source)
        np.testing.assert_array_equal(sample, seen)
        sides = {"squeeze": (30, 50), "crop": (30, 22), "pad": (67, 50)}[fit]
        assert shown.shape == (*sides, 3)
    assert source_for(model, DataSource(str(root))).fit == fit
    assert plan("auto", DataSource(str(root)), start=run, n_epochs=1).config.source.fit == fit


def test_onnx_keeps_it(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    model = pl.preset("logistic")
    data = pl.load_data(folder_of(tmp_path / "pets"), image_size=SHAPE[:2], fit="crop")
    pl.train(model, data, n_epochs=1, progress=False)
    export_onnx(model, tmp_path / "a.onnx")
    assert pl.import_onnx(tmp_path / "a.onnx").inputs_seen.fit == "crop"
    other = pl.load_data(tmp_path / "pets", image_size=SHAPE[:2], fit="pad")
    with pytest.raises(
        DataError, match="with photos fitted by 'crop', these samples are photos fitted by 'pad'"
    ):
        pl.train(model, other, n_epochs=1, progress=False)


@pytest.mark.optional
def test_the_server_reads_as_the_training_did(tmp_path: Path) -> None:
    for name in ("fastapi", "uvicorn", "python_multipart"):
        pytest.importorskip(name)
    from tests.server.serving import running

    fitted = ImageClassifier("logistic", image_size=SHAPE[:2], image_fit="pad", n_epochs=2, random_state=0)
    fitted.fit(folder_of(tmp_path / "pets")).save(tmp_path / "pets.safetensors")
    image, file = photo(30, 50), io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    with running({"pets": tmp_path / "pets.safetensors"}) as server:
        (found,) = server.predict("pets", file.getvalue(), "image/png").json["predictions"]
    expected: Any = fitted.model_.predict_proba(wanted(image, "pad")[None])[0, 1]
    assert found["classes"]["dog"] == pytest.approx(expected, rel=1e-5)
