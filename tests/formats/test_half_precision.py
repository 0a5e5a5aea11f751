"""Weights in float16: which arrays, how far they move what a file gives, and what is refused."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command, assert_refused
from tests.every import every
from tests.formats.networks import NETWORKS, shaken

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError, PellucidError
from pellucid.formats.half_precision import dtype_of, moved, rounded, stored
from pellucid.formats.html import trial
from pellucid.formats.html.network import page_of
from pellucid.formats.script.write import write_script
from pellucid.types import map_arrays

ENDINGS: dict[str, Any] = {"onnx": pl.export_onnx, "py": pl.export_script, "html": pl.export_html}


@pytest.fixture(autouse=True)
def _no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "find_browser", lambda: None)


def photos(dtype: str = "float32") -> pl.Model:
    model = pl.preset("cnn-small", 3)
    model.initialize((12, 12, 3), dtype=dtype)
    model.preprocessing = Preprocessing("divide", 255.0)
    return model


def test_matrices_within_the_range_are_halved() -> None:
    W = np.array([[1.0, -65504.0], [1e-9, 0.0]])
    assert stored(W, "float32").dtype == np.float32
    assert stored(W, "float16").tolist() == [[1.0, -65504.0], [0.0, 0.0]]
    kept = [W[0], W[:, :1], W * 2, W * 1e-10, W.reshape(4, 1, 1)]
    assert [stored(array, "float16").dtype for array in kept] == [np.float32] * 5
    assert stored(W.reshape(1, 2, 2), "float16").dtype == stored(0 * W, "float16").dtype == np.float16


@every("name", NETWORKS)
def test_a_copy_has_the_weights_of_the_file(name: str) -> None:
    make, shape = NETWORKS[name]
    model = shaken(make(), shape)
    twin, made = rounded(model, "float16"), dict[str, Any](__name__="predict")
    exec(write_script(twin, is_inside=True, dtype="float16").text, made)
    exact = write_script(model, is_inside=False).beside
    for key, array in made["W"].items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, stored(exact[key], "float16").astype(np.float32), err_msg=key)
    X = map_arrays(lambda shape: np.random.default_rng(0).random((3, *shape), np.float32), model.input_shape)
    moved(model, twin, X)


@every("ending", ENDINGS)
def test_each_kind_of_file_is_smaller_and_gives_nearly_the_same(ending: str, tmp_path: Path) -> None:
    if ending == "onnx" and not importlib.util.find_spec("onnx"):
        return
    for dtype in ("float32", "float64"):
        model, sizes = photos(dtype), []
        for stored_as in ("float32", "float16"):
            found = ENDINGS[ending](model, tmp_path / f"a.{ending}", dtype=stored_as, overwrite=True)
            sizes.append((tmp_path / f"a.{ending}").stat().st_size)
            assert found is None or found <= (1e-5 if stored_as == "float32" else 2e-3)
        n_halved = sum(W.size for leaf in model._leaves() for W in leaf.params.values() if W.ndim > 1)
        assert sizes[0] - sizes[1] > 1.5 * n_halved


def test_what_onnx_has_in_halves_is_read_again(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = photos()
    pl.export_onnx(model, tmp_path / "a.onnx", dtype="float16")
    kinds = {each.data_type for each in onnx.load(tmp_path / "a.onnx").graph.initializer}
    assert kinds == {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16}
    X = np.random.default_rng(0).integers(0, 256, (4, 12, 12, 3), np.uint8)
    again, twin = pl.import_onnx(tmp_path / "a.onnx"), rounded(model, "float16")
    np.testing.assert_allclose(again.predict_proba(X), twin.predict_proba(X), atol=1e-5)


def test_arrays_out_of_range_are_named_and_kept(tmp_path: Path) -> None:
    model = shaken(pl.Sequential([pl.Dense(4), pl.Dense(2)]), (3,))
    model._leaves()[0].params["W"][0, 0] = 1e5
    with pytest.warns(UserWarning, match=r"dense_1\.W stays float32"):
        assert pl.export_script(model, tmp_path / "a.py", dtype="float16") < 1e-3
    with pytest.warns(UserWarning, match="stays"):
        twin = rounded(model, "float16")
    twin.input_shape = (1, 1, 3)
    assert [size for size, _ in page_of(twin, "float16").network["stored"]] == [4, 4, 2, 4]


def test_what_moves_too_far_is_not_written(tmp_path: Path) -> None:
    model = shaken(pl.Sequential([pl.Dense(2), pl.Dense(2)]), (2,))
    for layer, W, b in zip(model._leaves(), (1, [[2049, 0], [-2048, 0]]), (0, [5, 0]), strict=True):
        layer.params["W"][...], layer.params["b"][...] = W, b  # float16 makes 2048 of 2049
    with pytest.raises(PellucidError, match=r"raw outputs move by .* choose dtype float32"):
        pl.export_script(model, tmp_path / "a.py", dtype="float16")
    assert not list(tmp_path.iterdir())


def test_another_class_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    model = shaken(pl.Sequential([pl.Dense(3)]), (4,))
    X = np.random.default_rng(0).random((5, 4), np.float32)
    twin = rounded(model, "float16")
    assert 0 < moved(model, twin, X) < 1e-3
    monkeypatch.setattr("pellucid.formats.half_precision.MOST", 1e9)
    twin._leaves()[0].params["W"][:, :2] = twin._leaves()[0].params["W"][:, 1::-1]
    with pytest.raises(PellucidError, match="samples get another class"):
        moved(model, twin, X)


def test_the_default_follows_the_body() -> None:
    model = photos()
    assert [dtype_of(model, None, "", is_page=is_page) for is_page in (True, False)] == ["float32"] * 2
    model._summary_of_training["body"] = {"name": "one"}
    assert [dtype_of(model, None, "", is_page=is_page) for is_page in (True, False)] == ["float16", "float32"]
    with pytest.raises(OptionError, match="unknown dtype 'float8'"):
        dtype_of(model, "float8", "export_html")


def test_the_command(pellucid: Command, tmp_path: Path) -> None:
    pl.save(photos(), tmp_path / "model.safetensors")
    done = pellucid.ok("export . --to script --dtype float16 --weights beside")
    assert "float16" in done.err
    assert "predict.npz" in done.err
    told = json.loads(pellucid.ok("export . --to script --weights beside --overwrite --json").out)
    assert (told["dtype"], told["weights"]) == ("float32", "predict.npz")
    assert told["bytes_of_weights"] == Path("predict.npz").stat().st_size
    assert_refused(pellucid("export . --to html --dtype float8"), "float8", "float16")
