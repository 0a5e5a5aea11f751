"""ImageClassifier: models in files, for the command, for load, and to train further."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command
from tests.estimators.images.conftest import FIVE, HEIGHT, WIDTH, N, quick
from tests.every import every

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import DataError, FormatError, OptionError
from pellucid.estimators import ImageClassifier, NetworkClassifier
from pellucid.estimators.image_reading import read_sources


def test_the_command_predicts_with_a_saved_model(
    fitted: ImageClassifier, listed: Any, folder: Path, tmp_path: Path, pellucid: Command
) -> None:
    file = tmp_path / "sky.safetensors"
    fitted.save(file)
    paths = [listed[0][0], listed[0][-1]]
    done = pellucid("predict", file, *paths, "--json")
    assert done.code == 0, done.err
    P = fitted.predict_proba(paths)
    for found, row in zip(json.loads(done.out)["predictions"], P.tolist(), strict=True):
        assert list(found["classes"]) == fitted.classes_.tolist()
        assert list(found["classes"].values()) == pytest.approx(row, rel=1e-5)
        assert found["label"] == fitted.classes_[np.argmax(row)]
    assert pellucid("evaluate", file, folder, "--json").code == 0
    pl.save(fitted.model_, tmp_path / "same.safetensors")
    assert (tmp_path / "same.safetensors").read_bytes() == file.read_bytes()
    images = read_sources(paths, fitted.sample_shape_).images
    np.testing.assert_array_equal(pl.load(file).predict_proba(images), P)


@every(
    ("n_classes", "options"),
    [
        (2, {}),
        (3, {"loss": "hinge"}),
        (2, {"loss": {"type": "focal", "gamma": 1.5}}),
        (3, {"label_smoothing": 0.1}),
    ],
)
def test_load(n_classes: int, options: Any, listed: Any, tmp_path: Path) -> None:
    names = np.array(["ant", "bee", "cow"])[np.arange(2 * N) % n_classes]
    saved = quick(**options).fit(listed[0], names)
    saved.save(tmp_path / "m.safetensors")
    loaded = ImageClassifier.load(tmp_path / "m.safetensors")
    asks = [ask for ask in FIVE if hasattr(saved, ask)]
    assert asks == [ask for ask in FIVE if hasattr(loaded, ask)]
    for ask in asks:
        np.testing.assert_array_equal(getattr(loaded, ask)(listed[0]), getattr(saved, ask)(listed[0]))
    assert loaded.out_activation_ == saved.out_activation_
    assert loaded.score(listed[0], names) == saved.score(listed[0], names)
    before = loaded.model_.theta.copy()
    trained = pickle.loads(pickle.dumps(loaded)).partial_fit(listed[0], names)
    assert not np.array_equal(trained.model_.theta, before)
    warm = loaded.set_params(n_epochs=2).fit(listed[0], names)
    assert warm.n_iter_ == 2
    assert not np.array_equal(warm.model_.theta, before)


def test_load_several_labels(listed: Any, tmp_path: Path) -> None:
    Y = np.random.default_rng(0).integers(0, 2, (2 * N, 3))
    saved = quick().fit(listed[0], Y)
    saved.save(tmp_path / "m.safetensors")
    loaded = ImageClassifier.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.predict(listed[0]), saved.predict(listed[0]))
    assert loaded.partial_fit(listed[0], Y).score(listed[0], Y) >= 0


def test_load_refuses_other_models(tmp_path: Path) -> None:
    X, y = np.random.default_rng(0).standard_normal((20, 4)), np.arange(20) % 2
    pl.save(NetworkClassifier(n_epochs=1).fit(X, y).model_, tmp_path / "table.safetensors")
    with pytest.raises(DataError, match="expected a classifier of images, got a model of \\(4,\\)"):
        ImageClassifier.load(tmp_path / "table.safetensors")
    with pytest.raises(FormatError, match="there is no such model file"):
        ImageClassifier.load(tmp_path / "none.safetensors")


def test_a_trained_model_is_trained_further(fitted: ImageClassifier, listed: Any, tmp_path: Path) -> None:
    before = fitted.model_.theta.copy()
    tuned = quick(model=fitted.model_, n_epochs=1, learning_rate=1e-9)
    tuned.fit([np.zeros((50, 40, 3)), np.ones((9, 9, 3))], ["night", "day"])
    assert tuned.sample_shape_ == (HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(tuned.predict_proba(listed[0]), fitted.predict_proba(listed[0]), atol=0.05)
    np.testing.assert_array_equal(fitted.model_.theta, before)
    with pytest.raises(OptionError, match=r"is trained on images of 8 × 6, got 16\. Leave it out"):
        quick(model=fitted.model_, image_size=16).fit(*listed)
    floats = copy.deepcopy(fitted.model_)
    floats.preprocessing = Preprocessing()
    with pytest.raises(OptionError, match="trained on prepared numbers"):
        quick(model=floats).fit(*listed)


def test_a_toml_file(listed: Any, tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text('[[layers]]\ntype = "Flatten"\n[[layers]]\ntype = "Dense"\nunits = 1\n')
    assert quick(model=path).fit(*listed).transform(listed[0]).shape == (2 * N, HEIGHT * WIDTH * 3)
