"""The preset that begins with a pretrained body: what it takes, keeps of photos, saves and exports."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data.novelty import NoveltyTest
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import FormatError, ShapeError
from pellucid.nn.conv import Conv2D
from pellucid.nn.pooling import Resize2D
from pellucid.nn.pretrained import features
from pellucid.nn.pretrained.feature_memory import MEMORY, FeatureMemory, remembered_features
from pellucid.nn.pretrained.pretrained import is_there
from pellucid.prediction.predicted import predict_samples

needs_weights = pytest.mark.skipif(not is_there(), reason="needs the package of weights, extra photos")
pytestmark = [pytest.mark.optional, needs_weights]
RULE = Preprocessing("divide", 255.0)


@pytest.fixture(scope="module")
def photos() -> pl.Dataset:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 80, (10, 24, 24, 3), dtype=np.uint8)
    X[5:, :, :, 0] += 150  # half of them are red
    return pl.Dataset(X, np.repeat([0, 1], 5), ("dark", "red"))


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many photos went through a body, pass by pass."""
    found: list[int] = []
    plain = features.first_layers

    def counting(model: Any, n: int) -> Any:
        body = plain(model, n)
        outputs = body._raw_outputs

        def count(X: Any, prepare: Any = None) -> Any:
            found.append(len(X))
            return outputs(X, prepare)

        body._raw_outputs = count  # type: ignore[method-assign]
        return body

    monkeypatch.setattr(features, "first_layers", counting)
    return found


@pytest.fixture(scope="module")
def trained(photos: pl.Dataset) -> pl.Model:
    return pl.train("pretrained", photos, progress=False).model


def test_a_last_layer_is_trained_and_nothing_else(trained: pl.Model, photos: pl.Dataset) -> None:
    assert trained.theta.size == 1281
    assert isinstance(trained.layers[0], Resize2D)
    assert trained.predict(photos.X).tolist() == photos.y.tolist()
    untouched = pl.preset("pretrained")
    untouched.initialize((24, 24, 3))
    for own, its in zip(trained._leaves()[:-1], untouched._leaves()[:-1], strict=True):
        for key in own.params:
            assert (own.params[key] == its.params[key]).all()


def test_each_photo_is_looked_at_once(photos: pl.Dataset, looked_at: list[int]) -> None:
    model = pl.train("pretrained", photos, progress=False).model
    assert looked_at == [10]
    P = model.predict_proba(photos.X)
    assert looked_at == [10]
    new = np.concatenate([photos.X[:3], photos.X[:1, ::-1]])
    assert (model.predict_proba(new)[:3] == P[:3]).all()
    assert looked_at == [10, 1]
    np.testing.assert_allclose(model(RULE.apply(photos.X[:2], np.float32))[:, 0], _logits(P[:2]), atol=1e-3)


def _logits(P: np.ndarray) -> np.ndarray:
    return np.log(P[:, 1] / P[:, 0])


def test_what_is_remembered(photos: pl.Dataset) -> None:
    memory, seen = FeatureMemory(), []

    def compute(X: Any) -> Any:
        seen.append(len(X))
        return X.reshape(len(X), -1)[:, :4].astype(np.float32)

    first = remembered_features(compute, photos.X, b"one body", memory=memory)
    again = remembered_features(compute, photos.X[::-1], b"one body", memory=memory)
    assert (first[::-1] == again).all()
    assert (first == compute(photos.X)).all()
    remembered_features(compute, photos.X[:2], b"another body", memory=memory)
    assert seen == [10, 10, 2]
    assert len(memory) == 12
    assert memory.n_bytes == 12 * 4 * 4
    first[...] = 0  # what a caller does with its features is nothing to the memory
    assert (remembered_features(compute, photos.X, b"one body", memory=memory) == again[::-1]).all()


def test_the_oldest_are_forgotten() -> None:
    memory = FeatureMemory(200_000)
    X = np.random.default_rng(0).integers(0, 256, (1000, 4, 4, 3), dtype=np.uint8)
    seen: list[int] = []

    def compute(X: Any) -> Any:
        seen.append(len(X))
        return np.ones((len(X), 1000), np.float32)

    assert remembered_features(compute, X, b"", memory=memory).shape == (1000, 1000)
    assert len(memory) == 50
    assert memory.n_bytes == 200_000
    del seen[:]
    remembered_features(compute, X[-50:-40], b"", memory=memory)  # used again
    remembered_features(compute, X[:32], b"", memory=memory)
    assert seen == [32]
    remembered_features(compute, X[-50:-40], b"", memory=memory)
    assert seen == [32]


def test_threads_remember_the_same() -> None:
    memory = FeatureMemory(40_000)  # so small that all throw each other's out
    X = np.random.default_rng(0).integers(0, 256, (200, 2, 2, 3), dtype=np.uint8)
    wanted = X.reshape(200, -1).astype(np.float32)

    def compute(X: Any) -> Any:
        return np.repeat(X.reshape(len(X), -1).astype(np.float32), 10, axis=1)

    def found(i: int) -> Any:
        order = np.random.default_rng(i).permutation(200)
        return [order, remembered_features(compute, X[order], b"", memory=memory)]

    with ThreadPoolExecutor(8) as pool:
        for order, features in pool.map(found, range(40)):
            np.testing.assert_array_equal(features[:, ::10], wanted[order])
    assert memory.n_bytes == len(memory) * 480 <= 40_000


