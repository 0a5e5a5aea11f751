"""Every script and notebook of examples/ runs by itself, in an empty folder, without the network, and is short."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(script.name, marks=[pytest.mark.slow] * (script.name != "custom_layer.py"))
        for script in SCRIPTS
        if script.name != "step_by_step.py"
    ],
)
def test_example_runs(name: str, tmp_path: Path) -> None:
    (script,) = (script for script in SCRIPTS if script.name == name)
    printed = run(script, tmp_path)
    assert printed, "an example shows something"
    if name in SCORES:
        before, least = SCORES[name]
        found = re.search(rf"{before}([01]\.\d+)", printed)
        assert found is not None, printed
        assert float(found[1]) >= least


def test_examples_are_short_and_say_what_they_show() -> None:
    for script in SCRIPTS:
        text = script.read_text()
        assert len(text.splitlines()) < LONGER.get(script.name, 60), script
        assert text.startswith('"""'), script


NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
MOST_TEXT = 20_000  # letters of an output


@every("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_notebook_is_stored_without_outputs_and_explains_itself(notebook: Path) -> None:
    cells = json.loads(notebook.read_text())["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    prose = [cell for cell in cells if cell["cell_type"] == "markdown"]
    assert cells[0]["source"][0].startswith("# ")
    assert len(prose) >= len(code) / 2


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_notebook_runs_and_shows_little_text(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat, _, nbclient = map(pytest.importorskip, ("nbformat", "ipykernel", "nbclient"))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel's own, which puts figures into the notebook
    monkeypatch.delenv("PELLUCID_DATA_DIR", raising=False)
    book = nbformat.read(notebook, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    options = {"timeout": 300, "kernel_name": "python3", "coalesce_streams": True}
    nbclient.NotebookClient(book, resources=where, **options).execute()
    outputs = [(cell.source, output) for cell in book.cells for output in cell.get("outputs", [])]
    for source, output in outputs:
        assert output.get("name") != "stderr" or not output.text.strip(), output  # a bar that has gone
        texts = [output.get("text", ""), *(v for k, v in output.get("data", {}).items() if k[:5] == "text/")]
        assert all(len(text) < MOST_TEXT or text.startswith("<iframe ") for text in texts), source
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


@pytest.mark.slow
def test_step_by_step_prints_the_tutorials_lines(tmp_path: Path) -> None:
    printed = run(EXAMPLES / "step_by_step.py", tmp_path, *SHORTENED, "--out", "pictures")
    assert re.fullmatch(TUTORIAL, printed), printed
    assert set(FIGURES) <= {path.stem for path in (tmp_path / "pictures").glob("*.png")}
