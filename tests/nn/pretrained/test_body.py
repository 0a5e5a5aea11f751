"""The preset that begins with a pretrained body: what it takes, keeps of photos, saves and exports."""

import sqlite3
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
from pellucid.nn.pretrained import feature_cache, features
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
def trained(photos: pl.Dataset, tmp_path_factory: pytest.TempPathFactory) -> pl.Model:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PELLUCID_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
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


def test_what_the_cache_holds(photos: pl.Dataset) -> None:
    assert feature_cache.size_of_cache() is None
    seen: list[int] = []

    def compute(X: Any) -> Any:
        seen.append(len(X))
        return X.reshape(len(X), -1)[:, :4].astype(np.float32)

    first = feature_cache.cached_features(compute, photos.X, b"one body")
    again = feature_cache.cached_features(compute, photos.X[::-1], b"one body")
    assert (first[::-1] == again).all()
    assert (first == compute(photos.X)).all()
    feature_cache.cached_features(compute, photos.X[:2], b"another body")
    assert seen == [10, 10, 2]
    held = feature_cache.size_of_cache()
    assert held is not None
    assert held.n_photos == 12
    feature_cache.clear_cache()
    assert feature_cache.size_of_cache() is None
    assert not any(held.path.parent.iterdir())


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache, "MOST_BYTES", 200_000)
    X = np.random.default_rng(0).integers(0, 256, (1000, 4, 4, 3), dtype=np.uint8)
    feature_cache.cached_features(lambda X: np.ones((len(X), 1000), np.float32), X, b"")
    held = feature_cache.size_of_cache()
    assert held is not None
    assert 0 < held.n_photos < 100
    seen: list[int] = []

    def compute(X: Any) -> Any:
        seen.append(len(X))
        return np.ones((len(X), 1000), np.float32)

    feature_cache.cached_features(compute, X[-32:], b"")
    assert sum(seen) < 32  # the newest are there


@every("fault", ["damaged", "a folder", "locked", "read-only"])
def test_it_goes_on_without_a_cache(
    fault: str, monkeypatch: pytest.MonkeyPatch, photos: pl.Dataset, tmp_path: Path
) -> None:
    path = feature_cache.cache_path()
    path.parent.mkdir(exist_ok=True)
    locking = None
    if fault == "damaged":
        path.write_bytes(b"no database" * 1000)
    elif fault == "a folder":
        path.unlink(missing_ok=True)
        path.mkdir()
    elif fault == "locked":
        path = tmp_path / "other" / feature_cache.FILE
        path.parent.mkdir()
        monkeypatch.setenv("PELLUCID_CACHE_DIR", str(path.parent))
        monkeypatch.setattr(feature_cache, "PATIENCE", 0.1)
        locking = sqlite3.connect(path)
        locking.execute("BEGIN EXCLUSIVE")
    else:
        monkeypatch.setenv("PELLUCID_CACHE_DIR", "/proc/none")
    found = feature_cache.cached_features(lambda X: X[:, 0, 0].astype(np.float32), photos.X, b"")
    assert (found == photos.X[:, 0, 0]).all()
    if locking is not None:
        locking.close()


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
    trained: pl.Model, photos: pl.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pellucid.server.models import load_models

    trained.save(tmp_path / "model.safetensors")
    (served,) = load_models([str(tmp_path / "model.safetensors")]).values()
    wanted = trained.predict_proba(photos.X[:2])
    monkeypatch.setenv("PELLUCID_CACHE_DIR", str(tmp_path / "kept"))
    np.testing.assert_allclose(served.model.predict_proba(photos.X[:2]), wanted, atol=1e-5)
    assert not (tmp_path / "kept").exists()


def test_a_file_of_grey_photos_is_read_again(photos: pl.Dataset, tmp_path: Path) -> None:
    grey = pl.Dataset(photos.X[..., :1], photos.y, photos.classes)
    model = pl.train("pretrained", grey, progress=False).model
    model.save(tmp_path / "model.safetensors")
    again = pl.load(tmp_path / "model.safetensors")
    assert again._novelty is not None
    assert model._novelty is not None
    np.testing.assert_array_equal(again._novelty.looks, model._novelty.looks)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> pl.Model:
    """The preset trained on 200 drawings of 32 x 32."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PELLUCID_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
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
