"""Sweeps: the same table however they run, failures kept apart, the front right."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import FormatError, MissingExtraError, OptionError, OutputError, TrainingError
from pellucid.evaluation.comparison.splitting import make_folds
from pellucid.evaluation.sweep import train_trial
from pellucid.evaluation.sweep.result import Sweep, Training, Trial, pareto_front, rank
from pellucid.formats.architecture import load_architecture
from pellucid.training.events import EpochEnd

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
    del record["front"]
    timed = [record, *record["trials"], *(one for trial in record["trials"] for one in trial["trainings"])]
    for part in timed:
        del part["seconds"]
    return record


@pytest.fixture(scope="module")
def found(split: Split, net: Path) -> Sweep:
    return pl.sweep(net, split, SPACE, n_trials=6, cv=3, n_jobs=1)


def test_the_best_is_the_highest_mean_over_folds(found: Sweep) -> None:
    assert found.best is not None
    means = [np.mean([one.scores["balanced_accuracy"] for one in trial.trainings]) for trial in found.trials]
    assert found.best.score("balanced_accuracy") == max(means)
    assert found.n_trainings == 18
    assert {len(trial.trainings) for trial in found.trials} == {3}
    assert {trial.n_parameters for trial in found.trials} <= {2 * 5 + 3, 5 * 5 + 6}
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_trials_do_not_depend_on_processes_and_metric(found: Sweep, split: Split, net: Path) -> None:
    again = pl.sweep(net, split, SPACE, n_trials=6, cv=3, n_jobs=2)
    assert table(again) == table(found)
    by_loss = pl.sweep(net, split, SPACE, n_trials=6, cv=3, n_jobs=1, metric="log_loss")
    losses = [trial.score("log_loss") for trial in by_loss.trials]
    assert by_loss.best is not None
    assert by_loss.best.score("log_loss") == min(losses)


def test_a_trial_is_the_training_that_its_options_say(found: Sweep, split: Split, net: Path) -> None:
    """The first fold of a trial, trained by hand."""
    trial = found.trials[0]
    train, test = (split.train.take(rows) for rows in make_folds(split.train, 3, 1).rows[0])
    units = trial.options["layers.0.units"]
    architecture = load_architecture(net, {("layers", "0", "units"): units})
    architecture.initialize((4,), seed=1)
    options = {name: trial.options[name] for name in ("batch_size", "learning_rate")}
    pl.train(architecture.model, train, n_epochs=4, seed=1, optimizer="adam", n_threads=1, **options)
    accuracy = pl.evaluate(architecture.model, test, n_resamples=10)["accuracy"].value
    assert trial.trainings[0].scores["accuracy"] == pytest.approx(accuracy, abs=1e-12)


@every("search, kept", [("random", 0.6), ("tpe", 0.3), ("hyperband", 0.3), ("hyperband", 0.9)])
def test_a_study_that_was_cut_anywhere_goes_on_to_the_same_table(
    split: Split, net: Path, tmp_path: Path, search: str, kept: float
) -> None:
    """As a kill may leave it, in the middle of a line."""
    asked: dict[str, Any] = {"n_trials": 14, "search": search, "n_jobs": 1, "out": tmp_path / "out"}
    whole = pl.sweep(net, split, SPACE, **asked)
    journal = tmp_path / "out/study/journal.log"
    lines = journal.read_bytes().splitlines(keepends=True)
    n = int(kept * len(lines))
    n += b"completed_rung" in lines[n - 1]  # Hyperband has decided, and not said what
    journal.write_bytes(b"".join(lines[:n]) + lines[n][: len(lines[n]) // 2])
    again = pl.sweep(net, split, SPACE, **asked, resume=True)
    assert table(again) == table(whole)
    more = pl.sweep(net, split, SPACE, **{**asked, "n_trials": 15}, resume=True)
    assert more.trials[:14] == again.trials
    assert len(more.trials) == 15


def test_other_sweeps_are_not_gone_on_with(split: Split, net: Path, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"n_trials": 1, "n_jobs": 1, "out": tmp_path}
    pl.sweep(net, split, SPACE, **asked)
    journal = tmp_path / "study/journal.log"
    before = journal.read_bytes()
    other = Split(split.train.take(slice(50)), split.test, "points")
    for data, space, more, expected in (
        (split, SPACE, {"seed": 2}, "has another seed: 1, now 2"),
        (split, SPACE, {"n_epochs": 2}, "has another training"),
        (split, SPACE, {"cv": 2}, "has another cv"),
        (split, SPACE, {"search": "tpe"}, "has another search"),
        (split, SPACE, {"metric": "accuracy"}, "has another metric"),
        (split, {"epochs": [1]}, {}, "has another space"),
        (other, SPACE, {}, "has another data"),
    ):
        with pytest.raises(OptionError, match=expected):
            pl.sweep(net, data, space, **asked, **more, resume=True)
    assert journal.read_bytes() == before
    with pytest.raises(OutputError, match="add --resume to go on"):
        pl.sweep(net, split, SPACE, **asked)
    for text in (b"hello\n", b"[]\n", b'{"op_code": 99}\n'):
        journal.write_bytes(text)
        with pytest.raises(FormatError, match="not the journal of a sweep"):
            pl.sweep(net, split, SPACE, **asked, resume=True)
        assert journal.read_bytes() == text
    assert len(pl.sweep(net, split, SPACE, **asked, overwrite=True).trials) == 1


def test_a_line_that_cannot_be_read_is_named_and_the_trials_before_it_are_kept(
    split: Split, net: Path, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"n_trials": 3, "n_jobs": 1, "out": tmp_path}
    whole = pl.sweep(net, split, SPACE, **asked)
    journal = tmp_path / "study/journal.log"
    lines = journal.read_bytes().splitlines(keepends=True)
    n = (
        next(i for i, line in enumerate(lines) if b'"state":1' in line) + 1
    )  # after the first trial that has ended
    for wrong in (b"\xff\xfe\n", b"{}\n", b"[]\n", lines[n][:9] + b"\n"):
        journal.write_bytes(b"".join([*lines[:n], wrong, *lines[n + 1 :]]))
        before = journal.read_bytes()
        with pytest.raises(
            FormatError, match=rf"journal\.log: line {n + 1} cannot be read\. Delete it and the lines"
        ):
            pl.sweep(net, split, SPACE, **asked, resume=True)
        assert journal.read_bytes() == before
    journal.write_bytes(b"".join(lines[:n]))  # as it says
    again = pl.sweep(net, split, SPACE, **asked, resume=True)
    assert again.trials[0] == whole.trials[0]
    assert table(again) == table(whole)


def test_a_folder_of_an_older_sweep(split: Split, net: Path, tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text("{}")
    asked: dict[str, Any] = {"n_trials": 1, "n_jobs": 1, "out": tmp_path}
    for more in ({}, {"resume": True}):
        with pytest.raises(FormatError, match="of an older version"):
            pl.sweep(net, split, SPACE, **asked, **more)
    pl.sweep(net, split, SPACE, **asked, overwrite=True)
    assert not (tmp_path / "results.jsonl").exists()


def test_without_optuna_it_says_what_to_install(
    split: Split, net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pellucid\[sweep\]'"):
        pl.sweep(net, split, SPACE)


def test_hyperband_stops_trials_early_and_trains_the_others_exactly(split: Split, net: Path) -> None:
    asked: dict[str, Any] = {"n_trials": 12, "cv": 2, "n_epochs": 9, "n_jobs": 1, "schedule": "cosine"}
    found = pl.sweep(net, split, SPACE, search="hyperband", **asked)
    assert {trial.n_epochs for trial in found.trials if trial.is_pruned} <= {1, 3}
    assert {trial.n_epochs for trial in found.trials if not trial.is_pruned} == {9}
    assert 2 < sum(trial.is_pruned for trial in found.trials) < 12
    assert [trial.is_pruned for trial in found.ranked] == sorted(trial.is_pruned for trial in found.trials)
    assert not any(trial.is_pruned for trial in found.front())
    whole = pl.sweep(net, split, SPACE, search="random", **asked)
    for paused, straight in zip(found.trials[:10], whole.trials, strict=False):  # TPE's first ten are random
        assert paused.options == straight.options
        if not paused.is_pruned:
            scores = [one.scores for one in straight.trainings]
            assert [one.scores for one in paused.trainings] == scores


def test_hyperband_wants_one_metric_and_one_length(split: Split, net: Path) -> None:
    for space, more, expected in (
        ({"epochs": [2, 3]}, {}, "it chooses the epochs"),
        (SPACE, {"metric": "accuracy,seconds"}, "it takes one metric"),
    ):
        with pytest.raises(OptionError, match=expected):
            pl.sweep(net, split, space, search="hyperband", **more)
    with pytest.raises(OptionError, match="different epochs"):
        pl.sweep("mlp", split, {"model": ["mlp", "mlp-small"]}, search="hyperband")


def test_several_objectives_have_a_front(split: Split, net: Path) -> None:
    space = {"layers.0.units": [1, 2, 4, 8, 16]}
    asked: dict[str, Any] = {"search": "tpe", "n_trials": 5, "n_jobs": 1, "n_epochs": 30}
    found = pl.sweep(net, split, space, metric=["log_loss", "n_parameters"], **asked)
    front = found.front()
    assert front == found.front("log_loss", "n_parameters")
    losses = [trial.score("log_loss") for trial in front]
    assert losses == sorted(losses, key=lambda loss: -(loss or 0))
    assert [trial.n_parameters for trial in front] == sorted(trial.n_parameters for trial in front)
    assert found.best in front
    assert f"trial {front[0].number}" in str(found)
    assert found.plot().axes[0].get_xlabel() == "Parameters"
    for metric, expected in (
        ("seconds", "unknown metric 'seconds'"),
        ("accuracy,accuracy", "stands there twice"),
        ("accuracy,size", "unknown metric 'size'"),
    ):
        with pytest.raises(OptionError, match=expected):
            pl.sweep(net, split, space, metric=metric)


def test_a_trial_is_taken_over_from_its_checkpoint(
    split: Split, net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the fourth epoch of the second trial; what comes then hears the epochs after it alone."""
    asked: dict[str, Any] = {"n_trials": 3, "n_jobs": 1, "n_epochs": 8}
    whole = pl.sweep(net, split, SPACE, **asked)
    heard: list[int] = []
    train_candidate = train_trial.train_candidate

    def listen(event: Any) -> None:
        if isinstance(event, EpochEnd):
            heard.append(event.run.epoch)
            if len(heard) == 8 + 4:
                raise KeyboardInterrupt

    def heard_training(*args: Any, callbacks: Any, **named: Any) -> Any:
        return train_candidate(*args, callbacks=[*callbacks, listen], **named)

    monkeypatch.setattr(train_trial, "train_candidate", heard_training)
    monkeypatch.setattr(train_trial, "MINUTES", 1e-9)
    stopped = pl.sweep(net, split, SPACE, **asked, out=tmp_path)
    assert not stopped.is_complete
    assert stopped.trials == tuple(stopped.trials[:1])
    assert list((tmp_path / "study/trial-2/fold-0").glob("*.checkpoint"))
    again = pl.sweep(net, split, SPACE, **asked, out=tmp_path, resume=True)
    assert heard == [*range(1, 9), 1, 2, 3, 4, 4, 5, 6, 7, 8, *range(1, 9)]
    assert table(again) == table(whole)
    assert not list((tmp_path / "study").glob("trial-*"))


