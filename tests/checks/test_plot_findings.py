"""The pages of findings show every one, copies next to one another, and nothing overlaps."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.pictures import assert_readable, page_text, shown, words

from pellucid.checks.check import DataReport, check_data
from pellucid.checks.findings import Finding, Sample
from pellucid.checks.plot_findings import MOST_SHOWN, findings_sheets
from pellucid.data.built_in import load_drawn_cats
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import OptionError, ShapeError


@pytest.fixture
def cats() -> Split:
    split = load_drawn_cats()
    split.test.X[3] = split.train.X[100]
    split.train.X[7] = 200
    split.train.X[20] = split.train.X[int(np.flatnonzero(split.train.y != split.train.y[20])[0])]
    return split


def samples_of(report: DataReport) -> list[Sample]:
    return [sample for finding in report.findings for sample in finding.samples]


def test_pictures_of_every_finding_with_part_index_and_label(cats: Split) -> None:
    report = check_data(cats)
    (page,) = findings_sheets(report)
    found = [(cats.train if s.part == "train" else cats.test).X[s.index] for s in samples_of(report)]
    for pixels, expected in zip(shown(page), found, strict=True):
        np.testing.assert_array_equal(pixels, expected)
    for sample in samples_of(report):
        assert {f"{sample.part} {sample.index}", sample.label} <= set(words(page))
    assert "drawn-cats: what the data check found" in page_text(page)
    assert "In both parts: 1 finding" in page_text(page)
    assert_readable(page)


def test_findings_without_pictures_are_text(cats: Split) -> None:
    broken = Finding(
        "unreadable", "a/b.png cannot be read: torn.", (Sample("train", None, "cat", "a/b.png"),)
    )
    shift = Finding("prior_shift", "20 % of the training samples and 80 % of the test samples are 'cat'.")
    (page,) = findings_sheets(DataReport("", 2, 2, findings=(broken, shift), split=cats))
    assert "20 % of the training samples" in page_text(page)
    assert "a/b.png cannot be read: torn." in words(page)
    assert not shown(page)
    assert shown(page) == []
    assert_readable(page)


@pytest.mark.slow
def test_long_names_and_many_findings_over_pages(cats: Split) -> None:
    cats.train.X[50:90] = cats.train.X[100:140]  # 40 copies
    classes = ("a class with a very long name indeed", "cat")
    files = np.array([f"folder-with-a-long-name/picture-{i:05d}-WWWWWWWWWW.png" for i in range(209)])
    parts = [replace(part, classes=classes, files=files[: len(part)]) for part in (cats.train, cats.test)]
    report = check_data(Split(*parts, "cats"))
    pages = findings_sheets(report)
    assert len(pages) > 1
    assert "(2 of" in page_text(pages[1])
    places = [f"{s.part} {s.index}" for s in samples_of(report)]
    named = [text for page in pages for text in words(page) if text in set(places)]
    assert named == places
    for page in pages:
        assert page.get_size_inches()[1] < 17
    assert_readable(pages[0])
    (first,) = findings_sheets(report, max_pages=1)
    assert len(shown(first)) == len(shown(pages[0]))
    n_more = len(places) - len(shown(first))
    assert f"{n_more} more pictures are not shown" in page_text(first)


def test_a_finding_with_many_pictures_shows_the_first(cats: Split) -> None:
    samples = tuple(Sample("train", i, "cat") for i in range(50))
    finding = Finding("missing_values", "80 of 209 pictures hold NaN.", samples, 80)
    (page,) = findings_sheets(DataReport("x", 2, 2, findings=(finding,), split=cats))
    assert len(shown(page)) == MOST_SHOWN
    assert f"and {80 - MOST_SHOWN} more" in page_text(page)
    assert_readable(page)


@every("change", [lambda X: X[..., 0], lambda X: X[:, :20], lambda X: (X - 120.0) / 60.0])
def test_pictures_of_other_kinds(cats: Split, change: Any) -> None:
    split = Split(*(replace(part, X=change(part.X)) for part in cats), name="x")
    (page,) = findings_sheets(check_data(split))
    assert [text for text in words(page) if text.startswith("t")][:2] == ["test 3", "train 100"]
    assert_readable(page)


def test_what_cannot_be_drawn_is_refused(cats: Split) -> None:
    rows = Dataset(np.zeros((3, 12)), np.zeros(3, np.int64))
    with pytest.raises(ShapeError, match="findings_sheets: expected images"):
        findings_sheets(DataReport("x", 3, 3, split=Split(rows, rows)))
    with pytest.raises(OptionError, match="max_pages of at least 1, got 0"):
        findings_sheets(DataReport("x", 2, 2, split=cats), max_pages=0)
    with pytest.raises(OptionError, match="a report that holds its data"):
        findings_sheets(DataReport("x", 2, 2))
