"""Tables: missing values, constant columns, and copies; no false alarm on a clean one."""

from pathlib import Path

import numpy as np
import pytest

from pellucid.checks.check import DataReport, check_data
from pellucid.checks.tables import read_rows
from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import DataSource, load_data
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
    return check_data(path, target="pet")


def test_a_clean_table(tmp_path: Path, rows: list[list[str]]) -> None:
    path = write(tmp_path / "pets.csv", rows)
    report = check(path)
    assert report.findings == ()
    assert any("no pictures" in note for note in report.notes)
    assert report.baseline["train_majority"].n_samples == 12


def test_rows_are_named_by_their_lines(tmp_path: Path, rows: list[list[str]]) -> None:
    path = write(tmp_path / "pets.csv", rows)
    split, _ = read_rows(DataSource(str(path), target="pet"))
    np.testing.assert_array_equal(split.test.X, load_data(path, target="pet").test.X)
    for name, x in zip(split.test.files, split.test.X, strict=True):
        assert float(rows[int(name.removeprefix("line ")) - 2][0]) == x[0]


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


def test_no_row_with_a_target_is_one_clear_error(tmp_path: Path, rows: list[list[str]]) -> None:
    for row in rows:
        row[3] = ""
    with pytest.raises(DataError, match="expected rows with a value of pet, got none"):
        check(write(tmp_path / "pets.csv", rows))


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
