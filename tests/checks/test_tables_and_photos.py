"""Tables, classes and folders of photos: what is missing, constant or copied in them, and no false alarm."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from scripts.drawn_cats.draw import draw
from tests.every import every

from pellucid.checks.check import DataReport, check_data
from pellucid.checks.classes import homogeneity
from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import load_data
from pellucid.errors import DataError
from pellucid.stats.intervals import wilson_interval


def write(path: Path, rows: list[list[str]]) -> Path:
    path.write_text("kg,height,coat,pet\n" + "\n".join(",".join(row) for row in rows) + "\n")
    return path


@pytest.fixture
def rows(rng: np.random.Generator) -> list[list[str]]:
    """60 rows without any fault."""
    kilograms, heights = rng.normal(5, 1, 60), rng.normal(30, 4, 60)
    return [
        [f"{kg:.4f}", f"{height:.4f}", ("tabby", "plain")[i % 3 == 0], ("cat", "dog")[i % 2]]
        for i, (kg, height) in enumerate(zip(kilograms, heights, strict=True))
    ]


def check(path: Path) -> DataReport:
    return check_data(path, target="pet")


def test_a_clean_table_whose_rows_are_named_by_their_lines(tmp_path: Path, rows: list[list[str]]) -> None:
    path = write(tmp_path / "pets.csv", rows)
    report = check(path)
    assert report.findings == ()
    assert any("no pictures" in note for note in report.notes)
    assert report.baseline["train_majority"].n_samples == 12
    assert report.split is not None
    test = report.split.test
    np.testing.assert_array_equal(test.X, load_data(path, target="pet").test.X)
    for i, x in enumerate(test.X):
        assert float(rows[int(test.file(i).removeprefix("line ")) - 2][0]) == x[0]


def test_missing_numbers_do_not_stop_the_check(tmp_path: Path, rows: list[list[str]]) -> None:
    rows[4][0], rows[9][0], rows[20][2], rows[30][3] = "", "n/a", "", "?"
    report = check(write(tmp_path / "pets.csv", rows))
    assert [finding.found for finding in report.of_kind("missing_values")] == [
        "'kg' has no value in 2 of 60 rows, the first in line 6.",
        "'coat' has no value in 1 of 60 rows, the first in line 22.",
        "'pet' has no value in 1 of 60 rows, the first in line 32.",
    ]
    assert [sample.name for sample in report.findings[0].samples] == ["line 6", "line 11"]
    assert report.n_train + report.n_test == 59
    assert any("1 of 60 rows that lack pet" in note for note in report.notes)
    with pytest.raises(DataError, match="expected rows with a value of pet, got none"):
        check(write(tmp_path / "pets.csv", [[*row[:3], ""] for row in rows]))


def test_copies_leaks_and_conflicts_of_rows(tmp_path: Path, rows: list[list[str]]) -> None:
    rows += [list(row) for row in rows[:30]]  # some of these pairs fall into both parts
    rows[35] = [*rows[7][:3], "cat"]  # row 7 is a dog
    report = check(write(tmp_path / "pets.csv", rows))
    assert report.leaks
    assert all(leak.kind == "exact" for leak in report.leaks)
    (conflict,) = report.of_kind("conflict")
    assert {sample.name for sample in conflict.samples} == {"line 9", "line 37", "line 69"}
    assert conflict.samples[0].label != conflict.samples[1].label
    for finding in report.of_kind("leak"):
        lines = [int(sample.name.removeprefix("line ")) for sample in finding.samples]
        assert len({tuple(rows[line - 2][:3]) for line in lines}) == 1


def test_a_column_of_one_value(tmp_path: Path, rows: list[list[str]]) -> None:
    for row in rows:
        row[1] = "30"
    report = check(write(tmp_path / "pets.csv", rows))
    assert report.findings == ()  # nothing is left to do
    assert "left out 'height': one value in every row" in report.notes
    X = np.array([[float(row[0]), 30.0] for row in rows])
    (finding,) = check_data(
        Split(Dataset(X[:40], np.arange(40) % 2), Dataset(X[40:], np.arange(20) % 2))
    ).findings
    assert finding.found == "1 of 2 columns holds one value in every training row: column 1."


def test_missing_numbers_in_arrays(rng: np.random.Generator) -> None:
    X = rng.standard_normal((40, 3))
    X[5, 1], X[33, 2] = np.nan, np.inf
    y = np.arange(40) % 2
    report = check_data(Split(Dataset(X[:30], y[:30]), Dataset(X[30:], y[30:])))
    assert [finding.found for finding in report.of_kind("missing_values")] == [
        "1 of 30 train samples hold NaN or infinities, the first train 5 (1).",
        "1 of 10 test samples hold NaN or infinities, the first test 3 (1).",
    ]


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return draw(40, seed=4, size=80)


@pytest.fixture
def pets(tmp_path: Path, drawn: Dataset) -> Path:
    """40 drawings in two classes, 16 of each in train/ and 4 in test/."""
    for i, (image, label) in enumerate(zip(drawn.X, drawn.y, strict=True)):
        folder = tmp_path / "pets" / ("train" if i < 32 else "test") / drawn.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{i:02d}.png")
    return tmp_path / "pets"


def cat(drawn: Dataset, n: int) -> Image.Image:
    return Image.fromarray(drawn.X[np.flatnonzero(drawn.y == 1)[n]])


def named(report: DataReport) -> dict[str, list[str]]:
    """Return the files of each kind of finding."""
    found: dict[str, list[str]] = {}
    for finding in report.findings:
        found.setdefault(finding.kind, []).extend(sample.name for sample in finding.samples)
    return found


@every("has_parts", [True, False])
def test_pictures_and_names_are_those_that_load_data_gives(pets: Path, has_parts: bool) -> None:
    folder = pets if has_parts else pets / "train"
    ours, loaded = check_data(folder, seed=3).split, load_data(folder, seed=3)
    assert ours is not None
    assert (ours.notes, ours.classes) == (loaded.notes, loaded.classes)
    for own, other in zip(ours, loaded, strict=True):
        np.testing.assert_array_equal(own.X, other.X)
        np.testing.assert_array_equal(own.y, other.y)
        for i, image in enumerate(own.X):
            assert Path(own.file(i)).parent.name == ours.classes[own.y[i]]
            shown = Image.open(folder / own.file(i)).resize(image.shape[1::-1])
            np.testing.assert_array_equal(np.asarray(shown), image)


def test_copies_of_other_sizes_and_formats_name_their_files(pets: Path, drawn: Dataset) -> None:
    cat(drawn, 0).resize((120, 120)).save(pets / "test/cat/larger.jpg", quality=70)
    cat(drawn, 1).save(pets / "test/cat/same.png")
    cat(drawn, 2).save(pets / "train/non-cat/wrong.png")
    report = check_data(pets)
    leaks = {finding.samples[0].name: finding.samples[1].name for finding in report.of_kind("leak")}
    first, second, third = (f"train/cat/{row:02d}.png" for row in np.flatnonzero(drawn.y == 1)[:3])
    assert leaks == {"test/cat/larger.jpg": first, "test/cat/same.png": second}
    (conflict,) = report.of_kind("conflict")
    assert {sample.name for sample in conflict.samples} == {"train/non-cat/wrong.png", third}
    assert "train/non-cat/wrong.png (train" in conflict.found


def test_files_that_cannot_be_read(pets: Path, drawn: Dataset) -> None:
    (pets / "train/cat/text.jpg").write_text("no picture")
    (pets / "train/cat/nothing.png").touch()
    whole = (pets / "test/cat").glob("*.png").__next__().read_bytes()
    (pets / "test/cat/torn.png").write_bytes(whole[: len(whole) // 2])
    report = check_data(pets)
    unreadable = {"train/cat/text.jpg", "train/cat/nothing.png", "test/cat/torn.png"}
    assert set(named(report)["unreadable"]) == unreadable
    torn = next(f for f in report.findings if f.samples[0].name == "test/cat/torn.png")
    assert torn.found.startswith("test/cat/torn.png cannot be read: expected an image, but cannot read it (")
    assert (torn.samples[0].part, torn.samples[0].index, torn.samples[0].label) == ("test", None, "cat")
    assert (report.n_train, report.n_test) == (32, 8)
    for path in pets.glob("train/*/*"):
        path.write_text("?")
    with pytest.raises(DataError, match=r"none of 34 images can be read\..*The first: train/non-cat/"):
        check_data(pets)


def test_a_tiny_file_among_larger_ones(pets: Path) -> None:
    path = next((pets / "train/cat").glob("*.png"))
    Image.open(path).resize((24, 24)).save(path.with_name("tiny.png"))
    report = check_data(pets)
    assert named(report)["tiny"] == ["train/cat/tiny.png"]
    assert "1 of 41 files is" in report.of_kind("tiny")[0].found
    assert "to 64 × 64, the smallest from 24 × 24 (1 cat;" in report.of_kind("tiny")[0].found


def split_of(train: list[int], test: list[int], classes: tuple[str, ...] = ()) -> Split:
    """Return distinct rows with these numbers of each class in each part."""
    parts, start = [], 0
    for counts in (train, test):
        y = np.repeat(np.arange(len(counts)), counts)
        parts.append(Dataset(np.arange(start, start + len(y) * 2.0).reshape(-1, 2), y, classes))
        start += len(y) * 2
    return Split(*parts)


def kinds(split: Split) -> list[str]:
    return [finding.kind for finding in check_data(split).findings]


@every("counts", [([137, 72], [17, 33]), ([50, 60, 70], [20, 20, 20])])
def test_chi_squared_is_scipys(counts: tuple[list[int], list[int]]) -> None:
    ours = homogeneity(*map(np.array, counts))
    theirs = stats.chi2_contingency(np.array(counts), correction=False)
    assert ours.method == "chi-squared"
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-12)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


def test_rare_classes_are_taken_together_and_few_samples_tested_exactly() -> None:
    rare = homogeneity(np.array([60, 50, 7, 8, 3]), np.array([20, 40, 3, 4, 0]))
    theirs = stats.chi2_contingency(np.array([[60, 50, 18], [20, 40, 7]]), correction=False)
    assert rare.method == "chi-squared"
    assert rare.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    two = homogeneity(np.array([8, 2]), np.array([1, 5]))
    assert two.method == "Fisher's exact"
    assert two.p_value == pytest.approx(0.03497, abs=1e-4)  # the example of SciPy's documentation
    assert homogeneity(np.array([9, 9, 0, 0]), np.array([0, 0, 9, 9])).distance == 1


def test_a_shift_is_told_with_its_probability_if_it_is_sure_and_matters() -> None:
    (shift,) = check_data(split_of([137, 72], [17, 33], ("non-cat", "cat"))).of_kind("prior_shift")
    assert shift.found == "'cat': 34 % of the training samples, 66 % of the test samples (p = 4.5e-05)."
    small = np.array([20_000, 20_000]), np.array([10_000, 10_600])  # a difference that is sure
    assert homogeneity(*small).p_value < 0.01
    assert "prior_shift" not in kinds(split_of(*(its.tolist() for its in small)))
    for train, test in (([50, 50], [20, 20]), ([50, 0], [20, 0])):
        assert homogeneity(np.array(train), np.array(test)).p_value == 1


@every(
    ("train", "test", "expected"),
    [
        ([100, 10], [20, 2], ["imbalance"]),
        ([99, 10], [20, 2], []),
        ([50, 50, 0], [10, 10, 2], ["absent_class"]),
        ([50, 50, 20], [10, 10, 0], ["absent_class"]),
        ([60, 60, 9], [10, 10, 2], ["few_samples"]),
        ([5, 5], [2, 2], []),  # all is small
    ],
)
def test_sizes_of_classes(train: list[int], test: list[int], expected: list[str]) -> None:
    assert kinds(split_of(train, test)) == expected


def test_constant_answers_and_one_class_only() -> None:
    scores = check_data(split_of([10, 20, 5], [5, 2, 9], ("a", "b", "c"))).baseline
    assert (scores["train_majority"].answer, scores["train_majority"].n_correct) == ("b", 2)
    assert (scores["best_constant"].answer, scores["best_constant"].n_correct) == ("c", 9)
    assert scores["best_constant"].interval == wilson_interval(9, 16)
    report = check_data(split_of([30, 0], [10, 0], ("cat", "dog")))
    absent = [finding.found for finding in report.of_kind("absent_class")]
    assert absent == [f"Every {part} sample is 'cat'; none is dog." for part in ("training", "test")]
    assert report.baseline["best_constant"].accuracy == 1


@every("y", ["quantities", "questions"])
def test_labels_that_are_no_classes(rng: np.random.Generator, y: str) -> None:
    X = rng.standard_normal((40, 3))
    labels = rng.standard_normal(40) if y == "quantities" else rng.integers(0, 2, (40, 3))
    X[5] = X[4]
    report = check_data(Split(Dataset(X[:30], labels[:30], ()), Dataset(X[30:], labels[30:], ())))
    assert report.baseline == {}
    assert report.shift is None
    assert any("were left out" in note for note in report.notes)
    assert report.of_kind("duplicate" if y == "quantities" else "conflict")
