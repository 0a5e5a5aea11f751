"""Sweeps: the same table however they run, failures kept apart, the front and the rounds right."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import FormatError, OptionError, TrainingError
from pellucid.evaluation.sweep.records import Sweep, Training, Trial, pareto_front, rank

NET = """
[[layers]]
type = "Dense"
units = 3
activation = "tanh"
[[layers]]
type = "Dense"
units = 1
[training]
optimizer = "adam"
epochs = 4
"""
SPACE: dict[str, Any] = {
    "learning_rate": {"log": [1e-3, 0.3]},
    "batch_size": [8, 16],
    "layers.0.units": [2, 5],
}


@pytest.fixture(scope="module")
def split() -> Split:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(90, 4))
    y = (X[:, 0] * X[:, 1] + 0.3 * rng.normal(size=90) > 0).astype(int)
    whole = Dataset(X, y, ("no", "yes"))
    return Split(whole.take(slice(60)), whole.take(slice(60, 90)), "points")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("net") / "net.toml"
    path.write_text(NET)
    return path


def table(found: Sweep) -> dict[str, Any]:
    """All that a sweep found but for seconds, on which also its front depends."""
    record = found.to_dict()
    for name in ("seconds", "front"):
        del record[name]
    for trial in record["trials"]:
        del trial["seconds"]
        for training in trial["trainings"]:
            del training["seconds"]
    return record


@pytest.fixture(scope="module")
def found(split: Split, net: Path) -> Sweep:
    return pl.sweep(split, net, SPACE, n_trials=6, cv="3x1", n_jobs=1)


def test_the_best_is_the_highest_mean_over_folds(found: Sweep) -> None:
    assert found.best is not None
    means = [np.mean([one.scores["balanced_accuracy"] for one in trial.trainings]) for trial in found.trials]
    assert found.best.score("balanced_accuracy") == max(means)
    assert found.n_trainings == 18
    assert {len(trial.trainings) for trial in found.trials} == {3}
    assert {trial.n_parameters for trial in found.trials} <= {2 * 5 + 3, 5 * 5 + 6}
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_trials_do_not_depend_on_processes_and_metric(found: Sweep, split: Split, net: Path) -> None:
    again = pl.sweep(split, net, SPACE, n_trials=6, cv="3x1", n_jobs=2)
    assert table(again) == table(found)
    by_loss = pl.sweep(split, net, SPACE, n_trials=6, cv="3x1", n_jobs=1, metric="log_loss")
    losses = [trial.score("log_loss") for trial in by_loss.trials]
    assert by_loss.best is not None
    assert by_loss.best.score("log_loss") == min(losses)


def test_a_trial_is_the_training_that_its_options_say(found: Sweep, split: Split, net: Path) -> None:
    """The first fold of a trial, trained by hand."""
    from pellucid.evaluation.comparison.splitting import make_folds
    from pellucid.formats.architecture import load_architecture

    trial = found.trials[0]
    train, test = (split.train.take(rows) for rows in make_folds(split.train, 3, 1).rows[0])
    units = trial.options["layers.0.units"]
    architecture = load_architecture(net, {("layers", "0", "units"): units})
    architecture.initialize((4,), seed=1)
    options = {name: trial.options[name] for name in ("batch_size", "learning_rate")}
    pl.train(architecture.model, train, n_epochs=4, seed=1, optimizer="adam", n_threads=1, **options)
    accuracy = pl.evaluate(architecture.model, test, n_resamples=10)["accuracy"].value
    assert trial.trainings[0].scores["accuracy"] == pytest.approx(accuracy, abs=1e-12)


@pytest.mark.parametrize("cut", [0, 1, 25])
def test_a_file_that_was_cut_goes_on_to_the_same_table(
    found: Sweep, split: Split, net: Path, tmp_path: Path, cut: int
) -> None:
    file = tmp_path / "results.jsonl"
    kept: dict[str, Any] = {"n_trials": 6, "cv": "3x1", "n_jobs": 1, "results": file}
    pl.sweep(split, net, SPACE, **kept)
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 19
    file.write_bytes(b"".join(lines[:8]) + lines[8][:cut])  # as a kill may leave it
    again = pl.sweep(split, net, SPACE, **kept, resume=True)
    assert table(again) == table(found)
    assert file.read_bytes().startswith(b"".join(lines[:8]))
    assert len(file.read_bytes().splitlines()) == 19  # nothing twice, nothing lost
    more = pl.sweep(split, net, SPACE, **{**kept, "n_trials": 7}, resume=True)
    assert len(file.read_bytes().splitlines()) == 19 + 3
    assert len(more.trials) == 7


def test_other_sweeps_are_not_gone_on_with(split: Split, net: Path, tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    kept: dict[str, Any] = {"n_trials": 1, "n_jobs": 1, "results": file}
    pl.sweep(split, net, SPACE, **kept)
    before = file.read_bytes()
    other = Split(split.train.take(slice(50)), split.test, "points")
    for data, more, expected in (
        (split, {}, "Add --resume to go on"),
        (split, {"resume": True, "seed": 2}, "has another seed: 1, now 2"),
        (split, {"resume": True, "n_epochs": 2}, "has another training"),
        (split, {"resume": True, "cv": "2x1"}, "has another cv"),
        (other, {"resume": True}, "has another data"),
    ):
        with pytest.raises(OptionError, match=expected):
            pl.sweep(data, net, SPACE, **kept, **more)
    assert file.read_bytes() == before
    for text in (b"hello\n", b"[]\n", b'{"pellucid sweep": 2}\n', before + b"{}\n", before + b"\xff\n"):
        file.write_bytes(text)
        with pytest.raises(FormatError, match="not a line of a sweep's results"):
            pl.sweep(split, net, SPACE, **kept, resume=True)
        assert file.read_bytes() == text


def test_halving_goes_on_with_the_best_third(split: Split, net: Path) -> None:
    found = pl.sweep(split, net, SPACE, search="halving", n_trials=9, n_epochs=9, n_jobs=1)
    by_round = [[trial for trial in found.trials if trial.round == i] for i in range(3)]
    assert [len(trials) for trials in by_round] == [6, 2, 1]
    assert [trials[0].n_epochs for trials in by_round] == [1, 3, 9]
    assert found.best is by_round[2][0]
    assert found.n_trainings == 9 + 3 + 1
    with pytest.raises(OptionError, match="more epochs"):
        pl.sweep(split, net, {"epochs": [2, 3]}, search="halving", n_jobs=1)


def test_trials_that_fail_are_told_and_the_others_ranked(split: Split, tmp_path: Path) -> None:
    net = tmp_path / "net.toml"
    net.write_text(NET.replace("tanh", "relu").replace("epochs = 4", "epochs = 20"))
    space = {"learning_rate": [0.01, 1e30], "optimizer": ["sgd"]}
    with np.errstate(all="ignore"):
        found = pl.sweep(split, net, space, search="grid", n_jobs=1)
        assert [bool(trial.fault) for trial in found.trials] == [False, True]
        assert found.best is found.trials[0]
        assert "failed" in str(found)
        with pytest.raises(TrainingError, match="every trial failed"):
            pl.sweep(split, net, {"learning_rate": [1e30], "optimizer": ["sgd"]}, search="grid", n_jobs=1)


def test_options_that_contradict_each_other_fail_alone(split: Split, net: Path) -> None:
    space = {"optimizer": ["adam", "sgd"], "optimizer_options.momentum": [0.5]}
    found = pl.sweep(split, net, space, search="grid", n_jobs=1)
    assert ["momentum" in trial.fault for trial in found.trials] == [True, False]


def test_quantities_are_ranked_by_their_error(net: Path, rng: np.random.Generator) -> None:
    X = rng.normal(size=(40, 3))
    data = Split(Dataset(X[:30], X[:30, 0]), Dataset(X[30:], X[30:, 0]), "numbers")
    space = {"learning_rate": [0.001, 0.1]}
    found = pl.sweep(data, net, space, search="grid", n_jobs=1, n_epochs=20)
    assert found.metric == "root_mean_squared_error"
    assert found.best is not None
    assert found.best.options == {"learning_rate": 0.1}
    with pytest.raises(OptionError, match="unknown metric 'accuracy'"):
        pl.sweep(data, net, space, metric="accuracy")


def test_the_test_part_is_not_looked_at(found: Sweep, split: Split, net: Path) -> None:
    other = Split(split.train, Dataset(split.test.X * 1e6, split.test.y, split.classes), "points")
    again = pl.sweep(other, net, SPACE, n_trials=6, cv="3x1", n_jobs=1)
    assert table(again) == table(found)


def made(number: int, score: float, seconds: float, n_parameters: int = 1) -> Trial:
    return Trial(
        number, {}, (Training(0, 0, 1, {"accuracy": score, "log_loss": score}, seconds, n_parameters),)
    )


def test_the_front_is_what_none_beats_in_both() -> None:
    trials = [made(1, 0.9, 5), made(2, 0.8, 1), made(3, 0.85, 6), made(4, 0.8, 2), made(5, 0.7, 0.5)]
    assert [one.number for one in pareto_front(trials, "accuracy", "seconds")] == [5, 2, 1]
    assert [one.number for one in pareto_front(trials, "log_loss", "seconds")] == [5]
    assert [one.number for one in rank([made(1, 0.9, 1, 9), made(2, 0.9, 1, 3)], "accuracy")] == [2, 1]


def test_a_sweep_shows_itself(found: Sweep) -> None:
    assert found.best is not None
    assert found.best.in_words() in str(found)
    assert "<table>" in found._repr_html_()
    labels = [line.get_label() for line in found.plot().axes[0].lines]
    assert f"best: trial {found.best.number}" in labels
    assert len(found.figures()["options"].axes) == 3
