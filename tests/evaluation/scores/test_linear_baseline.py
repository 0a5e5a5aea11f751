"""A linear model next to a network of a table."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel

from pellucid.data.source import DataSource
from pellucid.evaluation.scores.linear_baseline import compared, linear_baseline
from pellucid.prediction.predict import Predictions
from pellucid.runs.run import read_run
from pellucid.workflows.run import run


@pytest.mark.parametrize("is_class", [True, False])
def test_next_to_a_network(is_class: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)).round(4)
    y = np.where(X[:, 0] > 0, "yes", "no") if is_class else (X[:, 0] * 3).round(4)
    rows = [f"{a},{b},{label}" for (a, b), label in zip(X, y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *rows]))
    source = DataSource(str(tmp_path / "t.csv"), target="y")
    said: list[str] = []
    run("mlp-small", source, out=tmp_path / "run", n_epochs=2, say=said.append)
    found = linear_baseline(read_run(tmp_path / "run"))
    assert found is not None
    assert found.metric == ("accuracy" if is_class else "r_squared")
    assert found.linear > 0.95
    assert found.linear > found.network
    assert found.verdict == ("" if is_class else "worse")
    assert found.headline in said
    assert found.headline.replace("\u00a0", " ") in (tmp_path / "run" / "report.html").read_text().replace(
        "\u00a0", " "
    )
    run("linear", source, out=tmp_path / "linear", say=said.append)
    assert linear_baseline(read_run(tmp_path / "linear")) is None


def test_the_paired_test_of_numbers() -> None:
    rng = np.random.default_rng(1)
    y, a, b = rng.normal(size=(3, 50, 1))
    network, linear = (Predictions("regression", y, each, np.zeros((50, 0)), False, ()) for each in (a, b))
    found = compared(network, linear)
    assert found.p_value == pytest.approx(ttest_rel(((a - y) ** 2).ravel(), ((b - y) ** 2).ravel()).pvalue)
    assert compared(network, network).p_value is None
