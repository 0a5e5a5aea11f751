"""The sheet of findings shows every one, copies side by side, and nothing touches anything."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pellucid.checks.check import DataReport, check_data, check_split
from pellucid.checks.figures import MOST_SHOWN, findings_sheets
from pellucid.checks.findings import Finding, Names, Sample
from pellucid.data.dataset import Dataset, Split
from pellucid.data.drawn import load_drawn_cats
from pellucid.errors import OptionError, ShapeError


@pytest.fixture
def cats() -> Split:
    split = load_drawn_cats()
    split.test.X[3] = split.train.X[100]
    split.train.X[7] = 200
    split.train.X[20] = split.train.X[int(np.flatnonzero(split.train.y != split.train.y[20])[0])]
    return split


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def shown(figure: Figure) -> list[str]:
    return [str(axes.get_label()) for axes in figure.axes]


def check_nothing_touches(figure: Figure) -> None:
    FigureCanvasAgg(figure).draw()
    boxes = [axes.get_window_extent() for axes in figure.axes]
    boxes += [text.get_window_extent() for text in figure.texts if text.get_text()]
    for i, box in enumerate(boxes):
        assert min(box.x0, box.y0, figure.bbox.x1 - box.x1, figure.bbox.y1 - box.y1) >= 0
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_pictures_of_every_finding_with_part_index_and_label(cats: Split) -> None:
    report = check_data(cats)
    (page,) = findings_sheets(report)
    expected = [f"{s.part} {s.index}" for finding in report.findings for s in finding.samples]
    assert shown(page) == expected
    for axes, (part, index) in zip(page.axes, (label.split() for label in shown(page)), strict=True):
        image = (cats.train if part == "train" else cats.test).X[int(index)]
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), image)
    assert "drawn-cats: what the data check found" in words(page)
    assert "In both parts: 1 finding" in words(page)
    check_nothing_touches(page)


def test_findings_without_pictures_stand_as_text(cats: Split) -> None:
    broken = Finding(
        "unreadable", "a/b.png cannot be read: torn.", (Sample("train", None, "cat", "a/b.png"),)
    )
    shift = Finding("prior_shift", "20 % of the training samples and 80 % of the test samples are 'cat'.")
    (page,) = findings_sheets(DataReport("", 2, 2, findings=(broken, shift), split=cats))
    assert "20 % of the training samples" in words(page)
    assert "a/b.png" in words(page)
    (axes,) = page.axes
    assert axes.texts[0].get_text() == "cannot\nbe read"
    check_nothing_touches(page)


def test_nothing_found(cats: Split) -> None:
    (page,) = findings_sheets(DataReport("x", 2, 2, split=cats))
    assert "Nothing odd was found." in words(page)
    assert page.axes == []


def test_long_names_and_many_findings_over_pages(cats: Split) -> None:
    names = Names(
        *(
            [f"folder-with-a-long-name/picture-{i:05d}-WWWWWWWWWW.png" for i in range(len(part))]
            for part in (cats.train, cats.test)
        )
    )
    cats.train.X[50:90] = cats.train.X[100:140]  # 40 copies
    classes = ("a class with a very long name indeed", "cat")
    split = Split(
        Dataset(cats.train.X, cats.train.y, classes), Dataset(cats.test.X, cats.test.y, classes), "cats"
    )
    report = check_split(split, names)
    pages = findings_sheets(report)
    assert len(pages) > 1
    assert "(2 of" in words(pages[1])
    everything = [f"{s.part} {s.index}" for finding in report.findings for s in finding.samples]
    assert sorted(label for page in pages for label in shown(page)) == sorted(everything)
    for page in pages:
        assert page.get_size_inches()[1] < 16
    check_nothing_touches(pages[0])
    (first,) = findings_sheets(report, max_pages=1)
    assert shown(first) == shown(pages[0])
    assert "more findings are not shown" in words(first)


def test_a_finding_with_many_pictures_shows_the_first(cats: Split) -> None:
    samples = tuple(Sample("train", i, "cat") for i in range(50))
    finding = Finding("missing_values", "80 of 209 pictures hold NaN.", samples, 80)
    (page,) = findings_sheets(DataReport("x", 2, 2, findings=(finding,), split=cats))
    assert len(page.axes) == MOST_SHOWN
    assert f"and {80 - MOST_SHOWN} more" in words(page)
    check_nothing_touches(page)


@pytest.mark.parametrize("kind", ["grey", "wide", "standardized"])
def test_pictures_of_other_kinds(cats: Split, kind: str) -> None:
    def change(X: np.ndarray) -> np.ndarray:
        if kind == "grey":
            return X[..., 0]
        return X[:, :20] if kind == "wide" else (X - 120.0) / 60.0

    split = Split(
        *(Dataset(change(part.X), part.y, part.classes) for part in (cats.train, cats.test)), name="x"
    )
    report = check_data(split)
    (page,) = findings_sheets(report)
    assert shown(page)[:2] == ["test 3", "train 100"]
    check_nothing_touches(page)


def test_what_cannot_be_drawn_is_refused(cats: Split) -> None:
    rows = Dataset(np.zeros((3, 12)), np.zeros(3, np.int64))
    with pytest.raises(ShapeError, match="findings_sheets: expected images"):
        findings_sheets(DataReport("x", 3, 3, split=Split(rows, rows)))
    with pytest.raises(OptionError, match="max_pages of at least 1, got 0"):
        findings_sheets(DataReport("x", 2, 2, split=cats), max_pages=0)
    with pytest.raises(OptionError, match="a report that holds its data"):
        findings_sheets(DataReport("x", 2, 2))
