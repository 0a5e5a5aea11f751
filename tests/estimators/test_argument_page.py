"""docs/estimators.md is what scripts/argument_page prints, is complete, and its links and code are right."""

import contextlib
import inspect
import io
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from pellucid import estimators

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "argument_page"
PAGE = ROOT / "docs" / "estimators.md"
FIVE = ["MLPClassifier", "MLPRegressor", "NetworkClassifier", "NetworkRegressor", "ImageClassifier"]
LINK = re.compile(r"\[([\w.]+):(\d+)\]\((\.\./src/[\w/.]+)#L(\d+)\)")


class Printed(NamedTuple):
    """What the script printed, and why it stopped, if it did."""

    text: str
    fault: str


def printed(script: Path = SCRIPT) -> Printed:
    stream = io.StringIO()
    try:
        with contextlib.redirect_stdout(stream):
            runpy.run_path(str(script), run_name="__main__")
    except SystemExit as stopped:
        return Printed(stream.getvalue(), str(stopped))
    return Printed(stream.getvalue(), "")


def test_the_page_is_what_the_script_prints() -> None:
    assert not printed().fault
    assert printed().text == PAGE.read_text(), "make it anew: scripts/argument_page > docs/estimators.md"


def rows_by_heading() -> list[tuple[str, list[str]]]:
    """Return each table's heading with the first cells of its rows."""
    rows = []
    for part in PAGE.read_text().split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        rows.append((heading, re.findall(r"^\| (`\w+`.*?) \|", text, re.MULTILINE)))
    return rows


def estimators_of(heading: str, cell: str) -> list[str]:
    """Return the estimators that the page says a row is about."""
    named = [name for name in FIVE if re.search(rf"\([^)]*\b{name}\b[^)]*\)$", cell)]
    if named and not re.search(r"= .*\(.*\), ", cell):  # a default for each is not a restriction
        return named
    if heading.startswith("The three classifiers"):
        return [name for name in FIVE if name.endswith("Classifier")]
    return FIVE if heading.startswith("All five") else [name for name in FIVE if name in heading]


@pytest.mark.parametrize("name", FIVE)
def test_every_argument_has_one_row(name: str) -> None:
    rows = [
        re.match(r"`(\w+)`", cell).group(1)  # type: ignore[union-attr]
        for heading, cells in rows_by_heading()
        if heading.startswith(("MLP", "Network", "The three", "All five"))
        for cell in cells
        if name in estimators_of(heading, cell)
    ]
    assert sorted(rows) == sorted(inspect.signature(getattr(estimators, name)).parameters)


def test_every_row_has_words_a_formula_and_lines() -> None:
    for line in PAGE.read_text().splitlines():
        if not line.startswith("| `"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        assert len(cells) == 4, line
        assert cells[1], line
        assert cells[2] or "_`" in cells[0], line  # an attribute may need none
        assert LINK.search(cells[3]), line


def test_links_lead_to_the_lines() -> None:
    table = tomllib.loads(SCRIPT.with_suffix(".toml").read_text())
    wanted = [
        line.partition(": ")
        for row in [*(row for part in table["tables"] for row in part["rows"]), *table["attributes"]]
        for line in row["lines"]
    ]
    found = LINK.findall(PAGE.read_text())
    assert len(found) == len(wanted)
    for (name, shown, path, number), (file, _, text) in zip(found, wanted, strict=True):
        target = (PAGE.parent / path).resolve()
        assert target == ROOT / "src" / "pellucid" / file
        assert target.name == name
        assert shown == number
        assert text in target.read_text().splitlines()[int(number) - 1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_attributes_are_those_that_fit_sets() -> None:
    table = tomllib.loads(SCRIPT.with_suffix(".toml").read_text())
    images, y = np.random.default_rng(0).integers(0, 255, (20, 8, 8, 3), dtype=np.uint8), np.arange(20) % 2
    for name in FIVE:
        estimator: Any = getattr(estimators, name)()
        if name == "ImageClassifier":
            estimator.set_params(model=None)
        is_mlp = name.startswith("MLP")
        estimator.set_params(**{"max_iter" if is_mlp else "n_epochs": 1})
        estimator.fit(images.reshape(20, -1) / 255 if is_mlp else images, y)
        set_by_fit = {key for key in vars(estimator) if key.endswith("_") and not key.startswith("_")}
        rows = [
            row
            for row in table["attributes"]
            if name in (table["families"][row["of"]] if isinstance(row["of"], str) else row["of"])
        ]
        assert set_by_fit == {row["name"] for row in rows if not row.get("optional")}, name


def test_python_in_the_page_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 3
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "cat" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'name = "alpha"',
            'name = "alpa"',
            "MLPClassifier: alpha has 0 rows\nMLPClassifier: there is no argument alpa",
        ),
        (
            "layers.append(BatchNorm())",
            "layers.append(Batch())",
            "expected one line with 'layers.append(Batch())'",
        ),
        ("layers.append(BatchNorm())", "layers", "expected one line with 'layers', found"),
        ("The chance of each", "The chance | of each", "a | would end the table's cell"),
    ],
)
def test_the_script_refuses_what_is_wrong(old: str, new: str, said: str, tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (tmp_path / "src").symlink_to(ROOT / "src")
    text = SCRIPT.with_suffix(".toml").read_text()
    assert old in text
    (scripts / "argument_page").write_text(SCRIPT.read_text())
    (scripts / "argument_page.toml").write_text(text.replace(old, new, 1))
    assert said in printed(scripts / "argument_page").fault
