"""The data check: it finds what was planted, and nothing in data that are as they should be."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scripts.drawn_cats.draw import draw

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


def brightened(image: Array, factor: float = 1.4) -> Array:
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(image)).enhance(factor))


@pytest.fixture
def cats() -> Split:
    return load_drawn_cats()


@pytest.fixture(scope="module")
def drawings() -> Array:
    return draw(400, seed=21).X


def test_drawings_and_digits_raise_no_false_alarm(cats: Split) -> None:
    """Digits are the hard case: thousands of pictures that are alike by nature, of 64 pixels each."""
    assert check_data(cats).findings == check_data(cats).leaks == ()
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


def test_what_is_not_found_is_as_the_docs_say(drawings: Array) -> None:
    X = drawings[:20]
    for others in (np.rot90(X, axes=(1, 2)), 255 - X):
        pairs = near_duplicates(np.concatenate([X, others]))
        assert not [pair for pair in pairs if pair.second - pair.first == len(X)]


def test_copies_blown_out_to_white_are_found(cats: Split) -> None:
    """Where much is clipped, edges are gone: brightness and clipping have to be undone before comparing."""
    X = np.concatenate([cats.train.X, cats.test.X])
    found = {pair[:2] for pair in near_duplicates(np.concatenate([X, np.minimum(X, 165) + np.uint8(90)]))}
    planted = {(i, len(X) + i) for i in range(len(X))}
    assert len(found & planted) >= 240  # of 259, of whose pixels 30 % are clipped
    assert not found - planted


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
    assert "appears 31 times, also as" in exact.found


def test_leaks_exact_ones_first(cats: Split) -> None:
    cats.train.X[10], cats.train.X[61] = as_jpeg(cats.test.X[2]), cats.test.X[2]
    cats.test.X[3] = cats.train.X[100]
    cats.test.X[9] = as_jpeg(cats.train.X[50])
    cats.train.X[60] = cats.train.X[50]  # both copies of it are named
    report = check_data(cats)
    wanted = ((2, 61, "exact"), (2, 10, "near"), (3, 100, "exact"), (9, 50, "near"), (9, 60, "near"))
    assert report.leaks == wanted
    np.testing.assert_array_equal(leaked_test_rows(cats.train, cats.test), [2, 3, 9])
    first = report.of_kind("leak")[0]
    assert [(sample.part, sample.index) for sample in first.samples] == [
        ("test", 2),
        ("train", 61),
        ("train", 10),
    ]


def test_rows_and_pictures_say_how_copies_were_changed(cats: Split) -> None:
    cats.test.X[3] = cats.train.X[100][:, ::-1]
    cats.train.X[60] = np.repeat(cats.train.X[50].mean(axis=2, keepdims=True), 3, axis=2)
    report = check_data(cats)
    assert report.leaks == ((3, 100, "mirrored"),)
    assert "is the same picture as train 100 (cat), one of them mirrored" in report.to_rows()[0]["first"]
    assert [finding.how for finding in report.of_kind("near_duplicate")] == ["recoloured"]
    drawn = [text.get_text() for axes in report.pages()[0].axes for text in axes.texts]
    assert "mirrored" in drawn
    assert "recoloured" in drawn
    assert "exact, near, mirrored, cropped and recoloured copies" in str(report)


def test_one_picture_under_two_labels_in_one_part_and_across(cats: Split) -> None:
    no, yes = (np.flatnonzero(cats.train.y == label) for label in (0, 1))
    cats.train.X[yes[0]] = brightened(cats.train.X[no[0]])
    cats.train.X[no[5]] = cats.train.X[no[6]]  # a copy, but no conflict
    (conflict,) = check_data(cats).of_kind("conflict")
    assert {sample.index for sample in conflict.samples} == {no[0], yes[0]}
    assert [sample.label for sample in conflict.samples] == ["non-cat", "cat"]
    other = int(np.flatnonzero(cats.test.y == 1)[0])
    cats.test.X[other] = cats.train.X[no[3]]
    report = check_data(cats)
    assert [finding.kind for finding in report.findings][:2] == ["leak", "conflict"]
    found = [{(s.part, s.index) for s in finding.samples} for finding in report.of_kind("conflict")]
    assert {("train", no[3]), ("test", other)} in found


def test_an_empty_picture_is_found_and_progress_told(cats: Split) -> None:
    cats.train.X[7], calls = 200, list[tuple[str, int, int]]()
    (finding,) = check_data(cats, progress=lambda *call: calls.append(call)).findings
    stages = {"looking at pictures", "searching neighbours", "measuring pictures"}
    assert {stage for stage, _, _ in calls} >= stages
    assert all(0 < done <= total for _, done, total in calls)
    assert [(finding.kind, s.part, s.index) for s in finding.samples] == [("constant", "train", 7)]
    assert "grey level 200 of 255" in finding.found


def test_a_report_shows_itself_and_fits_in_json(cats: Split) -> None:
    cats.test.X[3] = cats.train.X[100]
    report = check_data(cats)
    (row,) = report.to_rows()
    assert (row["kind"], row["n_samples"]) == ("leak", 1)
    assert "In both parts" in str(report)
    page = report._repr_html_()
    assert "In both parts" in page
    assert "is the same as train 100" in page
    assert len(report.pages()) == 1
    assert len(report.plot().axes) == len(report.pages()[0].axes)
    assert repr(report) == "DataReport('drawn-cats', 1 finding, 1 leak)"
    cats.train.X[7] = 0
    result = check_data(cats).to_dict()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert all(finding["why"] and finding["advice"] and finding["samples"] for finding in result["findings"])


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


def test_leaks_of_other_dtypes_and_of_rows(rng: np.random.Generator) -> None:
    def leaked(X: Array, test: Array) -> list[int]:
        parts = (Dataset(part, np.zeros(len(part), int)) for part in (X, test))
        return leaked_test_rows(*parts).tolist()

    X = rng.integers(0, 256, (30, 8, 8, 3))
    rows = X.reshape(30, -1)
    assert leaked(X[:20].astype(np.float32), X[18:].astype(np.float64)) == [0, 1]
    assert leaked(rows[:20], rows[:20] + 0.5) == []
    assert leaked(rows[:20], np.concatenate([rows[20:], rows[4:5]])) == [10]
    assert leaked(rows[:20], rows[:0]) == []


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


def test_notes_are_marked_as_notes_with_findings_and_without() -> None:
    moons = load_data("moons", seed=3)
    bare = str(check_data(moons))
    assert "no findings" in bare
    copied = Split(moons.train, Dataset(moons.train.X[:2], moons.train.y[:2]), moons.name, moons.notes)
    found = str(check_data(copied))
    assert "findings" in found.replace("no findings", "")
    for printed in (bare, found):
        assert [line for line in printed.splitlines() if "drawn by seed 3" in line] == [
            "Note: drawn by seed 3"
        ]
