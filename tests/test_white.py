"""The value of white of floating-point and 32-bit grey pictures: one for a set, kept by its model for all doors."""

import pickle
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.data.input_spec import inputs_seen, seen_from_config, seen_to_config, white_seen
from pellucid.data.readers.picture_modes import White
from pellucid.data.source import DataSource
from pellucid.errors import DataError, PellucidError
from pellucid.estimators import ImageClassifier, image_paths
from pellucid.evaluation.saliency.scoring import read_photo
from pellucid.formats.script.export import export_script
from pellucid.runs.config import RunConfig
from pellucid.runs.photo import new_image
from pellucid.training.options import TrainingOptions
from pellucid.workflows.predict import predict
from tests.every import every

SIZE, N = 6, 5  # pixels a side; pictures of a class
# Of a set: the dtype, its largest value, that of its dark picture, and the value of white.
SETS: dict[str, tuple[Any, float, float, White]] = {
    "floats of 0 to 255": (np.float32, 255, 0.9, White(255, 0)),
    "floats of 0 to 1": (np.float32, 1, 0.01, White(1, 0)),
    "integers of 0 to 255": (np.int32, 255, 3, White(0, 255)),
    "integers of 0 to 65535": (np.int32, 65535, 200, White(0, 65535)),
}
FLOATS = SETS["floats of 0 to 255"]


def save(path: Path, values: Any, dtype: Any) -> Path:
    Image.fromarray(np.broadcast_to(np.asarray(values, dtype), (SIZE, SIZE)).copy()).save(path)
    return path


def folder_of(root: Path, dtype: Any, most: float, dark: float, _: White) -> Path:
    """Write two classes of grey TIFFs, with a dark one and a PNG among them."""
    rng = np.random.default_rng(0)
    for name in ("day", "night"):
        (root / name).mkdir(parents=True)
        for i in range(N):
            save(root / name / f"{i}.tif", most * rng.random((SIZE, SIZE)) ** (i / 2), dtype)
    save(root / "night" / "dark.tif", dark, dtype)
    save(root / "day" / "plain.png", 77, np.uint8)
    return root


@every("name", SETS)
def test_a_set_has_one_white(name: str, tmp_path: Path) -> None:
    dtype, _, _, white = SETS[name]
    root = folder_of(tmp_path / "sky", *SETS[name])
    data, on_disk = pl.load_data(root), pl.load_data(root, on_disk=True)
    pixels = {}
    for part, there in zip(data, on_disk, strict=True):
        np.testing.assert_array_equal(part.X, there.X[:])
        assert part.white == there.white == white
        pixels |= dict(zip(part.files, part.X, strict=True))
    for file, X in pixels.items():
        values = np.asarray(Image.open(root / file), np.float64)
        wanted = values if file.endswith("png") else np.rint(values * 255 / max(white[:2]))
        np.testing.assert_array_equal(X[..., 0], wanted, err_msg=file)
    kind = "floating-point" if dtype is np.float32 else "32-bit grey"
    assert f"{kind} pictures read as 0 to {max(white[:2]):g}" in data.notes
    paths, labels = image_paths(root)
    fitted = ImageClassifier("logistic", n_epochs=1, random_state=0).fit(paths, labels)
    assert white_seen(fitted.model_.inputs_seen) == white
    X = np.stack([pixels[Path(path).relative_to(root).as_posix()] for path in paths])
    again = ImageClassifier("logistic", n_epochs=1, random_state=0).fit(X, labels)
    np.testing.assert_array_equal(again.model_.theta, fitted.model_.theta)


def test_two_kinds_in_one_set_decide_apart(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "sky", *FLOATS)
    save(root / "day" / "deep-0.tif", 200, np.int32)
    save(root / "day" / "deep-1.tif", 60000, np.int32)
    save(root / "day" / "short.tif", 257, np.uint16)
    data = pl.load_data(root)
    found = {file: X[0, 0, 0] for part in data for file, X in zip(part.files, part.X, strict=True)}
    assert data.train.white == White(255, 65535)
    assert [found[f"day/{name}.tif"] for name in ("deep-0", "deep-1", "short")] == [1, 233, 1]
    assert found["night/dark.tif"] == 1
    for values in (300, -1, np.nan, np.inf):
        save(root / "day" / "wrong.tif", values, np.float32)
        with pytest.raises(
            DataError, match=r"wrong\.tif: expected floating-point grey values from 0 to \d+, got"
        ):
            pl.load_data(root)
    assert pl.load_data(root, skip_bad=True).train.white == White(255, 65535)


def test_every_door_reads_by_the_white_of_the_training(tmp_path: Path) -> None:
    root, file = folder_of(tmp_path / "sky", *FLOATS), tmp_path / "model.safetensors"
    fitted = ImageClassifier("logistic", n_epochs=3, random_state=0).fit(root)
    model, train = fitted.model_, pl.load_data(root).train
    dark, bright = root / "night" / "dark.tif", save(tmp_path / "bright.tif", 300, np.float32)
    pl.save(model, file)
    export_script(model, tmp_path / "script.py", samples=[dark])
    script = runpy.run_path(str(tmp_path / "script.py"))

    def of_run(path: Path) -> Any:
        config = RunConfig(DataSource(str(root)), "logistic", TrainingOptions(n_epochs=1), photo=str(path))
        name, content = new_image(config, train) or ("", b"")
        return read_photo(name, model, content)[1]

    def of_predict(path: Path) -> float:
        found = predict(pl.load(file), [path])
        if found.faults:
            raise DataError(found.faults[str(path)])
        return found.predictions[0].classes["night"]

    doors: dict[str, Callable[[Path], Any]] = {  # a picture's bytes, or the probability of the second class
        "predict": of_predict,
        "explain": lambda path: read_photo("explain", pl.load(file), path)[1],
        "run --photo": of_run,
        "script": lambda path: script["predict"](str(path))["classes"]["night"],
        "estimator": lambda path: fitted.predict_proba([path])[0, 1],
        "pickled": lambda path: pickle.loads(pickle.dumps(fitted)).predict_proba([path])[0, 1],
        "loaded": lambda path: ImageClassifier.load(file).predict_proba(str(path))[0, 1],
    }
    X = np.ones((1, SIZE, SIZE, 3), np.uint8)  # 0.9 of 255
    expected, words = model.predict_proba(X)[0, 1], "floating-point grey values from 0 to 255, got 300"
    for name, read in doors.items():
        found = read(dark)
        wanted = X[0] if isinstance(found, np.ndarray) else expected
        np.testing.assert_allclose(found, wanted, rtol=1e-5, err_msg=name)
        with pytest.raises((DataError, ValueError), match=words):
            read(bright)


