"""ImageClassifier: whatever the photos come as, they are read in one way, one after another."""

import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from tests.estimators.images.conftest import FIVE, N, quick

import pellucid as pl
from pellucid.data.readers.images import read_image, resize_image
from pellucid.estimators import ImageClassifier, image_paths
from pellucid.estimators.image_reading import as_sources, read_sources
from pellucid.types import Array
from pellucid.workflows.predict import predict


def kinds_of(paths: Array) -> dict[str, Any]:
    pd = pytest.importorskip("pandas", reason="needs pandas")
    polars = pytest.importorskip("polars", reason="needs polars")
    images = np.stack([np.asarray(Image.open(path)) for path in paths])
    contents = [Path(path).read_bytes() for path in paths]
    return {
        "array of str": paths,
        "list of str": paths.tolist(),
        "tuple of Path": tuple(map(Path, paths)),
        "array of objects": np.array([Path(path) for path in paths], dtype=object),
        "column": paths[:, np.newaxis],
        "series": pd.Series(paths, index=range(100, 100 + len(paths))),
        "frame of one column": pd.DataFrame({"file": paths}),
        "polars": polars.Series(paths),
        "polars frame": polars.DataFrame({"file": paths}),
        "bytes": contents,
        "array of bytes": np.array(contents, dtype=object),
        "bytearrays": [bytearray(content) for content in contents],
        "uint8": images,
        "int64": images.astype(np.int64),
        "floats": images / 255,
        "float32": (images / 255).astype(np.float32),
        "list of arrays": list(images),
        "nested lists": images.tolist(),
        "a mixture": [paths[0], contents[1], *images[2:]],
    }


def test_every_kind_of_input_gives_the_same(fitted: ImageClassifier, listed: Any) -> None:
    wanted = fitted.predict_proba(listed[0])
    for kind, X in kinds_of(listed[0]).items():
        np.testing.assert_array_equal(fitted.predict_proba(X), wanted, err_msg=kind)
        again = clone(fitted).set_params(n_epochs=2).fit(X, list(listed[1]))
        by_paths = clone(again).fit(*listed).predict_proba(X)
        np.testing.assert_array_equal(again.predict_proba(X), by_paths, err_msg=kind)


def test_a_folder(fitted: ImageClassifier, folder: Path, listed: Any) -> None:
    paths, labels = listed
    assert paths[0] == str(folder / "day" / "00.png")
    assert labels.tolist() == ["day"] * N + ["night"] * N
    for given in (folder, str(folder)):
        for ask in FIVE:
            np.testing.assert_array_equal(getattr(fitted, ask)(given), getattr(fitted, ask)(paths))
        assert fitted.score(given) == fitted.score(given, labels) == fitted.score(*listed) > 0.9
    by_list = clone(fitted).fit(*listed)
    np.testing.assert_array_equal(by_list.predict_proba(folder), fitted.predict_proba(folder))
    weights = np.r_[np.ones(N), np.zeros(N)]
    assert fitted.score(folder, sample_weight=weights) == fitted.score(paths[:N], labels[:N])
    renamed = quick(n_epochs=1).fit(folder, np.arange(2 * N) % 3)  # labels given go before names
    assert renamed.classes_.tolist() == [0, 1, 2]


def test_images_alone_in_a_folder(fitted: ImageClassifier, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "day", tmp_path / "new")
    (tmp_path / "new" / "notes.txt").write_text("not an image")
    paths, labels = image_paths(tmp_path / "new")
    assert labels is None
    np.testing.assert_array_equal(fitted.predict(tmp_path / "new"), fitted.predict(paths))
    assert len(paths) == N
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        quick().fit(tmp_path / "new")
    with pytest.raises(ValueError, match="requires y to be passed"):
        fitted.score(tmp_path / "new")


def test_one_image_is_a_list_of_one(fitted: ImageClassifier, listed: Any) -> None:
    path = listed[0][0]
    for X in (path, str(path), Path(path), Path(path).read_bytes(), bytearray(Path(path).read_bytes())):
        assert fitted.predict(X).tolist() == ["day"]
        np.testing.assert_array_equal(fitted.predict_proba(X), fitted.predict_proba([path]))


def test_reading_is_upright_rgb_and_resized_as_the_command_reads(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png")
    files = [tmp_path / name for name in ("turned.png", "grey.png")]
    images = read_sources(files, (10, 12, 3)).images
    np.testing.assert_array_equal(images[0], resize_image(np.rot90(pixels, -1).copy(), 10, 12))
    np.testing.assert_array_equal(images[1], resize_image(read_image(files[1]), 10, 12))
    fitted = quick(n_epochs=2, image_size=(10, 12)).fit(files, [0, 1])
    for probabilities, file in zip(fitted.predict_proba(files), files, strict=True):
        (one,) = predict(fitted.model_, [file]).predictions  # what the command does
        np.testing.assert_allclose(list(one.classes.values()), probabilities, rtol=1e-5)


def test_image_size(tmp_path: Path, listed: Any) -> None:
    def shape(X: Any, **options: Any) -> tuple[int, ...]:
        fitted: ImageClassifier = quick(n_epochs=1, **options).fit(X, [0, 1])
        wanted: tuple[int, ...] = fitted.model_.input_shape
        assert fitted.sample_shape_ == wanted
        return wanted

    small, other, large = (tmp_path / f"{height}.png" for height in (30, 40, 300))
    for file in (small, other, large):
        Image.new("RGB", (20, int(file.stem))).save(file)
    arrays = [np.zeros((9, 8, 3)), np.zeros((9, 8))]
    assert shape([small, small]) == (30, 20, 3)
    assert shape([small, other]) == shape([large, large]) == (64, 64, 3)
    assert shape([large, large], image_size=(5, 9)) == (5, 9, 3)
    assert shape([large, large], image_size=7) == (7, 7, 3)
    assert shape(arrays) == (9, 8, 3)
    assert shape(arrays, image_size=[5, 4]) == (5, 4, 3)


def test_grey_and_float_arrays() -> None:
    grey = np.linspace(0, 1, 20 * 6 * 6).reshape(20, 6, 6, 1)
    images = read_sources(as_sources(grey), (6, 6, 3)).images
    np.testing.assert_array_equal(images, np.repeat(np.rint(grey * 255), 3, axis=3))
    np.testing.assert_array_equal(read_sources(list(grey[..., 0]), (6, 6, 3)).images, images)
    one_channel = pl.Sequential([pl.Flatten(), pl.Dense(1)])
    one_channel.initialize((6, 6, 1))
    fitted = ImageClassifier(one_channel, n_epochs=1).fit(grey, np.arange(20) % 2)
    assert fitted.sample_shape_ == (6, 6, 1)
    assert fitted.predict(grey).shape == (20,)


def peak_of(work: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_originals_are_not_held(tmp_path: Path) -> None:
    side, files = 1200, [tmp_path / f"{i}.jpg" for i in range(6)]
    for i, file in enumerate(files):
        Image.new("RGB", (side, side), (40 * i, 0, 0)).save(file)
    one = side * side * 3
    fitted = quick(image_size=8, n_epochs=1)
    assert peak_of(lambda: fitted.fit(files, np.arange(6) % 2)) < 2.5 * one
    assert peak_of(lambda: fitted.predict(files)) < 2.5 * one