def test_nothing_is_written(photos: pl.Dataset, tmp_path: Path) -> None:
    """Neither where the cache of features was nor elsewhere below the user's folder."""
    np.save(tmp_path / "x.npy", photos.X)
    code = "import numpy as np, pellucid as pl; X = np.load('x.npy'); "
    code += "pl.train('pretrained', (X, np.arange(10) // 5), progress=False).model.predict(X)"
    own = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    own |= {"PELLUCID_CACHE_DIR": str(tmp_path / "own"), "PELLUCID_KERNELS": "numpy"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=own, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


def test_one_that_is_trained_on_is_no_longer_what_it_was(
    trained: pl.Model, photos: pl.Dataset, tmp_path: Path
) -> None:
    trained.save(tmp_path / "model.safetensors")
    loaded = pl.load(tmp_path / "model.safetensors")
    assert loaded._n_body == len(loaded.layers) - 1
    few = photos.take(slice(3, 7))
    pl.unfreeze(loaded)
    pl.train(loaded, few, n_epochs=1, optimizer="sgd", learning_rate=1e-3, batch_size=4, progress=False)
    assert loaded._n_body == 0
    assert loaded.predict_proba(few.X).shape == (4, 2)


def test_grey_pictures_have_their_channel_three_times() -> None:
    grey, coloured = pl.preset("pretrained", n_outputs=3), pl.preset("pretrained", n_outputs=3)
    grey.initialize((16, 16, 1))
    coloured.initialize((16, 16, 3))
    assert isinstance(grey.layers[1], Conv2D)
    coloured.theta[...] = grey.theta
    X = np.random.default_rng(1).random((2, 16, 16, 1), dtype=np.float32)
    np.testing.assert_allclose(grey(X), coloured(X.repeat(3, axis=3)), atol=1e-5)


@every("shape", [(5,), (16, 16, 4), (16, 16)])
def test_other_samples_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="expected photos"):
        pl.preset("pretrained").initialize(shape)


def test_a_server_keeps_nothing_of_what_clients_send(
    trained: pl.Model, photos: pl.Dataset, tmp_path: Path
) -> None:
    from pellucid.server.models import load_models

    trained.save(tmp_path / "model.safetensors")
    (served,) = load_models([str(tmp_path / "model.safetensors")]).values()
    wanted = trained.predict_proba(photos.X[:2])
    MEMORY.clear()
    np.testing.assert_allclose(served.model.predict_proba(photos.X[:2]), wanted, atol=1e-5)
    assert not len(MEMORY)


def test_a_file_of_grey_photos_is_read_again(photos: pl.Dataset, tmp_path: Path) -> None:
    grey = pl.Dataset(photos.X[..., :1], photos.y, photos.classes)
    model = pl.train("pretrained", grey, progress=False).model
    model.save(tmp_path / "model.safetensors")
    again = pl.load(tmp_path / "model.safetensors")
    assert again._novelty is not None
    assert model._novelty is not None
    np.testing.assert_array_equal(again._novelty.looks, model._novelty.looks)


@pytest.fixture(scope="module")
def drawn() -> pl.Model:
    """The preset trained on 200 drawings of 32 x 32."""
    cats = pl.load_data("drawn-cats").train.take(slice(200))
    return pl.train("pretrained", (cats.X[:, ::2, ::2], cats.y), progress=False).model


@pytest.mark.slow
def test_a_prediction_says_what_is_unlike_the_training_photos(drawn: pl.Model, tmp_path: Path) -> None:
    cats = pl.load_data("drawn-cats").test.X[:3, ::2, ::2]
    black = np.zeros((1, 32, 32, 3), np.uint8)
    own = predict_samples(drawn, np.concatenate([cats, black]), ["a", "b", "c", "d"])
    assert [one.to_dict()["is_unlike"] for one in own] == [False, False, False, True]
    assert "Unlike the training photos (p = 0.005)." in own[3].in_words()
    assert own[0].in_words().endswith("%)")
    drawn.save(tmp_path / "model.safetensors")
    kept = pl.load(tmp_path / "model.safetensors")
    again = predict_samples(kept, cats, ["a", "b", "c"])
    assert [one.novelty for one in again] == [one.novelty for one in own[:3]]
    assert [one.probability for one in again] == pytest.approx([one.probability for one in own[:3]], abs=1e-5)
    kept._n_body, kept._novelty = 0, None  # as of a model without a body
    assert "is_unlike" not in predict_samples(kept, cats, ["a", "b", "c"])[0].to_dict()


@pytest.mark.slow
def test_what_a_file_keeps_of_photos_must_fit_its_body(drawn: pl.Model, tmp_path: Path) -> None:
    assert drawn._novelty is not None
    looks, kept = drawn._novelty.looks, drawn._novelty.features
    assert kept is not None
    for wrong in (
        NoveltyTest((32, 32, 3), looks[:, :3], kept),
        NoveltyTest((32, 32, 3), looks, kept[:, :9]),
        NoveltyTest((32, 32, 3), looks[:9], kept),
        NoveltyTest((32, 32, 3), looks, kept.astype(np.float32)),
    ):
        drawn._novelty = wrong
        drawn.save(tmp_path / "model.safetensors")
        with pytest.raises(FormatError, match="training photos"):
            pl.load(tmp_path / "model.safetensors")
    drawn._novelty = NoveltyTest((32, 32, 3), looks, kept)
