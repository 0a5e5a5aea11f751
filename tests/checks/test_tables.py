"""Tables: missing values, constant columns, far values, and copies; no false alarm on a clean one."""

from pathlib import Path

import numpy as np
import pytest

from pellucid.checks.check import DataReport, examine
from pellucid.checks.opening import open_data
from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import load_data
from pellucid.errors import DataError


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
    opened = open_data(path, target="pet")
    return examine(opened.split, names=opened.names, also=opened.findings)


def test_a_clean_table(tmp_path: Path, rows: list[list[str]]) -> None:
    path = write(tmp_path / "pets.csv", rows)
    checkup = check(path)
    assert checkup.findings == ()
    assert any("no pictures" in note for note in checkup.notes)
    assert checkup.baseline["train_majority"].n_samples == 12


def test_rows_are_named_by_their_lines(tmp_path: Path, rows: list[list[str]]) -> None:
    path = write(tmp_path / "pets.csv", rows)
    opened, loaded = open_data(path, target="pet"), load_data(path, target="pet")
    np.testing.assert_array_equal(opened.split.test.X, loaded.test.X)
    for name, x in zip(opened.names.test, opened.split.test.X, strict=True):
        assert float(rows[int(name.removeprefix("line ")) - 2][0]) == x[0]


def test_missing_numbers_do_not_stop_the_checkup(tmp_path: Path, rows: list[list[str]]) -> None:
    rows[4][0], rows[9][0], rows[20][2], rows[30][3] = "", "n/a", "", "?"
    checkup = check(write(tmp_path / "pets.csv", rows))
    assert [finding.found for finding in checkup.of_kind("missing_values")] == [
        "'kg' has no value in 2 of 60 rows, the first in line 6.",
        "'coat' has no value in 1 of 60 rows, the first in line 22.",
        "'pet' has no value in 1 of 60 rows, the first in line 32.",
    ]
    assert [sample.name for sample in checkup.findings[0].samples] == ["line 6", "line 11"]
    assert checkup.n_train + checkup.n_test == 57
    assert any("3 of 60 rows that lack a number" in note for note in checkup.notes)


def test_a_column_that_is_mostly_empty_is_left_out(tmp_path: Path, rows: list[list[str]]) -> None:
    for row in rows[:40]:
        row[1] = ""
    checkup = check(write(tmp_path / "pets.csv", rows))
    assert checkup.n_train + checkup.n_test == 60
    assert any("mostly empty: height" in note for note in checkup.notes)


def test_nothing_left_is_one_clear_error(tmp_path: Path, rows: list[list[str]]) -> None:
    for i, row in enumerate(rows):
        row[i % 2] = ""
    with pytest.raises(
        DataError, match="expected rows without missing numbers, got none: each of 60 lacks one"
    ):
        check(write(tmp_path / "pets.csv", rows))


def test_copies_leaks_and_conflicts_of_rows(tmp_path: Path, rows: list[list[str]]) -> None:
    rows += [list(row) for row in rows[:30]]  # some of these pairs fall into both parts
    rows[35] = [*rows[7][:3], "cat"]  # row 7 is a dog
    checkup = check(write(tmp_path / "pets.csv", rows))
    assert checkup.leaks
    assert all(leak.kind == "exact" for leak in checkup.leaks)
    (conflict,) = checkup.of_kind("conflict")
    assert {sample.name for sample in conflict.samples} == {"line 9", "line 37", "line 69"}
    assert conflict.samples[0].label != conflict.samples[1].label
    for finding in checkup.of_kind("leak"):
        lines = [int(sample.name.removeprefix("line ")) for sample in finding.samples]
        assert len({tuple(rows[line - 2][:3]) for line in lines}) == 1


def test_far_values_and_constant_columns(tmp_path: Path, rows: list[list[str]]) -> None:
    rows[3][0] = "-999"
    for row in rows:
        row[1] = "30"
    checkup = check(write(tmp_path / "pets.csv", rows))
    (far,) = checkup.of_kind("outlier")
    assert far.samples[0].name == "line 5"
    assert "has -999 in kg, where " in far.found
    assert [f.found for f in checkup.of_kind("constant_column")] == [
        "1 of 4 columns holds one value in every training row: height."
    ]


def test_heavy_tails_and_flags_are_no_outliers(rng: np.random.Generator) -> None:
    X = np.stack([rng.lognormal(0, 1.6, 400), rng.integers(0, 2, 400), rng.poisson(0.05, 400)], axis=1)
    y = np.arange(400) % 2
    checkup = examine(Split(Dataset(X[:300], y[:300]), Dataset(X[300:], y[300:])))
    assert not checkup.of_kind("outlier")
    X[50, 0] = 1e9  # so far off is no tail
    checkup = examine(Split(Dataset(X[:300], y[:300]), Dataset(X[300:], y[300:])))
    assert [f.samples[0].index for f in checkup.of_kind("outlier")] == [50]


def test_missing_numbers_in_arrays(rng: np.random.Generator) -> None:
    X = rng.standard_normal((40, 3))
    X[5, 1], X[33, 2] = np.nan, np.inf
    y = np.arange(40) % 2
    checkup = examine(Split(Dataset(X[:30], y[:30]), Dataset(X[30:], y[30:])))
    assert [finding.found for finding in checkup.of_kind("missing_values")] == [
        "1 of 30 train samples hold NaN or infinities, the first train 5 (1).",
        "1 of 10 test samples hold NaN or infinities, the first test 3 (1).",
    ]


def test_missing_pixels(rng: np.random.Generator) -> None:
    X = rng.random((40, 8, 8, 3))
    X[5, 1] = np.nan
    checkup = examine(Split(Dataset(X[:30], np.arange(30) % 2), Dataset(X[30:], np.arange(10) % 2)))
    assert [s.index for f in checkup.of_kind("missing_values") for s in f.samples] == [5]