def test_trials_that_fail_are_told_and_the_others_ranked(split: Split, tmp_path: Path) -> None:
    net = tmp_path / "net.toml"
    net.write_text(NET.replace("tanh", "relu").replace("epochs = 4", "epochs = 20"))
    space = {"learning_rate": [0.01, 1e30], "optimizer": ["sgd"]}
    with np.errstate(all="ignore"):
        found = pl.sweep(net, split, space, search="grid", n_jobs=1)
        assert [bool(trial.fault) for trial in found.trials] == [False, True]
        assert found.best is found.trials[0]
        assert "failed" in str(found)
        with pytest.raises(TrainingError, match="every trial failed"):
            pl.sweep(net, split, {"learning_rate": [1e30], "optimizer": ["sgd"]}, search="grid", n_jobs=1)


def test_options_that_contradict_each_other_fail_alone(split: Split, net: Path) -> None:
    space = {"optimizer": ["adam", "sgd"], "optimizer_options.momentum": [0.5]}
    found = pl.sweep(net, split, space, search="grid", n_jobs=1)
    assert ["momentum" in trial.fault for trial in found.trials] == [True, False]


def test_quantities_are_ranked_by_their_error(net: Path, rng: np.random.Generator) -> None:
    X = rng.normal(size=(40, 3))
    data = Split(Dataset(X[:30], X[:30, 0]), Dataset(X[30:], X[30:, 0]), "numbers")
    space = {"learning_rate": [0.001, 0.1]}
    found = pl.sweep(net, data, space, search="grid", n_jobs=1, n_epochs=20)
    assert found.metric == "root_mean_squared_error"
    assert found.best is not None
    assert found.best.options == {"learning_rate": 0.1}
    with pytest.raises(OptionError, match="unknown metric 'accuracy'"):
        pl.sweep(net, data, space, metric="accuracy")


