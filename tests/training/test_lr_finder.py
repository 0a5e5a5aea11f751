"""The learning-rate finder leaves what it is given alone, is not misled by dying networks, and draws its find."""

from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tests.every import every

from pellucid import Dataset, Dense, Sequential, find_learning_rate, train
from pellucid.errors import OptionError, TrainingError
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.rate_search import RateSearch, Trial


@pytest.fixture
def data(rng: np.random.Generator) -> Dataset:
    X = rng.standard_normal((120, 5))
    return Dataset(X, (X[:, 0] + 0.5 * rng.standard_normal(120) > 0).astype(int), ("no", "yes"))


def network() -> Sequential:
    return Sequential([Dense(8, activation="relu"), Dense(1)], dtype="float64")


@every("is_trained", [False, True])
def test_model_and_optimizer_are_left_alone(data: Dataset, is_trained: bool) -> None:
    model, optimizer = network(), OPTIMIZERS.make("adam", learning_rate=0.02)
    if is_trained:
        train(model, data, optimizer=optimizer, n_epochs=3)
    theta, before = model.theta.copy(), (optimizer.config(), optimizer.n_steps, model.classes)
    find_learning_rate(model, data, optimizer=optimizer, batch_size=16, n_epochs=10)
    np.testing.assert_array_equal(model.theta, theta)
    assert model._is_initialized == is_trained
    assert (optimizer.config(), optimizer.n_steps, model.classes) == before
    if is_trained:  # its layers still look into its own flat array
        model.theta[:] = 0
        assert not any(array.any() for leaf in model._leaves() for array in leaf.params.values())


@every(("name", "batch_size"), [("sgd", 0), ("sgd", 20), ("adamw", 20)])
def test_the_rate_that_it_names_trains_as_well_as_the_best(data: Dataset, name: str, batch_size: int) -> None:
    given = {"optimizer": name, "batch_size": batch_size, "n_epochs": 400 if batch_size == 0 else 40}
    found = find_learning_rate(network(), data, **given)  # type: ignore[arg-type]
    assert found.suggestion is not None
    finals = {}
    for trial in found.rounds[0]:
        history = train(network(), data, learning_rate=trial.rate, **given)  # type: ignore[arg-type]
        finals[trial.rate] = history.losses[-1]
    fallen = {rate: found.constant - loss for rate, loss in finals.items()}
    assert fallen[found.suggestion] > 0.9 * max(fallen.values()), finals
    assert found.constant == pytest.approx(-np.mean(np.log(data.counts[data.y] / 120)), rel=1e-6)


def test_each_round_is_longer_and_two_thirds_of_a_training_in_all(data: Dataset) -> None:
    found = find_learning_rate(network(), data, n_epochs=1240, optimizer="sgd")
    assert [trials[0].n_steps for trials in found.rounds] == [20, 50, 120]
    first, second, last = (len(trials) for trials in found.rounds)
    assert first == 9
    assert second in (4, 5)
    assert last in (2, 3, 4)
    assert found.n_steps == 1240
    assert sum(len(trials) * trials[0].n_steps for trials in found.rounds) < 0.75 * 1240
    np.testing.assert_allclose([trial.rate for trial in found.rounds[0]], np.geomspace(1e-4, 1, 9))
    best = min(found.rounds[-1], key=lambda trial: trial.loss or 9)
    assert found.suggestion == best.rate


@every(("at_the_end", "highest_alive"), [(-1.5, 1.0), (-0.5, 1.0), (0.0, 1.0), (-0.5, 0.1)])
def test_a_high_rate_that_only_longer_trainings_show_is_found(
    data: Dataset, monkeypatch: pytest.MonkeyPatch, at_the_end: float, highest_alive: float
) -> None:
    """In the first round 0.001 is best, in the second 0.003, in the last one a higher one."""
    best = {20: -3.0, 50: -2.5, 120: at_the_end}

    def train_shortly(self: Any, rate: float, length: float) -> Trial:
        n_steps, is_dead = round(length), rate > highest_alive
        return Trial(rate, n_steps, abs(np.log10(rate) - best[n_steps]) / 10, not is_dead, is_dead)

    monkeypatch.setattr("pellucid.training.lr_finder._Search.train", train_shortly)
    found = find_learning_rate(network(), data, n_epochs=1240, optimizer="sgd")
    assert found.suggestion == pytest.approx(min(10**at_the_end, highest_alive))
    rates = [trial.rate for trial in found.rounds[-1]]
    assert rates == sorted(set(rates))


