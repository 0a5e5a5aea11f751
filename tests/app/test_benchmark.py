"""`pellucid bench`: the contestants train the same network from the same start."""

import json

import numpy as np
import pytest

from pellucid.app.benchmark import Benchmark, bench, contestants
from pellucid.types import Dataset, Split
from tests.app.conftest import Command


@pytest.fixture(scope="module")
def result() -> Benchmark:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (20, 6, 6, 3), dtype=np.uint8)
    part = Dataset(X, np.arange(20) % 2, ("a", "b"))
    return bench(Split(part, part, "small"), n_steps=50)


def test_ours_and_the_textbook_always_run(result: Benchmark) -> None:
    names = [row.name for row in result.rows]
    assert names[:3] == ["dual", "direct", "textbook"]
    assert "scikit-learn" in names
    assert names == contestants()[0]
    assert result.rows[0].ratio == 1


def test_all_in_float64_reach_the_same_cost_and_weights(result: Benchmark) -> None:
    ours = result.rows[0]
    for row in result.rows:
        assert row.final_cost == pytest.approx(ours.final_cost, rel=1e-9), row
        assert row.weight_difference < 1e-10, row
        assert row.seconds > 0


def test_pytorch_is_the_same_to_1e_10(result: Benchmark) -> None:
    pytest.importorskip("torch", reason="needs PyTorch: pip install 'pellucid[oracle]'")
    (row,) = (row for row in result.rows if row.name == "pytorch")
    assert row.weight_difference <= 1e-10


def test_the_command_prints_a_table_and_json(pellucid: Command, photos: object) -> None:
    done = pellucid("bench", photos, "--steps", 3)
    assert done.code == 0, done.err
    assert "textbook" in done.out
    assert "ratio" in done.out
    assert json.loads(pellucid("bench", photos, "--steps", 2, "--json").out)["n_steps"] == 2
