"""Random seeds: the same bits as one training after the other, and what it says of them."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import pellucid as pl
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError, OptionError, TrainingError
from pellucid.evaluation.comparison.seeds import (
    QUARTILES,
    SeedComparison,
    SeedRuns,
    SeedTraining,
    compare_seeds,
)
from pellucid.nn.initializers import published
from pellucid.rng import legacy_stream
from pellucid.runs.build import fit_run, plan
from pellucid.runs.candidates import draw_published_start, find_candidate


@pytest.fixture(scope="module")
def split() -> Split:
    rng = np.random.default_rng(5)
    y = np.arange(60) % 2
    X = (rng.integers(0, 200, (60, 8, 8, 3)) + 30 * y[:, None, None, None]).astype(np.uint8)
    return Split(*(Dataset(X[at], y[at], ("dark", "bright")) for at in (slice(40), slice(40, 60))), "small")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_starts_are_those_of_train_bit_for_bit(split: Split, n_jobs: int) -> None:
    candidate = find_candidate("A", "mlp-wide", data="small", n_epochs=3)  # its start is drawn from the seed
    result = compare_seeds(split, [candidate], 3, first_seed=7, n_jobs=n_jobs)
    for start in result.runs[0].starts:
        config, *_ = plan("mlp-wide", data="small", n_epochs=3, seed=start.seed, n_threads=1)
        model = pl.preset("mlp-wide")
        with threadpool_limits(limits=1, user_api="blas"):
            history = fit_run(model, split, config)
            predicted = model.predict(split.test.X)
        assert start.theta_sha256 == hashlib.sha256(model.theta.tobytes()).hexdigest()
        assert start.final_loss == history.losses[-1]
        assert start.n_correct == int((predicted == split.test.y).sum())
    kept = result.to_dict()
    assert [start["seed"] for start in kept["rows"][0]["starts"]] == [7, 8, 9]
    assert kept["is_complete"]


def test_a_published_start_is_the_tutorials_with_another_seed() -> None:
    model = pl.preset("mlp")
    model.initialize((4,))
    draw_published_start(model, 5)
    stream = legacy_stream(5)
    for leaf in model._leaves():
        if "W" in leaf.params:
            n_in, n_out = leaf.params["W"].shape
            np.testing.assert_array_equal(leaf.params["W"], stream.randn(n_out, n_in).T / np.sqrt(n_in))
    assert published.__name__ == "published"


def test_the_published_run_is_among_its_starts(published_dir: Path) -> None:
    cats = pl.load_data("catvnoncat")
    candidate = find_candidate("A", "mlp", data="catvnoncat")
    result = compare_seeds(cats, [candidate], 2)
    first = result.runs[0].starts[0]
    assert (first.seed, first.accuracy, first.form) == (1, 0.8, "dual")
    assert first.final_loss == pytest.approx(0.088439943441702, rel=1e-9)
    assert result.reference() == (0.8, "published")
    assert (result.baseline, result.majority_class) == (0.34, "non-cat")


def some(*accuracies: float | None, letter: str = "A") -> SeedRuns:
    starts = (
        SeedTraining(i + 1, a, theta_sha256=f"{i}", fault="" if a else "broke")
        for i, a in enumerate(accuracies)
    )
    return SeedRuns(letter, "net", tuple(starts))


def seeds_of(*runs: SeedRuns, n_seeds: int = 5) -> SeedComparison:
    return SeedComparison("small", "photo", 50, 0.66, "cat", n_seeds, runs)


def test_the_spread_is_counted_right() -> None:
    draws = some(0.70, 0.66, 0.80, None, 0.74)
    result = seeds_of(draws)
    deviation = np.std([0.70, 0.66, 0.80, 0.74], ddof=1)
    assert [*draws.spread().values()] == pytest.approx([0.66, 0.69, 0.72, 0.755, 0.80, 0.725, deviation])
    assert [*draws.spread()] == [*QUARTILES, "mean", "standard_deviation"]
    kept = result.to_dict()
    (row,) = kept["rows"]
    assert row["n_above_baseline"] == 3, "0.66 itself is not above 0.66"
    assert kept["reference"] == {"accuracy": 0.70, "of": "seed 1"}
    assert (row["n_at_least_reference"], row["n_failed"], row["n_starts"]) == (3, 1, 5)
    assert "3 of 4 reach that of seed 1" in result.headline
    assert "A, seed 4: broke" in result.notes


def test_two_networks_are_set_against_each_other() -> None:
    result = seeds_of(some(0.70, 0.72), some(0.72, 0.80, letter="B"), n_seeds=2)
    difference = result.difference()
    assert difference is not None
    assert (difference.mean, difference.wins, difference.ties) == (pytest.approx(0.05), 0.75, 0.25)
    assert "B is higher in 75 %, equal in 25 %" in result.headline
    assert json.loads(json.dumps(result.to_dict()))["difference"]["wins"] == 0.75


def test_a_network_without_luck_is_said_to_be_one(split: Split) -> None:
    result = compare_seeds(split, [find_candidate("A", "logistic", data="small", n_epochs=5)], 3)
    assert result.to_rows()[0]["is_deterministic"]
    assert result.headline.startswith("All 3 starts give the same network")


def test_broken_trainings(split: Split) -> None:
    wild = find_candidate("A", "mlp", data="small", n_epochs=40, learning_rate=1e150, form="direct")
    with pytest.raises(TrainingError, match=r"A \(mlp\): every start failed"):
        compare_seeds(split, [wild], 2)


def test_what_cannot_be_drawn_is_refused(split: Split, tmp_path: Path) -> None:
    model = pl.preset("logistic")
    pl.train(model, split.train, n_epochs=1)
    pl.save(model, tmp_path / "model.safetensors")
    mlp = find_candidate("A", "mlp", data="small", n_epochs=1)
    empty = replace(split, test=split.test.take(slice(0, 0)))
    one = replace(split, train=split.train.take(split.train.y == 0))
    trained = find_candidate("B", tmp_path / "model.safetensors")
    for data, candidate, n_seeds, first, error, expected in (
        (split, mlp, 1, 1, OptionError, "2 or more, got 1"),
        (split, mlp, 2, 2**32 - 1, OptionError, "from 0 to"),
        (split, trained, 5, 1, OptionError, "cannot be drawn again"),
        (empty, mlp, 5, 1, DataError, "the test part is empty"),
        (one, mlp, 5, 1, DataError, "two classes or more"),
    ):
        with pytest.raises(error, match=expected):
            compare_seeds(data, [candidate], n_seeds, first_seed=first)
