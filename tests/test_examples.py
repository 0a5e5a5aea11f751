"""Every script and notebook of examples/ runs by itself, in an empty folder, without the network, and is short."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.every import every

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPTS = sorted(EXAMPLES.rglob("*.py"))
SHORTENED = ["--iterations", "101"]  # of step_by_step.py, instead of 2,500
SCORES = {  # what a script prints before its score, and the least that is worth showing
    "custom_layer.py": ("accuracy ", 0.95),
    "residual_network.py": ("test accuracy ", 0.95),
    "scikit_learn.py": ("three folds: ", 0.88),
    "two_inputs.py": ("kind: accuracy ", 0.90),
}
LONGER = {"step_by_step.py": 100}  # lines; a whole tutorial


def run(script: Path, folder: Path, *arguments: str, **environment: str) -> str:
    """Run a script with warnings as errors and return what it printed."""
    inherited = {name: value for name, value in os.environ.items() if name != "PELLUCID_DATA_DIR"}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), *arguments],
        cwd=folder,
        env={**inherited, "MPLBACKEND": "Agg", **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def examples() -> list[Any]:
    """Return the scripts but the tutorial, slow ones but for one."""
    found = [script for script in SCRIPTS if script.name != "step_by_step.py"]
    slow = pytest.mark.slow
    return [
        pytest.param(each, marks=[slow] * (each.name != "custom_layer.py"), id=each.name) for each in found
    ]


@pytest.mark.parametrize("script", examples())
def test_example_runs(script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(script, tmp_path)
    assert printed, "an example shows something"
    if script.name in SCORES:
        before, least = SCORES[script.name]
        found = re.search(rf"{before}([01]\.\d+)", printed)
        assert found is not None, printed
        with capsys.disabled():
            print(f" [{script.name}: {before}{found[1]}]", end="")
        assert float(found[1]) >= least


@every("script", SCRIPTS, ids=lambda script: script.name)
def test_example_is_short_and_says_what_it_shows(script: Path) -> None:
    text = script.read_text()
    assert len(text.splitlines()) < LONGER.get(script.name, 60)
    assert text.startswith('"""')


NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
MOST_TEXT = 20_000  # letters of an output


def cells_of(notebook: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(notebook.read_text())["cells"]
    return cells


@every("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_notebook_is_stored_without_outputs_and_explains_itself(notebook: Path) -> None:
    cells = cells_of(notebook)
    assert len({cell["id"] for cell in cells}) == len(cells)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    prose = [cell for cell in cells if cell["cell_type"] == "markdown"]
    assert cells[0]["source"][0].startswith("# ")
    assert len(prose) >= len(code) / 2


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_notebook_runs_and_shows_little_text(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: notebooks are not run")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed: notebooks are not run")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: notebooks are not run")
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel's own, which puts figures into the notebook
    monkeypatch.delenv("PELLUCID_DATA_DIR", raising=False)
    book = nbformat.read(notebook, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    client = nbclient.NotebookClient(
        book, timeout=300, kernel_name="python3", resources=where, coalesce_streams=True
    )
    started = time.perf_counter()
    client.execute()
    with capsys.disabled():  # all three are to take less than three minutes: see benchmarks/notebooks.py
        print(f" [{notebook.name}: {time.perf_counter() - started:.0f} s]", end="")
    outputs = [(cell.source, output) for cell in book.cells for output in cell.get("outputs", [])]
    for source, output in outputs:
        assert output.get("name") != "stderr" or not output.text.strip(), output  # a bar that has gone
        texts = [output.get("text", ""), *(v for k, v in output.get("data", {}).items() if k[:5] == "text/")]
        assert max(map(len, texts)) < MOST_TEXT, source
    drawn = [source for source, output in outputs if "image/png" in output.get("data", {})]
    plotted = [cell.source for cell in book.cells if cell.cell_type == "code" and ".plot" in cell.source]
    assert len(drawn) >= len(plotted) >= 2


TUTORIAL = r"""Number of training examples: \d+
Number of testing examples: \d+
Each image is of size: \(64, 64, 3\)
train_x_orig shape: \(\d+, 64, 64, 3\)
train_y shape: \(1, \d+\)
test_x_orig shape: \(\d+, 64, 64, 3\)
test_y shape: \(1, \d+\)
The target labels: \[0 1\]
train_x's shape: \(12288, \d+\)
test_x's shape: \(12288, \d+\)
Cost after iteration 0: 0\.\d+
Cost after iteration 100: 0\.\d+
Accuracy: [01]\.\d+
Accuracy: [01]\.\d+
Why a photo may be misread:
(- .+\n){6}y = [01]\.0, your L-layer model predicts a "(non-)?cat" picture\.
Program executed successfully on: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\.\.Goodbye!
"""
FIGURES = [
    "03_classes", "04_test_images", "04_train_images", "05_flattening", "06_network", "06_outline", "08_cost",
    "10_mislabeled", "12_new_photo",
]  # fmt: skip


def check_tutorial(printed: str, folder: Path) -> None:
    assert re.fullmatch(TUTORIAL, printed), printed
    drawn = {path.stem for path in folder.glob("*.png")}
    assert set(FIGURES) <= drawn


@pytest.mark.slow
def test_step_by_step_prints_the_tutorials_lines(tmp_path: Path) -> None:
    printed = run(EXAMPLES / "step_by_step.py", tmp_path, *SHORTENED, "--out", "pictures")
    check_tutorial(printed, tmp_path / "pictures")


@pytest.mark.slow
def test_step_by_step_on_the_published_photos(published_dir: Path, tmp_path: Path) -> None:
    script = EXAMPLES / "step_by_step.py"
    printed = run(script, tmp_path, *SHORTENED, PELLUCID_DATA_DIR=str(published_dir))
    check_tutorial(printed, tmp_path / "step_by_step_figures")
    assert "Number of training examples: 209\nNumber of testing examples: 50\n" in printed
    assert "Cost after iteration 0: 0.77174932842376" in printed
    assert "Cost after iteration 100: 0.67205344008229" in printed
    assert not (tmp_path / "step_by_step_figures" / "12_stand_in.png").exists()  # it read my_cat_1.jpg
