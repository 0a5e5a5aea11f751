"""docs/estimators.md is what the docstrings say, they say all, and the page's code runs."""

import inspect
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid import estimators

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "estimators_page"
PAGE = ROOT / "docs" / "estimators.md"
READER = runpy.run_path(str(SCRIPT))
FIVE = READER["FIVE"]


def names_in(name: str, section: str) -> list[str]:
    """Return what the docstring of an estimator lists in a section."""
    sections = READER["sections_of"](getattr(estimators, name))
    return [entry for names, _, _ in READER["entries"](sections[section]) for entry in names]


@pytest.mark.slow
def test_the_page_is_what_the_script_prints() -> None:
    printed = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=True).stdout
    assert printed == PAGE.read_text(), "make it again: scripts/check --fix"


@every("name", ["MLPClassifier", "NetworkClassifier", "ImageClassifier"])
def test_every_parameter_is_documented_once(name: str) -> None:
    assert sorted(names_in(name, "Parameters")) == sorted(
        inspect.signature(getattr(estimators, name)).parameters
    )


@every(("name", "other"), [("MLPRegressor", "MLPClassifier"), ("NetworkRegressor", "NetworkClassifier")])
def test_a_regressor_documents_what_differs(name: str, other: str) -> None:
    own = set(inspect.signature(getattr(estimators, name)).parameters)
    assert set(names_in(name, "Parameters")) <= own
    assert own - set(names_in(other, "Parameters")) == set()
    assert set(names_in(other, "Parameters")) - own == {"class_weight", "label_smoothing"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_attributes_are_those_that_fit_sets() -> None:
    images, y = np.random.default_rng(0).integers(0, 255, (20, 8, 8, 3), dtype=np.uint8), np.arange(20) % 2
    for name in ("MLPClassifier", "NetworkClassifier", "ImageClassifier"):
        estimator: Any = getattr(estimators, name)()
        if name == "ImageClassifier":
            estimator.set_params(model=None)
        is_mlp = name.startswith("MLP")
        estimator.set_params(**{"max_iter" if is_mlp else "n_epochs": 1})
        estimator.fit(images.reshape(20, -1) / 255 if is_mlp else images, y)
        set_by_fit = {key for key in vars(estimator) if key.endswith("_") and not key.startswith("_")}
        of_others = {"feature_names_in_", "recommendation_"}  # of data frames, of model="auto"
        assert set_by_fit == set(names_in(name, "Attributes")) - of_others, name


@pytest.mark.slow
def test_python_in_the_page_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 3
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "cat" in done.stdout
