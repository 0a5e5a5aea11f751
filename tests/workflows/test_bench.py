"""`pellucid bench`: the contestants train the same network from the same start."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command

from pellucid.data.dataset import Dataset, Split
from pellucid.errors import PellucidError
from pellucid.workflows import bench as benchmark
from pellucid.workflows.bench import Benchmark, bench, contestants


@pytest.fixture(scope="module")
def result() -> Benchmark:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (20, 6, 6, 3), dtype=np.uint8)
    part = Dataset(X, np.arange(20) % 2, ("a", "b"))
    return bench(Split(part, part, "small"), n_steps=50, n_repeats=1)


@pytest.mark.slow
def test_ours_and_the_textbook_always_run(result: Benchmark) -> None:
    names = [row.name for row in result.rows]
    assert names[:3] == ["dual", "direct", "textbook"]
    assert "scikit-learn" in names
    assert names == contestants()[0]
    assert result.rows[0].ratio == 1


def test_all_in_float64_reach_the_same_cost_and_weights(result: Benchmark) -> None:
    ours = result.rows[0]
    for row in result.rows:
        assert row.final_cost == pytest.approx(ours.final_cost, rel=1e-8), row  # Keras reports it in float32
        assert row.weight_difference < 1e-10, row
        assert 0 < row.fastest <= row.seconds <= row.slowest


def test_pytorch_is_the_same_to_1e_10(result: Benchmark) -> None:
    pytest.importorskip("torch", reason="needs PyTorch: pip install 'pellucid[oracle]'")
    (row,) = (row for row in result.rows if row.name == "pytorch")
    assert row.weight_difference <= 1e-10


def test_a_rival_that_does_not_run_is_left_out_and_one_of_ours_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part = Dataset(np.zeros((4, 2, 2, 3), np.uint8), np.arange(4) % 2, ("a", "b"))
    run = benchmark._run

    def without(broken: str) -> Benchmark:
        def fail(name: str, task: Path) -> Any:
            return run("no such contestant" if name == broken else name, task)

        monkeypatch.setattr(benchmark, "_run", fail)
        return bench(Split(part, part, "small"), n_steps=1, n_repeats=1)

    monkeypatch.setitem(benchmark.CONTESTANTS, "no such contestant", None)
    monkeypatch.setattr(benchmark, "contestants", lambda: (["dual", "scikit-learn"], []))
    result = without("scikit-learn")
    assert [row.name for row in result.rows] == ["dual"]
    (line,) = (line for line in result.failed if "no such contestant" in line)
    assert "failed: KeyError" in line
    with pytest.raises(PellucidError, match="no such contestant failed"):
        without("dual")


def test_times_are_medians_with_their_spread_taken_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Dataset(np.zeros((4, 2, 2, 3), np.uint8), np.arange(4) % 2, ("a", "b"))
    times = {"dual": [1.0, 9.0, 2.0], "direct": [4.0, 6.0, 5.0], "textbook": [8.0, 8.0, 8.0]}
    turns: list[str] = []

    def run(name: str, task: Path) -> dict[str, Any]:
        turns.append(name)
        zeros = {f"W{i}": np.zeros(1) for i in range(4)}
        return {**zeros, "seconds": times[name].pop(0), "final_cost": 0.5, "version": "1"}

    monkeypatch.setattr(benchmark, "_run", run)
    monkeypatch.setattr(benchmark, "contestants", lambda: (list(times), []))
    names = list(times)
    result = bench(Split(part, part, "small"), n_steps=1)
    assert turns == names * 3
    found = [(row.seconds, row.fastest, row.slowest, row.ratio) for row in result.rows]
    assert found == [(2, 1, 9, 1), (5, 4, 6, 2.5), (8, 8, 8, 4)]


def test_the_command_prints_a_table_and_json(
    pellucid: Command, photos: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "contestants", lambda: (["dual", "textbook"], ["jax"]))
    done = pellucid("bench", photos, "--steps", 3, "--repeats", 1)
    assert done.code == 0, done.err
    assert "textbook" in done.out
    assert "fastest to slowest" in done.out
    assert json.loads(pellucid("bench", photos, "--steps", 2, "--repeats", 1, "--json").out)["n_steps"] == 2
