"""Label errors: which labels are contradicted, given probabilities, and found by networks trained on folds."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, assert_refused
from tests.every import every

import pellucid as pl
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError, OptionError
from pellucid.evaluation.label_errors.confident import contradicted
from pellucid.evaluation.label_errors.find_label_errors import begin_label_errors
from pellucid.reporting.draft import Draft
from pellucid.reporting.sections.label_errors import label_errors_section
from pellucid.runs.run import read_run


def noisy(seed: int, k: int = 4, m: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, m)
    Z = rng.normal(size=(m, k)) + 3 * np.eye(k)[truth]
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    y = truth.copy()
    y[rng.choice(m, m // 10, replace=False)] = rng.integers(0, k, m // 10)
    return P, y


def test_a_label_is_contradicted_by_a_class_that_reaches_its_threshold() -> None:
    P = np.array([[0.9, 0.1, 0.0], [0.7, 0.3, 0.0], [0.2, 0.8, 0.0], [0.45, 0.55, 0.0], [0.79, 0.21, 0.0]])
    y = np.array([0, 0, 1, 1, 1])
    assert not len(contradicted(P, y)[0])  # 0.79 is likely class 0, but not as sure as that usually is: 0.8
    P[4] = 0.81, 0.19, 0.0
    assert [found.tolist() for found in contradicted(P, y)] == [[4], [0]]


def test_the_clearest_comes_first() -> None:
    P, y = noisy(1)
    rows, likely = contradicted(P, y)
    margins = P[rows, likely] - P[rows, y[rows]]
    assert len(rows) > 10
    assert (np.diff(margins) <= 0).all()
    assert (y[rows] != likely).all()


@every("seed", [1, 2, 3])
def test_cleanlab_finds_the_same(seed: int) -> None:
    filters = pytest.importorskip("cleanlab.filter")
    P, y = noisy(seed)
    theirs = filters.find_label_issues(y, P, filter_by="confident_learning", n_jobs=1)
    assert sorted(contradicted(P, y)[0].tolist()) == np.flatnonzero(theirs).tolist()


WRONG = ("dark/03.png", "light/07.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Dark and light pictures, 20 of each, two of which lie in the wrong folder."""
    rng = np.random.default_rng(1)
    for name, level in (("dark", 60), ("light", 180)):
        (tmp_path / "shades" / name).mkdir(parents=True)
        for i in range(20):
            its = 240 - level if f"{name}/{i:02}.png" in WRONG else level
            pixels = rng.integers(its - 40, its + 40, (8, 8, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "shades" / name / f"{i:02}.png")
    return tmp_path / "shades"


def test_pictures_in_the_wrong_folder_are_found_by_name(folder: Path) -> None:
    found = pl.find_label_errors("logistic", folder, n_jobs=1)
    assert {one.name for one in found.errors} == set(WRONG)
    parts = {"train": found.split.train, "test": found.split.test}
    for one in found.errors:
        assert one.name.startswith(one.given)
        assert {one.given, one.likely} == {"dark", "light"}
        assert found.split.classes[parts[one.part].y[one.index]] == one.given
        assert one.confidence > 0.5 > one.p_given
    assert "2 of 40 labels are contradicted" in found.headline
    assert found.accuracy == pytest.approx(38 / 40)
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [row["name"] for row in rows] == [one.name for one in found.errors]
    (page,) = found.pages()
    assert sum(len(axes.images) for axes in page.axes) == 2
    assert "label" in found._repr_html_()


def test_rows_of_a_table_are_named_by_line(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    lines = [
        f"{x:.3f},{'high' if (x > 0) != (i == 17) else 'low'}" for i, x in enumerate(rng.normal(size=60))
    ]
    path = tmp_path / "levels.csv"
    path.write_text("\n".join(["x,level", *lines]))
    found = pl.find_label_errors("logistic", path, target="level", n_jobs=1)
    assert found.errors[0].name == "line 19"


def test_every_sample_is_predicted_by_a_network_that_has_not_seen_it() -> None:
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(60, 100)), rng.integers(0, 2, 60)  # noise: whoever has seen it knows it by heart
    data = Dataset(X, y, ("a", "b"))
    split = Split(data.take(slice(0, 48)), data.take(slice(48, 60)), "noise")
    found = pl.find_label_errors("logistic", split, n_jobs=1)
    assert 0.25 < found.accuracy < 0.75
    assert "many may be the network's mistakes" in found.headline
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.slow
def test_the_command_lists_and_writes(pellucid: Command, folder: Path, tmp_path: Path) -> None:
    command = "data check", folder, "--labels", "--model", "logistic", "-o", tmp_path / "odd"
    shown = pellucid.ok(*command).out
    cost = "Looking for label errors: 5 trainings of logistic, 2,500 epochs each, on 32 of 40 samples."
    assert (
        shown.index("training samples and")
        < shown.index(cost)
        < shown.index("2 of 40 labels are contradicted")
    )
    assert all(name in shown for name in WRONG)
    files = {path.name for path in (tmp_path / "odd").iterdir()}
    assert files >= {"findings-labels.csv", "findings-labels.png"}
    done = pellucid(*command, "--overwrite", "--json", "--strict")
    assert done.code == 1
    assert {one["name"] for one in json.loads(done.out)["labels"]["errors"]} == set(WRONG)
    assert_refused(pellucid(*command), "findings")  # the files are there


def test_what_can_be_wrong(pellucid: Command, folder: Path) -> None:
    for options, message in (
        ("--model logistic", "--model is for --labels"),
        ("--labels --cv 1", "expected --cv to be a whole number of at least 2, got 1"),
        ("--labels --cv 30", "cv: 30 folds need 30 samples of every class"),
        ("--labels --model logistik", "unknown preset 'logistik'. Did you mean 'logistic'?"),
    ):
        assert_refused(pellucid(f"data check {folder} {options}"), message)


def test_data_without_classes_and_a_single_fold_are_refused(tmp_path: Path) -> None:
    numbers = Dataset(np.eye(10), np.linspace(0, 1, 10))
    with pytest.raises(DataError, match="expected one class a sample"):
        pl.find_label_errors("auto", Split(numbers, numbers))
    with pytest.raises(OptionError, match="cv: expected 2 folds or more"):
        pl.find_label_errors("auto", "drawn-cats", cv=1)


@pytest.mark.slow
def test_the_full_report_has_a_section_where_trainings_are_short(tmp_path: Path) -> None:
    pl.run("logistic", "drawn-cats", n_epochs=50, out=tmp_path / "run", progress=False, say=lambda line: None)
    run = read_run(tmp_path / "run")
    found = begin_label_errors(run).result()
    assert found is not None
    assert found.model == "logistic"
    draft = Draft(tmp_path, run.split)
    section = label_errors_section(draft, replace(found, accuracy=0.5), run.source)
    assert section.gallery is None
    assert "`pellucid data check drawn-cats --labels`" in section.intro[0]
    section = label_errors_section(draft, replace(found, accuracy=0.9), run.source)
    assert section.title == "Are the labels right?"
    assert section.gallery is not None
    assert len(section.gallery.cards) == min(12, len(found))
    assert f"{len(found)} of 259 labels are contradicted" in section.intro[0]
    in_kernels = begin_label_errors(run, n_alike=10**9).result()
    assert in_kernels is not None
    np.testing.assert_allclose(in_kernels.probabilities, found.probabilities, atol=1e-9)
    slow = replace(run, history=replace(run.history, seconds=60.0))
    assert begin_label_errors(slow).result() is None
