"""What to try next: each finding from numbers that show it, nothing where all is well, and the very command."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command, assert_refused
from tests.every import every

from pellucid.data.dataset import Dataset, Split
from pellucid.data.source import DataSource
from pellucid.evaluation.scores.advice import Advice, advise, lines_of
from pellucid.formats.safetensors import save
from pellucid.nn.presets import preset
from pellucid.prediction.metrics import metrics_of
from pellucid.prediction.predict import Predictions
from pellucid.runs.build import plan
from pellucid.runs.config import RunConfig
from pellucid.runs.run import Run
from pellucid.training.history import History

N = 100
USUAL = 120  # epochs of cnn's recipe
FALLEN = [*np.geomspace(0.65, 0.011, 40), *np.full(USUAL - 40, 0.01)]


def predictions(y_true: Any, y_pred: Any, k: int = 2) -> Predictions:
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    names = tuple("abcdef"[:k])
    return Predictions("classification", y_true, y_pred, np.zeros((len(y_true), k)), False, names)


def mostly_right(y: Any, n_wrong: int, k: int = 2) -> Predictions:
    wrong = np.arange(len(y)) < n_wrong
    return predictions(y, np.where(wrong, (np.asarray(y) + 1) % k, y), k)


def run_of(
    losses: Any, *, model: str = "cnn", y: Any = None, config: RunConfig | None = None, **columns: Any
) -> Run:
    """Return a run on photos whose training is finished."""
    y = np.arange(N) % 2 if y is None else np.asarray(y)
    k = int(y.max()) + 1
    X = np.full((len(y), 64, 64, 3), np.arange(len(y)).reshape(-1, 1, 1, 1), np.uint8)
    part = Dataset(X, y, tuple("abcdef"[:k]))
    network = preset("logistic", k)  # only its loss and its outputs matter
    network.initialize((64, 64, 3))
    network._choose_loss(y)
    history = History(is_complete=True)
    for i, loss in enumerate(losses):
        history.append({"loss": float(loss), **{name: float(values[i]) for name, values in columns.items()}})
    config = config or plan(model, DataSource("pets"), n_epochs=len(history.losses))[0]
    return Run(Path("runs/pets"), config, Split(part, part, "pets"), network, history)


def found(run: Run, test: Predictions, train: Predictions | None = None) -> list[Advice]:
    return list(advise(run, test, metrics_of(train or mostly_right(np.arange(N) % 2, 1))))


def test_nothing_is_said_where_all_is_well() -> None:
    test = mostly_right(np.arange(N) % 2, 4)
    assert found(run_of(FALLEN), test) == []
    few = mostly_right(np.arange(8) % 2, 0)
    assert found(run_of(FALLEN), few) == [], "no more can be had, however few they are"
    assert lines_of([]) == []


def test_a_score_that_cannot_be_told_from_the_baseline() -> None:
    y = np.arange(50) % 5 > 1  # 30 of 50 are 1
    nearly = mostly_right(y.astype(int), 16)
    train = mostly_right(y.astype(int), 15)
    small, *_ = plan("cnn-small", DataSource("pets"))
    (one,) = found(run_of(FALLEN, config=small), nearly, train)
    assert "Not shown to be better than the baseline, always 'b'." in one.finding
    assert one.command == "pellucid train pets --model cnn"
    (one,) = found(run_of(FALLEN), nearly, train)
    assert one.command == "", "the model that suits the data is the one that ran"
    wrong = mostly_right(y.astype(int), 48)
    (one,) = found(run_of(FALLEN), wrong, wrong)
    assert one.finding.startswith("The test accuracy is below the baseline, always 'b'.")
    few = mostly_right(np.arange(8) % 2, 3)
    assert found(run_of(FALLEN), few, few) == [], "with so few nothing could be shown to be better"


@every(
    ("losses", "words"),
    [
        (np.linspace(0.7, 2.0, USUAL), "rose from 0.7 to 1.94 (learning rate 0.015)"),
        (np.full(USUAL, 0.693), "0.693, is no better than that of one answer for all, 0.693"),
        (np.linspace(2.0, 0.7, USUAL), "is no better than that of one answer for all"),
        ([0.7, 2.0, 5.0], "rose from 0.7 to 5 (learning rate 0.015)"),
    ],
)
def test_a_learning_rate_that_does_not_learn(losses: Any, words: str) -> None:
    (one,) = found(run_of(losses), predictions(np.arange(N) % 2, np.zeros(N, int)))
    assert words in one.finding
    epochs = "" if len(losses) == USUAL else f" --epochs {len(losses)}"
    assert one.command == f"pellucid find-lr pets --model cnn{epochs}"
    config, *_ = plan("cnn", DataSource("pets"), optimizer="lbfgs", n_epochs=50)
    for one in found(run_of(losses, config=config), mostly_right(np.arange(N) % 2, 4)):
        assert "find-lr" not in one.command, "L-BFGS has none"


def test_photos_that_are_all_alike_are_told_first_and_alone() -> None:
    run, test = run_of(np.full(USUAL, 0.693)), predictions(np.arange(N) % 2, np.zeros(N, int))
    black = replace(run.split.train, X=np.zeros((N, 8, 8, 3), np.uint8))
    (one,) = found(replace(run, split=Split(black, black, "pets")), test)
    alike = "The training photos are all alike: there is nothing to learn."
    assert one == Advice(alike, "pellucid data check pets")
    black.X[7, 3, 3] = 1
    assert "alike" not in found(replace(run, split=Split(black, black, "pets")), test)[0].finding


def test_a_training_that_diverges_names_the_search_for_a_rate(pellucid: Command) -> None:
    for command in ("train", "run"):
        done = pellucid(f"{command} digits --model mlp-wide --optimizer sgd --learning-rate 1e30 --epochs 3")
        told = "To find a rate: pellucid find-lr digits --model mlp-wide --epochs 3 --optimizer sgd"
        assert_refused(done, told)


def test_a_class_that_is_never_predicted() -> None:
    of_four = np.arange(N) % 4
    half, train = predictions(of_four, of_four % 2, 4), mostly_right(of_four, 50, 4)
    (one,) = found(run_of(FALLEN, y=of_four), half, train)
    assert one.finding == "Never predicted: c, d. More photos may help."
    rare = np.where(np.arange(N) % 10 == 0, 2, np.arange(N) % 2)
    y = np.arange(N) % 3
    test = predictions(y, np.where(y == 2, 0, y), 3)
    one = found(run_of(FALLEN, y=rare), test, mostly_right(y, 1, 3))[0]
    assert one.command == "pellucid train pets --model cnn --class-weight balanced"


def test_over_fitting_is_told_of_a_gap_beyond_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.evaluation.scores.advice.is_there", lambda: True)
    test, train = mostly_right(np.arange(N) % 2, 20), mostly_right(np.arange(N) % 2, 0)
    for augment, command in (("none", "photo"), ("photo", "photo-strong"), ("photo-cutmix", "")):
        config, *_ = plan("cnn", DataSource("pets"), augment=augment)
        (one,) = found(run_of(FALLEN, config=config), test, train)
        assert one.finding.startswith(
            "Over-fitting: accuracy 100 % in training, 80 % on the test part. More photos"
        )
        assert one.command == (f"pellucid train pets --model cnn --augment {command}" if command else "")
    assert found(run_of(FALLEN), mostly_right(np.arange(N) % 2, 3), train) == []
    (folder := tmp_path / "pets").mkdir()
    config = replace(plan("cnn").config, source=DataSource(folder))
    (one,) = found(run_of(FALLEN, config=config), test, train)
    assert one.command == f"pellucid train {folder} --model pretrained"


@every("n", [30, 60])
def test_fewer_epochs_than_the_recipes_are_no_over_fitting(n: int) -> None:
    test, train = mostly_right(np.arange(N) % 2, 60), mostly_right(np.arange(N) % 2, 25)
    (one,) = found(run_of(FALLEN[:n]), test, train)
    assert one == Advice(f"{n} epochs, where 120 are usual.", "pellucid train pets --model cnn --epochs 120")
    plain = plan("cnn", DataSource("pets"), n_epochs=n, augment="none").config
    perfect = mostly_right(np.arange(N) % 2, 0)
    assert found(run_of(FALLEN[:n], config=plain), test, perfect) == [], "nothing is left to learn"


def test_a_validation_loss_that_rose_again() -> None:
    held = [*np.linspace(0.7, 0.2, 20), *np.linspace(0.2, 0.5, USUAL - 20)]
    config, *_ = plan("cnn", DataSource("pets"), validation=0.2)
    test = mostly_right(np.arange(N) % 2, 4)
    (one,) = found(run_of(FALLEN, config=config, validation_loss=held), test)
    assert "was lowest after epoch 20 of 120 and rose since." in one.finding
    assert one.command == "pellucid train pets --model cnn --validation 0.2 --patience 12"
    assert found(run_of(FALLEN, config=config, validation_loss=FALLEN), test) == []


def test_a_loss_that_still_falls() -> None:
    falling = np.geomspace(0.65, 0.3, USUAL)
    train = mostly_right(np.arange(N) % 2, 6)
    (one,) = found(run_of(falling), mostly_right(np.arange(N) % 2, 7), train)
    assert "was still falling at the end" in one.finding
    assert one.command == "pellucid train pets --model cnn --epochs 240"
    jitter = falling + 0.2 * np.random.default_rng(1).standard_normal(USUAL)
    assert found(run_of(jitter), mostly_right(np.arange(N) % 2, 7), train) == [], "noise is no fall"


def test_quantities_are_compared_with_their_mean() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=(60, 1))
    part = Dataset(rng.normal(size=(60, 4)), y[:, 0])
    network = preset("mlp-wide", n_outputs=1)
    network.initialize((4,))
    network._choose_loss(part.y)
    history = History(is_complete=True)
    for loss in np.full(20, 0.2):
        history.append({"loss": float(loss)})

    def run_of_model(model: str, **options: Any) -> Run:
        config, *_ = plan(model, DataSource("wine.csv", target="quality"), **options)
        return Run(Path("runs/wine"), config, Split(part, part, "wine.csv"), network, history)

    none = np.empty((60, 0))
    guess = Predictions("regression", y, np.full_like(y, y.mean()), none, False, ())
    good = Predictions("regression", y, y + 0.1, none, False, ())
    worse = Predictions("regression", y, y * 0.5, none, False, ())
    run, command = run_of_model("mlp-small"), "pellucid train wine.csv --target quality --model mlp-small"
    (one,) = advise(run_of_model("mlp-wide"), guess, metrics_of(guess))
    assert one.command == command, "a smaller network suits so few rows"
    (one,) = advise(run, worse, metrics_of(good))
    assert one.finding.startswith("Over-fitting: R squared 0.99 in training, ")
    assert one.command == f"{command} --weight-decay 0.1"
    (one,) = advise(run_of_model("mlp-small", weight_decay=0.1), worse, metrics_of(good))
    assert one.command == "", "no stronger one, and no other network"
    assert advise(run, good, metrics_of(good)) == ()
    (one,) = advise(run_of_model("logistic", n_epochs=2000), worse, metrics_of(good))
    assert one.command.endswith("--model logistic --epochs 2000 --weight-decay 0.01"), "no larger network"


def test_a_model_that_began_from_another_goes_on_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = preset("cnn")
    before.initialize((64, 64, 3))
    save(before, "before.safetensors")
    begin = "pellucid train pets --start before.safetensors"
    test, train = mostly_right(np.arange(N) % 2, 45), mostly_right(np.arange(N) % 2, 1)

    def run(**options: Any) -> Run:
        start = tmp_path / "before.safetensors"
        return run_of(FALLEN, config=plan("auto", DataSource("pets"), start=start, **options)[0])

    assert found(run(), test, train)[0].command == f"{begin} --augment photo"
    assert found(run(n_epochs=2), test, train)[0].command == f"{begin} --epochs 50"
    frozen = found(run(freeze="conv2d_4"), test, mostly_right(np.arange(N) % 2, 44))
    assert [one.command for one in frozen] == [begin]
