"""ImageClassifier: what is refused or left out, and in which words."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from tests.estimators.images.conftest import N, quick

from pellucid.errors import DataError, OptionError
from pellucid.estimators import ImageClassifier, image_paths


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    """The folder, with a cut-off file and one that is none among the days."""
    root = tmp_path / "broken"
    shutil.copytree(folder, root)
    content = (root / "day" / "03.png").read_bytes()
    (root / "day" / "03.png").write_bytes(content[:60])
    (root / "day" / "05.png").write_text("not an image")
    return root


def test_an_unreadable_image_is_named(broken: Path, fitted: ImageClassifier, listed: Any) -> None:
    with pytest.raises(DataError) as caught:
        quick().fit(broken)
    message, named = str(caught.value), f"{broken}/day/03.png, {broken}/day/05.png"
    assert "\n" not in message
    assert message.startswith(f"2 of 24 images cannot be read: {named}. The first: ")
    assert 'pass on_error="skip" to leave such images out' in message
    bad = str(broken / "day" / "05.png")
    for ask in (fitted.predict, fitted.predict_proba, fitted.transform, fitted.decision_function):
        with pytest.raises(DataError, match=r"05\.png: not in an image format that can be read"):
            ask([listed[0][0], bad])
        with pytest.raises(DataError, match=r"05\.png"):
            ask(bad)
    with pytest.raises(
        DataError, match=r"image 1 \(counted from 0\): the bytes given: not in an image format"
    ):
        fitted.predict([Path(listed[0][0]).read_bytes(), b"not an image"])
    with pytest.raises(DataError, match=r"no-such\.jpg: expected an image, found no such file"):
        fitted.predict("no-such.jpg")
    with pytest.raises(DataError, match="found a folder"):
        fitted.predict([broken / "day"])


def test_skipping_leaves_out_and_warns(broken: Path, fitted: ImageClassifier) -> None:
    paths, labels = image_paths(broken)
    weights = np.linspace(0.1, 2, 2 * N)
    is_good = ~np.isin(np.arange(2 * N), [3, 5])
    skipping = quick(on_error="skip", model="logistic")
    words = "left out 2 of 24 images that cannot be read: .*03.png, .*05.png"
    with pytest.warns(UserWarning, match=words) as told:
        skipping.fit(paths, labels, weights)
    assert len(told) == 1
    assert told[0].filename == __file__
    assert labels is not None
    good = quick(model="logistic").fit(paths[is_good], labels[is_good], weights[is_good])
    np.testing.assert_array_equal(skipping.model_.theta, good.model_.theta)
    with pytest.warns(UserWarning, match="left out 2"):
        by_folder = clone(skipping).fit(broken)
    assert by_folder.t_ == 22 * by_folder.n_iter_
    with pytest.warns(UserWarning, match="left out 2"):
        clone(skipping).fit(paths[is_good], labels[is_good], validation_data=(paths, labels, weights))
    with pytest.raises(DataError, match="2 of 24 images cannot be read"):
        skipping.predict(broken)  # an answer for each image, or none


def test_skipping_never_loses_a_class(folder: Path, tmp_path: Path) -> None:
    paths = [*image_paths(folder)[0][:4], tmp_path / "gone.png", tmp_path / "lost.png"]
    with pytest.raises(DataError, match="no image of class 'c' can be read"):
        quick(on_error="skip").fit(paths, ["a", "a", "b", "b", "c", "c"])
    with pytest.raises(DataError, match="no image can be read"):
        quick(on_error="skip").fit(paths[4:], np.eye(2, dtype=int))
    with pytest.warns(UserWarning, match="left out 2 of 6"):  # a part may lack a class
        quick(on_error="skip").partial_fit(paths, list("aabbcc"), classes=list("abc"))


def refused(X: Any, y: Any, match: str, error: type[Exception] = DataError, **options: Any) -> None:
    with pytest.raises(error, match=match) as caught:
        quick(**options).fit(X, y)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value) or error is ValueError


def test_bad_input(listed: Any, tmp_path: Path) -> None:
    paths, labels = listed
    refused(paths, labels[:-1], "inconsistent numbers of samples: \\[24, 23\\]", ValueError)
    refused([], [], "y", ValueError)
    refused([], ["a"], "found no images")
    refused(np.empty((0, 8, 8, 3), np.uint8), ["a"], "found no images")
    refused(paths, ["day"] * 2 * N, "expected images of at least two classes, but every label is 'day'")
    refused(paths, None, "requires y to be passed", ValueError)
    refused(paths, np.linspace(0, 1, 2 * N), "Unknown label type", ValueError)
    refused(np.zeros((5, 100)), np.arange(5), "got an array of shape \\(5, 100\\)")
    refused(np.zeros((5, 8, 8)), np.arange(5), r"Give X\[None\] for one image, X\[..., None\] for grey ones")
    refused(np.zeros((5, 8, 8, 4)), np.arange(5), r"expected an image of shape .* got \(8, 8, 4\)")
    refused(np.full((2, 8, 8, 3), 99.0), [0, 1], "floats from 0 to 1, got float64 from 99.0 to 99.0")
    refused(np.full((2, 8, 8, 3), np.nan), [0, 1], "floats from 0 to 1, got float64 from nan")
    refused(np.full((2, 8, 8, 3), -1), [0, 1], "whole numbers from 0 to 255")
    refused(np.array([b"abc", b"de"]), [0, 1], "from which NumPy drops zeros at the end")
    refused(5, [0, 1], "expected a list of paths, a folder, bytes, or images")
    refused([3, 4], [0, 1], "expected a path, bytes or an array, got int")
    refused(paths, labels, "unknown|expected a preset", OptionError, model="cn")
    refused(paths, labels, "image size: expected two whole numbers from 1", OptionError, image_size=(4, 0))
    refused(paths, labels, "The 'image_size' parameter", ValueError, image_size=0)
    refused(paths, labels, "The 'n_threads' parameter", ValueError, n_threads=0)
    refused(paths, labels, "The 'on_error' parameter", ValueError, on_error="ignore")
    refused("no-such-folder", None, "no-such-folder: expected a folder of images, found none")
    with pytest.raises(ValueError, match=r"sample_weight\.shape|inconsistent"):
        quick().fit(paths, labels, np.ones(3))
    with pytest.raises(DataError, match="expected a folder of images, found none of that name"):
        image_paths(tmp_path / "none")


def test_a_folder_of_two_parts_is_refused_with_the_one_to_fit_on(folder: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        shutil.copytree(folder, tmp_path / "parts" / part)
    refused(tmp_path / "parts", None, "Fit on .*parts/train and score on .*parts/test")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", None, "expected at least two sub-folders, one per class, found none")
    fitted = quick(n_epochs=30).fit(tmp_path / "parts" / "train")
    assert fitted.score(tmp_path / "parts" / "test") > 0.9


def test_wrong_options_are_told_before_photos_are_read(listed: Any, monkeypatch: Any) -> None:
    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("it read photos")

    monkeypatch.setattr("pellucid.estimators.image.read_sources", read)
    for options in ({"model": "cn"}, {"image_size": (1, 2, 3)}, {"n_epochs": 0}, {"callbacks": [3]}):
        with pytest.raises(ValueError, match=r"expected|must be"):
            quick(**options).fit(*listed)
    for y in (listed[1][:3], ["a"] * 2 * N):
        with pytest.raises(ValueError, match=r"inconsistent|two classes"):
            quick().fit(listed[0], y)


def test_going_on_with_another_size_is_refused(listed: Any) -> None:
    warm = quick(warm_start=True).fit(*listed)
    with pytest.raises(OptionError, match=r"image_size: .* are for 8 × 6 pixels, got 9\. Set it back"):
        warm.set_params(image_size=9).fit(*listed)
