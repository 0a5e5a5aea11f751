"""The data check: it finds what was planted, and nothing in data that are as they should be."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scripts.drawn_cats.draw import draw
from tests.every import every

from pellucid.checks.check import DataReport, check_data
from pellucid.data.built_in import load_drawn_cats
from pellucid.data.copies.duplicates import leaked_test_rows, near_duplicates
from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import load_data
from pellucid.errors import DataError, ShapeError
from pellucid.types import Array


def as_jpeg(image: Array, quality: int = 60) -> Array:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def resized(image: Array, side: int = 40) -> Array:
    return np.asarray(Image.fromarray(image).resize((side, side)).resize(image.shape[1::-1]))


def brightened(image: Array, factor: float = 1.4) -> Array:
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(image)).enhance(factor))


CHANGES = (as_jpeg, resized, brightened, lambda image: as_jpeg(brightened(resized(image)), 75))


@pytest.fixture
def cats() -> Split:
    return load_drawn_cats()


@pytest.fixture(scope="module")
def drawings() -> Array:
    return draw(400, seed=21).X


def test_the_built_in_drawings_are_in_order(cats: Split) -> None:
    report = check_data(cats)
    assert report.findings == ()
    assert report.leaks == ()


def test_digits_raise_no_false_alarm() -> None:
    """The hard case: thousands of pictures that are alike by nature, of 64 pixels each."""
    report = check_data(load_data("digits"))
    assert report.findings == ()
    assert any("inherently similar" in note for note in report.notes)


def test_the_published_photos_have_one_leak_and_no_other_copy(published_dir: Path) -> None:
    report = check_data(load_data("catvnoncat"))
    result = report.to_dict()
    assert result["leaks"] == [{"test": 17, "train": 146, "kind": "exact"}]
    assert [finding.kind for finding in report.findings] == ["leak", "prior_shift"]
    majority, best = result["baseline"]["train_majority"], result["baseline"]["best_constant"]
    found = [(each["class"], each["n_correct"]) for each in (majority, best)]
    assert found == [("non-cat", 17), ("cat", 33)]
    assert best["interval"] == pytest.approx([0.5215, 0.7756], abs=1e-4)
    assert result["classes"]["train"] == {"non-cat": 137, "cat": 72}


@pytest.mark.slow
def test_changed_copies_are_found_and_nothing_else(drawings: Array) -> None:
    rows = np.arange(0, 400, 8)
    copies = np.stack([CHANGES[i % 4](drawings[row]) for i, row in enumerate(rows)])
    found = {pair[:2] for pair in near_duplicates(np.concatenate([drawings, copies]))}
    planted = {(int(row), 400 + i) for i, row in enumerate(rows)}
    assert len(found & planted) >= 48  # of 50
    assert not found - planted


def test_changed_copies_of_photos_are_found(published_dir: Path) -> None:
    photos = load_data("catvnoncat").train.X[:120]
    copies = np.stack([CHANGES[i % 4](photo) for i, photo in enumerate(photos)])
    found = {pair[:2] for pair in near_duplicates(np.concatenate([photos, copies]))}
    planted = {(i, 120 + i) for i in range(120)}
    assert len(found & planted) >= 117
    assert not found - planted


@every("change", CHANGES[:3])
@every("kind", ["grey", "floats", "standardized", "small"])
def test_pictures_of_other_kinds(drawings: Array, change: object, kind: str) -> None:
    assert callable(change)
    X = np.concatenate([drawings[:80], np.stack([change(image) for image in drawings[:6]])])
    if kind == "grey":
        X = X.mean(axis=3).astype(np.uint8)
    elif kind == "floats":
        X = (X / 255).astype(np.float32)
    elif kind == "standardized":
        X = (X - 120.0) / 60.0
    else:
        X = X[:, ::2, ::2]
    found = {pair[:2] for pair in near_duplicates(X)}
    planted = {(i, 80 + i) for i in range(6)}
    assert len(found & planted) >= 5
    assert not found - planted


def test_what_is_not_found_is_as_the_docs_say(drawings: Array) -> None:
    X = drawings[:20]
    for others in (np.rot90(X, axes=(1, 2)), 255 - X):
        pairs = near_duplicates(np.concatenate([X, others]))
        assert not [pair for pair in pairs if pair.second - pair.first == len(X)]


def test_near_duplicates_tell_exact_from_near(drawings: Array) -> None:
    X = np.concatenate([drawings[:10], drawings[3:4], brightened(drawings[5])[None], drawings[3:4]])
    assert [pair[:3] for pair in near_duplicates(X)] == [(3, 10, "exact"), (3, 12, "exact"), (5, 11, "near")]
    assert all(0.87 <= pair.similarity < 1 for pair in near_duplicates(X) if pair.kind == "near")
    assert near_duplicates(drawings[:0]) == []
    with pytest.raises(ShapeError, match=r"expected pictures of shape .*got \(5, 12\)"):
        near_duplicates(np.zeros((5, 12)))


def test_many_copies_of_one_picture(drawings: Array) -> None:
    brighter = np.stack([brightened(drawings[0], 1 + 0.05 * i) for i in range(1, 6)])
    X = np.concatenate([drawings[:40], brighter, np.repeat(drawings[1:2], 30, axis=0)])
    split = Split(Dataset(X, np.zeros(75, np.int64)), Dataset(drawings[40:60], np.zeros(20, np.int64)))
    report = check_data(split)
    (near,) = report.of_kind("near_duplicate")
    assert {sample.index for sample in near.samples} == {0, 40, 41, 42, 43, 44}
    (exact,) = report.of_kind("duplicate")
    assert exact.n_samples == 31
    assert len(exact.samples) == 10
    assert "is there 31 times" in exact.found


def test_leaks_exact_and_near(cats: Split) -> None:
    cats.test.X[3] = cats.train.X[100]
    cats.test.X[9] = as_jpeg(cats.train.X[50])
    cats.train.X[60] = cats.train.X[50]  # both copies of it are named
    report = check_data(cats)
    assert report.leaks == ((3, 100, "exact"), (9, 50, "near"), (9, 60, "near"))
    np.testing.assert_array_equal(leaked_test_rows(cats.train, cats.test), [3, 9])
    first = report.of_kind("leak")[0]
    assert [(sample.part, sample.index) for sample in first.samples] == [("test", 3), ("train", 100)]


def test_rows_and_pictures_say_how_copies_were_changed(cats: Split) -> None:
    cats.test.X[3] = cats.train.X[100][:, ::-1]
    cats.train.X[60] = np.repeat(cats.train.X[50].mean(axis=2, keepdims=True), 3, axis=2)
    report = check_data(cats)
    assert report.leaks == ((3, 100, "mirrored"),)
    assert "is a mirrored copy of train 100" in report.to_rows()[0]["first"]
    assert [finding.how for finding in report.of_kind("near_duplicate")] == ["recoloured"]
    drawn = [text.get_text() for axes in report.pages()[0].axes for text in axes.texts]
    assert "1, mirrored" in drawn
    assert "1, recoloured" in drawn
    assert "exact, near, mirrored, cropped and recoloured copies" in str(report)


def test_of_one_test_sample_exact_copies_are_named_first(cats: Split) -> None:
    cats.train.X[10], cats.train.X[60] = as_jpeg(cats.test.X[2]), cats.test.X[2]
    assert check_data(cats).leaks == ((2, 60, "exact"), (2, 10, "near"))


def test_copies_blown_out_to_white_are_found(cats: Split) -> None:
    """Where much is clipped, edges are gone: brightness and clipping have to be undone before comparing."""
    X = np.concatenate([cats.train.X, cats.test.X])
    blown = np.stack([np.clip(image.astype(int) + 90, 0, 255).astype(np.uint8) for image in X])
    found = {pair[:2] for pair in near_duplicates(np.concatenate([X, blown]))}
    planted = {(i, len(X) + i) for i in range(len(X))}
    assert len(found & planted) >= 240  # of 259, of whose pixels 30 % are clipped
    assert not found - planted


def test_one_picture_under_two_labels(cats: Split) -> None:
    row, other = int(np.flatnonzero(cats.train.y == 0)[0]), int(np.flatnonzero(cats.train.y == 1)[0])
    cats.train.X[other] = brightened(cats.train.X[row])
    same = int(np.flatnonzero(cats.train.y == 0)[5])
    cats.train.X[same] = cats.train.X[int(np.flatnonzero(cats.train.y == 0)[6])]  # a copy, but no conflict
    (conflict,) = check_data(cats).of_kind("conflict")
    assert {sample.index for sample in conflict.samples} == {row, other}
    assert [sample.label for sample in conflict.samples] == ["non-cat", "cat"]


def test_a_conflict_across_the_parts(cats: Split) -> None:
    row, other = int(np.flatnonzero(cats.train.y == 0)[0]), int(np.flatnonzero(cats.test.y == 1)[0])
    cats.test.X[other] = cats.train.X[row]
    report = check_data(cats)
    assert [finding.kind for finding in report.findings] == ["leak", "conflict"]
    assert {(s.part, s.index) for s in report.findings[1].samples} == {("train", row), ("test", other)}


def test_an_empty_picture_is_found(cats: Split) -> None:
    cats.train.X[7] = 200
    (finding,) = check_data(cats).findings
    assert [(finding.kind, s.part, s.index) for s in finding.samples] == [("constant", "train", 7)]
    assert "grey level 200 of 255" in finding.found


def test_a_report_shows_itself(cats: Split) -> None:
    cats.test.X[3] = cats.train.X[100]
    report = check_data(cats)
    assert report.to_rows()[0]["kind"] == "leak"
    assert report.to_rows()[0]["n_samples"] == 1
    assert "In both parts" in str(report)
    page = report._repr_html_()
    assert "In both parts" in page
    assert "is the same as train 100" in page
    assert len(report.pages()) == 1
    assert len(report.plot().axes) == len(report.pages()[0].axes)
    assert repr(report) == "DataReport('drawn-cats', 1 finding, 1 leak)"


def test_every_finding_has_words_and_samples_and_fits_in_json(cats: Split) -> None:
    cats.test.X[3] = cats.train.X[100]
    cats.train.X[7] = 0
    result = check_data(cats).to_dict()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    for finding in result["findings"]:
        assert finding["why"]
        assert finding["advice"]
        assert finding["samples"]


def test_progress_is_told(cats: Split) -> None:
    calls: list[tuple[str, int, int]] = []
    check_data(cats, progress=lambda stage, done, total: calls.append((stage, done, total)))
    stages = {"looking at pictures", "searching neighbours", "measuring pictures"}
    assert {stage for stage, _, _ in calls} >= stages
    assert all(0 < done <= total for _, done, total in calls)


def test_parts_that_cannot_be_examined(cats: Split) -> None:
    for split, words in (
        (Split(cats.train, cats.test.take(slice(0))), "got none in the test part"),
        (Split(cats.train.take(slice(0)), cats.test), "got none in the training part"),
        (Split(cats.train, Dataset(cats.test.X[:, ::2], cats.test.y)), r"test samples \(32, 64, 3\)"),
        (Split(cats.train, Dataset(cats.test.X, cats.test.y[1:])), "got 49 labels for 50 samples"),
        (Split(cats.train, Dataset(cats.test.X, cats.test.y - 1)), "labels from 0 up, got -1"),
    ):
        with pytest.raises(DataError, match=words):
            check_data(split)


def test_parts_of_different_dtypes(rng: np.random.Generator) -> None:
    X = rng.integers(0, 256, (30, 8, 8, 3))
    train = Dataset(X[:20].astype(np.float32), np.zeros(20, int))
    np.testing.assert_array_equal(
        leaked_test_rows(train, Dataset(X[18:].astype(np.float64), np.zeros(12, int))), [0, 1]
    )
    halves = Dataset(X[:20].reshape(20, -1) + 0.5, np.zeros(20, int))
    assert leaked_test_rows(Dataset(X[:20].reshape(20, -1), np.zeros(20, int)), halves).size == 0


def test_leaked_rows_of_data_without_pictures(rng: np.random.Generator) -> None:
    X = rng.standard_normal((30, 5))
    train, test = (
        Dataset(X[:20], np.zeros(20, int)),
        Dataset(np.concatenate([X[20:], X[4:5]]), np.zeros(11, int)),
    )
    np.testing.assert_array_equal(leaked_test_rows(train, test), [10])
    assert leaked_test_rows(train, test.take(slice(0))).dtype == np.int64


def test_several_inputs_by_name(rng: np.random.Generator) -> None:
    X = {"photo": rng.integers(0, 256, (30, 8, 8, 3), dtype=np.uint8), "facts": rng.standard_normal((30, 2))}
    train = Dataset({name: array[:20] for name, array in X.items()}, np.arange(20) % 2)  # type: ignore[arg-type]
    test = Dataset({name: array[[0, 25, 26]] for name, array in X.items()}, np.array([0, 1, 0]))  # type: ignore[arg-type]
    report = check_data(Split(train, test))
    assert report.leaks == ((0, 0, "exact"),)
    assert any("no pictures" in note for note in report.notes)


def test_a_plot_is_one_figure_with_and_without_pictures_and_findings(cats: Split) -> None:
    nothing = DataReport("clean", 2, 2, split=cats).plot()
    assert nothing.get_figheight() < 2
    assert "nothing odd" in nothing.texts[0].get_text()
    rows = Dataset(np.array([[0.0, 1.0], [0.0, 1.0], [2.0, 3.0]]), np.array([0, 1, 1]), ("no", "yes"))
    report = check_data(Split(rows, rows.take(slice(2, 3)), "rows"))
    words = " ".join(text.get_text() for axes in report.plot().axes for text in axes.texts)
    assert "In both parts: 1 finding" in words
