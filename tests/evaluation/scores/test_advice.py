"""What to try next: each finding from numbers that show it, nothing where all is well, and the very command."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command
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
FALLEN = [*np.geomspace(0.65, 0.011, 20), *np.full(30, 0.01)]


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
    part = Dataset(np.zeros((len(y), 64, 64, 3), np.uint8), y, tuple("abcdef"[:k]))
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
    always = predictions(y.astype(int), np.ones(50, int))
    (one, *_) = found(run_of(FALLEN, model="mlp"), always)
    assert one.finding == "Not shown to be better than the baseline, always 'b'. Never predicted: a."
    assert one.command == "pellucid train pets --model cnn"
    nearly = mostly_right(y.astype(int), 16)
    (one, *_) = found(run_of(FALLEN, model="mlp"), nearly)
    assert "Not shown to be better" in one.finding
    (one, *_) = found(run_of(FALLEN, model="cnn"), nearly)
    assert one.command == "pellucid data check pets", "the model that suits the data is the one that ran"
    assert "Not shown to be better" in found(run_of(FALLEN), mostly_right(y.astype(int), 30))[0].finding
    worse = found(run_of(FALLEN), mostly_right(y.astype(int), 48))[0].finding
    assert worse == "The test accuracy is below the baseline, always 'b'."


@every(
    ("losses", "words"),
    [
        (np.linspace(0.7, 2.0, 50), "rose from 0.7 to 1.95 (learning rate 0.015)"),
        (np.full(50, 0.693), "0.693, is no better than that of one answer for all, 0.693"),
        (np.linspace(2.0, 0.7, 50), "is no better than that of one answer for all"),
    ],
)
def test_a_learning_rate_that_does_not_learn(losses: Any, words: str) -> None:
    (one, *others) = found(run_of(losses), predictions(np.arange(N) % 2, np.zeros(N, int)))
    assert words in one.finding
    assert one.command == "pellucid find-lr pets --model cnn --epochs 50"
    assert not any("falling" in other.finding or "fitting" in other.finding for other in others)
    config, *_ = plan("cnn", DataSource("pets"), optimizer="lbfgs", n_epochs=50)
    for one in found(run_of(losses, config=config), mostly_right(np.arange(N) % 2, 4)):
        assert "find-lr" not in one.command, "L-BFGS has none"


def test_a_training_that_diverges_names_the_search_for_a_rate(pellucid: Command) -> None:
    for command in ("train", "digits"), ("run", "digits"):
        done = pellucid(
            *command, "--model", "mlp-wide", "--optimizer", "sgd", "--learning-rate", 1e30, "--epochs", 3
        )
        assert done.code == 2, done.out
        assert (
            "To find a rate: pellucid find-lr digits --model mlp-wide --epochs 3 --optimizer sgd" in done.err
        )


def test_a_class_that_is_never_predicted() -> None:
    y = np.arange(N) % 3
    test, train = predictions(y, np.where(y == 2, 0, y), 3), mostly_right(y, 1, 3)
    (one,) = found(run_of(FALLEN, model="mlp", y=y), test, train)[:1]
    assert one == Advice("Never predicted: c.", "pellucid train pets --model cnn")
    of_four = np.arange(N) % 4
    half = predictions(of_four, of_four % 2, 4)
    (one,) = found(run_of(FALLEN, y=of_four), half, mostly_right(of_four, 1, 4))[:1]
    assert one.finding == "Never predicted: c, d."
    rare = np.where(np.arange(N) % 10 == 0, 2, np.arange(N) % 2)
    (one,) = found(run_of(FALLEN, y=rare), test, train)[:1]
    assert one.command == "pellucid train pets --model cnn --epochs 50 --class-weight balanced"


def test_over_fitting_is_told_of_a_gap_beyond_chance() -> None:
    test, train = mostly_right(np.arange(N) % 2, 20), mostly_right(np.arange(N) % 2, 0)
    (one,) = found(run_of(FALLEN, model="mlp"), test, train)
    assert one.finding == "Over-fitting: accuracy 100 % in training, 80 % on the test part."
    assert one.command == "pellucid train pets --model cnn"
    plain, *_ = plan("cnn", DataSource("pets"), augment="none")
    (one,) = found(run_of(FALLEN, config=plain), test, train)
    assert one.command == "pellucid train pets --model cnn --augment photo"
    assert found(run_of(FALLEN), mostly_right(np.arange(N) % 2, 3), train) == []


def test_a_validation_loss_that_rose_again() -> None:
    held = [*np.linspace(0.7, 0.2, 20), *np.linspace(0.2, 0.5, 30)]
    config, *_ = plan("cnn", DataSource("pets"), n_epochs=50, validation=0.2)
    test = mostly_right(np.arange(N) % 2, 4)
    (one,) = found(run_of(FALLEN, config=config, validation_loss=held), test)
    assert "was lowest after epoch 20 of 50 and rose since." in one.finding
    assert one.command == "pellucid train pets --model cnn --epochs 50 --validation 0.2 --patience 5"
    assert found(run_of(FALLEN, config=config, validation_loss=FALLEN), test) == []


def test_a_loss_that_still_falls() -> None:
    falling = np.geomspace(0.65, 0.3, 50)
    train = mostly_right(np.arange(N) % 2, 6)
    (one,) = found(run_of(falling), mostly_right(np.arange(N) % 2, 7), train)
    assert "was still falling at the end" in one.finding
    assert one.command == "pellucid train pets --model cnn --epochs 100"
    jitter = falling + 0.2 * np.random.default_rng(1).standard_normal(50)
    assert found(run_of(jitter), mostly_right(np.arange(N) % 2, 7), train) == [], "noise is no fall"


def test_three_at_most_each_command_once() -> None:
    y = np.arange(N) % 3
    advice = found(run_of(np.full(50, 1.0986), model="mlp", y=y), predictions(y, np.zeros(N, int), 3))
    assert [one.command for one in advice] == [
        "pellucid find-lr pets --model mlp --epochs 50",
        "pellucid train pets --model cnn",
    ]
    lines = lines_of(advice)
    assert lines[0] == "What to try next:"
    assert lines[2] == "    pellucid find-lr pets --model mlp --epochs 50"


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
    run, command = run_of_model("mlp-small"), "pellucid train wine.csv --target quality --model mlp-small"
    (one, *_) = advise(run_of_model("mlp-wide"), guess, metrics_of(good))
    assert one.command == command, "a smaller network suits so few rows"
    (one,) = advise(run, guess, metrics_of(good))
    assert one.command == f"{command} --weight-decay 0.1"
    (one,) = advise(run_of_model("mlp-small", weight_decay=0.1), guess, metrics_of(good))
    assert one.command == "pellucid data check wine.csv --target quality"
    (one, *_) = advise(run, guess, metrics_of(good))
    assert "no better than always predicting the mean" in one.finding
    assert advise(run, good, metrics_of(good)) == ()


@every("losses", [[0.7, 0.71], [0.7, 2.0, 5.0], [0.693]])
def test_after_few_epochs_more_of_them_come_first(losses: list[float]) -> None:
    test = predictions(np.arange(N) % 2, np.zeros(N, int))
    config, *_ = plan("cnn", DataSource("pets"), n_epochs=len(losses))
    (one,) = found(run_of(losses, config=config), test, test)
    assert one.command == "pellucid train pets --model cnn --epochs 120"
    config, *_ = plan("mlp", DataSource("pets"), n_epochs=2)
    assert {each.command for each in found(run_of(losses, config=config), test, test)} == {
        "pellucid train pets --model mlp --epochs 2500",
        "pellucid train pets --model cnn",
    }


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
        return run_of(
            FALLEN,
            config=plan("auto", DataSource("pets"), start=tmp_path / "before.safetensors", **options)[0],
        )

    assert found(run(), test, train)[0].command == f"{begin} --augment photo"
    assert found(run(augment="photo"), test, train)[0].command == "pellucid data check pets"
    assert found(run(n_epochs=2), test, train)[0].command == f"{begin} --epochs 50"
    frozen = found(run(freeze="conv2d_4"), test, mostly_right(np.arange(N) % 2, 40))
    assert [one.command for one in frozen] == [begin]