def test_the_test_part_is_not_looked_at(found: Sweep, split: Split, net: Path) -> None:
    other = Split(split.train, Dataset(split.test.X * 1e6, split.test.y, split.classes), "points")
    again = pl.sweep(net, other, SPACE, n_trials=6, cv=3, n_jobs=1)
    assert table(again) == table(found)


def made(number: int, score: float, seconds: float, n_parameters: int = 1, **more: Any) -> Trial:
    scores: dict[str, float | None] = {"accuracy": score, "log_loss": score}
    return Trial(number, {}, (Training(0, 1, 1, scores, seconds, n_parameters),), **more)


def test_the_front_is_what_none_beats_in_all() -> None:
    trials = [made(1, 0.9, 5), made(2, 0.8, 1), made(3, 0.85, 6), made(4, 0.8, 2), made(5, 0.7, 0.5)]
    assert [one.number for one in pareto_front(trials, ("accuracy", "seconds"))] == [5, 2, 1]
    assert [one.number for one in pareto_front(trials, ("log_loss", "seconds"))] == [5]
    small = pareto_front(
        [*trials, made(6, 0.6, 9, 0), made(7, 0.6, 9, 0)], ("accuracy", "seconds", "n_parameters")
    )
    assert [one.number for one in small] == [6, 5, 2, 1]


def test_equals_are_ranked_by_size_and_pruned_trials_last() -> None:
    assert [one.number for one in rank([made(1, 0.9, 1, 9), made(2, 0.9, 1, 3)], "accuracy")] == [2, 1]
    pruned = made(1, 0.9, 1, is_pruned=True)
    assert [one.number for one in rank([pruned, made(2, 0.8, 1)], "accuracy")] == [2, 1]


def test_a_sweep_shows_its_rows_alike(found: Sweep) -> None:
    assert found.best is not None
    rows = found.to_rows()
    assert [row["number"] for row in rows] == [trial.number for trial in found.ranked]
    assert len(found.to_frame()) == len(rows) == found._repr_html_().count("<tr>") - 1
    assert all(len(found.cells(row)) == len(found.columns) for row in rows)
    assert str(found).startswith(found.headline)
    assert found.best.in_words() in found.headline
    labels = [line.get_label() for line in found.plot().axes[0].lines]
    assert f"best: trial {found.best.number}" in labels
    varied = [name for name in SPACE if len({trial.options[name] for trial in found.trials}) > 1]
    assert len(found.figures()["options"].axes) == len(varied) >= 2