def test_the_fall_to_the_constant_prediction_counts_for_nothing(rng: np.random.Generator) -> None:
    """Here a high rate falls fastest, to one answer for all, where its relus stay dead."""
    X = rng.random((100, 30)) + 1.0  # far from 0, as photos are: one step too far kills every unit
    y = (X[:, :5].sum(axis=1) > X[:, 5:10].sum(axis=1)).astype(int)
    found = find_learning_rate(network(), Dataset(X, y), n_epochs=1500, optimizer="sgd", max_lr=10.0)
    early = {trial.rate: trial for trial in found.rounds[0]}
    dead = [trial for trial in early.values() if trial.is_dead and trial.loss is not None]
    assert dead, "the test needs a rate that kills the network"
    assert found.suggestion is not None
    assert found.suggestion < min(trial.rate for trial in dead)
    assert early[found.suggestion].loss is not None


def test_says_where_nothing_is_learned(rng: np.random.Generator) -> None:
    data = Dataset(np.zeros((60, 4)), np.arange(60) % 2)  # nothing to tell apart
    found = find_learning_rate(network(), data, n_epochs=40, optimizer="sgd")
    assert found.suggestion is None
    assert str(found).startswith("Nothing was learned at any rate from 0.0001 to 1: after up to")
    assert "one answer for all, 0.693" in str(found)
    assert len(found.rounds) == 4, "the best have had a quarter of the training besides"
    figure = found.plot()
    FigureCanvasAgg(figure).draw()
    assert "Nothing was learned at any rate." in [text.get_text() for text in figure.axes[0].texts]


def test_a_rate_that_diverges_is_no_candidate(data: Dataset) -> None:
    y = data.X[:, 0] * 3
    how: Any = {"n_epochs": 300, "optimizer": "sgd", "min_lr": 1e-3, "max_lr": 1e4}
    found = find_learning_rate(network(), Dataset(data.X, y), **how)
    assert found.rounds[0][-1].loss is None
    assert found.suggestion is not None
    assert found.suggestion < 1
    assert found.to_dict()["rounds"][0][-1]["loss"] is None
    FigureCanvasAgg(found.plot()).draw()


def test_a_loss_that_never_was_a_number_is_told(data: Dataset) -> None:
    with pytest.raises(TrainingError, match=r"NaN or infinite at every rate from 1e\+299"):
        find_learning_rate(network(), data, optimizer="sgd", n_epochs=10, max_lr=1e300, min_lr=1e299)


@every(
    ("options", "message"),
    [
        ({"min_lr": 0}, "min_lr to be a number above 0"),
        ({"min_lr": 1, "max_lr": 0.5}, "max_lr to be a number above 1"),
        ({"n_rates": 2}, "n_rates to be a whole number of at least 3"),
        ({"optimizer": OPTIMIZERS.make("lbfgs")}, "LBFGS has no learning rate to find"),
    ],
)
def test_wrong_options_are_named(data: Dataset, options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        find_learning_rate(network(), data, **options)  # type: ignore[arg-type]


def search() -> RateSearch:
    first = tuple(Trial(rate, 8, loss, True, False) for rate, loss in ((0.01, 0.6), (0.1, 0.5), (1.0, 0.9)))
    return RateSearch((first, (Trial(0.1, 20, 0.3, True, False),)), 0.69, 0.1, 100)


def test_the_figure_shows_the_numbers() -> None:
    figure = search().plot()
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), [0.01, 0.1, 1.0])
    np.testing.assert_array_equal(axes.lines[1].get_ydata()[:2], [0.6, 0.5])
    assert [0.3] in [np.asarray(line.get_ydata()).tolist() for line in axes.lines]
    assert axes.get_xscale() == "log"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Learning rate", "Training loss")
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words == ["One answer for all", "After 8 steps", "After 20 steps", "Suggested: 0.1", "Above 0.83"]
    low, high = axes.get_ylim()
    assert low < 0.3 < 0.69 < high < 0.9
    FigureCanvasAgg(figure).draw()


def test_a_search_says_what_it_found() -> None:
    found = search()
    words = "Learning rate 0.1: after 20 steps the lowest loss, 0.3; one answer for all has 0.69."
    assert str(found) == words
    assert repr(found) == "RateSearch(3 rates, suggestion: 0.1)"
    assert "Learning rate 0.1" in found._repr_html_()
    assert "<img" in found._repr_html_()
    edge = RateSearch((found.rounds[0], (Trial(1.0, 20, 0.3, True, False),)), 0.69, 1.0, 100)
    assert str(edge).endswith("It is the highest rate that was tried: a higher one may be better still.")