@pytest.mark.optional
def test_the_server_reads_by_the_white_of_the_training(tmp_path: Path) -> None:
    for name in ("fastapi", "uvicorn", "python_multipart"):
        pytest.importorskip(name)
    from tests.server.serving import form, running

    root = folder_of(tmp_path / "sky", *FLOATS)
    fitted = ImageClassifier("logistic", n_epochs=3, random_state=0).fit(root)
    fitted.save(tmp_path / "sky.safetensors")
    content = (root / "night" / "dark.tif").read_bytes()
    with running({"sky": tmp_path / "sky.safetensors"}) as server:
        for body, kind in ((content, "image/tiff"), form(("image", "dark.tif", content))):
            (found,) = server.predict("sky", body, kind).json["predictions"]
            wanted = fitted.predict_proba([root / "night" / "dark.tif"])[0, 1]
            assert found["classes"]["night"] == pytest.approx(wanted, rel=1e-5)
        bright = save(tmp_path / "a.tif", 300, np.float32).read_bytes()
        error = server.predict("sky", bright, "image/tiff").json["error"]
        assert "image: expected floating-point grey values from 0 to 255, got 300" in error


@every(
    ("name", "values", "message"),
    [
        (
            "floats of 0 to 1",
            200,
            "floating-point grey values from 0 to 1 as in training, got 200.0 to 200.0",
        ),
        ("integers of 0 to 255", 300, "grey values from 0 to 255 as in training, got 300 to 300"),
    ],
)
def test_a_picture_that_contradicts_the_training_is_refused(
    name: str, values: float, message: str, tmp_path: Path
) -> None:
    fitted = ImageClassifier("logistic", n_epochs=1).fit(folder_of(tmp_path / "sky", *SETS[name]))
    photo = save(tmp_path / "bright.tif", values, SETS[name][0])
    for use in (lambda: fitted.predict([photo]), lambda: fitted.partial_fit([photo] * 2, ["day", "night"])):
        with pytest.raises(DataError, match=message):
            use()


def test_a_training_that_goes_on_keeps_the_white(tmp_path: Path) -> None:
    bright = pl.load_data(folder_of(tmp_path / "bright", *FLOATS)).train
    plain = pl.load_data(folder_of(tmp_path / "plain", *SETS["floats of 0 to 1"])).train
    model = pl.preset("logistic")
    for data in (bright, pl.load_data("drawn-cats").train.take(slice(4))):
        small = data if data is bright else pl.Dataset(data.X[:, :SIZE, :SIZE], data.y)
        pl.train(model, small, n_epochs=1)
        assert white_seen(model.inputs_seen) == White(255, 0)
    with pytest.raises(DataError, match=r"read as 0 to 255, these samples are .* read as 0 to 1"):
        pl.train(model, plain, n_epochs=1)
    parts = ImageClassifier("logistic", random_state=0)
    paths, labels = image_paths(tmp_path / "bright")
    parts.partial_fit(paths, labels, classes=["day", "night"]).partial_fit([paths[-1]], ["night"])
    assert white_seen(parts.model_.inputs_seen) == White(255, 0)


def test_other_data_are_read_by_the_white_of_the_model(tmp_path: Path) -> None:
    model = pl.preset("logistic")
    pl.train(model, pl.load_data(folder_of(tmp_path / "sky", *FLOATS)).train, n_epochs=1)
    for name in ("day", "night"):
        (tmp_path / "dark" / name).mkdir(parents=True)
        for i in range(4):
            save(tmp_path / "dark" / name / f"{i}.tif", 0.9, np.float32)
    source = DataSource(str(tmp_path / "dark"))
    assert source.load().train.X.max() == 229  # by their own
    read = source.load(white_seen(model.inputs_seen))
    assert (read.train.X.max(), read.train.white) == (1, White(255, 0))


def test_a_model_of_other_pictures_or_of_an_old_file_knows_no_white(tmp_path: Path) -> None:
    seen = inputs_seen(np.zeros((1, 4, 4, 3), np.uint8), None, White(255, 0))
    config = seen_to_config(seen)
    assert seen_from_config(config) == seen
    del config["white"]
    assert white_seen(seen_from_config(config)) == white_seen(None) == White()
    fitted = ImageClassifier("logistic", n_epochs=1).fit(np.zeros((4, SIZE, SIZE, 3), np.uint8), [0, 1, 0, 1])
    with pytest.raises(PellucidError, match=r"floating-point grey values from 0 to 1, got 9\.0 to 9\.0"):
        fitted.predict([save(tmp_path / "a.tif", 9, np.float32)])
    with pytest.raises(PellucidError, match="not clear"):
        fitted.predict([save(tmp_path / "b.tif", 9, np.int32)])
