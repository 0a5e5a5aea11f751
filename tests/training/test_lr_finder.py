"""The learning-rate finder leaves what it is given alone, ends where the loss explodes, and draws its find."""

import copy

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, ShapeError, TrainingError
from pellucid.nn.dense import Dense
from pellucid.nn.sequential import Sequential
from pellucid.plotting.training import learning_rate_curve
from pellucid.training.fit import train
from pellucid.training.lr_finder import RangeTest, find_learning_rate
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.training.optimizers.sgd import SGD


@pytest.fixture
def data(rng: np.random.Generator) -> Dataset:
    X = rng.standard_normal((120, 5))
    return Dataset(X, (X[:, 0] + 0.5 * rng.standard_normal(120) > 0).astype(int), ("no", "yes"))


def network() -> Sequential:
    return Sequential([Dense(8, activation="relu"), Dense(1)], dtype="float64")


@pytest.mark.parametrize("is_trained", [False, True])
def test_model_and_optimizer_are_left_alone(data: Dataset, is_trained: bool) -> None:
    model, optimizer = network(), OPTIMIZERS.make("adam", learning_rate=0.02)
    if is_trained:
        train(model, data, optimizer=optimizer, n_epochs=3)
    before = model.theta.copy(), optimizer.config(), copy.deepcopy(vars(optimizer)), model.classes
    find_learning_rate(model, data, optimizer=optimizer, batch_size=16)
    np.testing.assert_array_equal(model.theta, before[0])
    assert model.is_initialized == is_trained
    assert optimizer.config() == before[1]
    assert optimizer.n_steps == before[2]["n_steps"]
    assert model.classes == before[3]
    if is_trained:  # its layers still look into its own flat array
        model.theta[:] = 0
        assert not any(array.any() for leaf in model.leaves() for array in leaf.params.values())


def test_the_first_losses_are_those_of_the_model_itself(data: Dataset) -> None:
    model = network()
    train(model, data, n_epochs=20, optimizer=SGD(0.5))
    expected = model.measure(data.X, model.encode(data.y))["loss"]
    found = find_learning_rate(model, data, lowest=1e-9)
    assert found.losses[0] == pytest.approx(expected, rel=1e-12)
    assert found.losses[50] != found.losses[0]  # the copy is trained


@pytest.mark.parametrize("name", ["sgd", "adam"])
@pytest.mark.parametrize("batch_size", [None, 20])
def test_rates_grow_and_the_suggestion_trains(data: Dataset, name: str, batch_size: int | None) -> None:
    found = find_learning_rate(
        network(), data, optimizer=OPTIMIZERS.make(name), batch_size=batch_size, highest=100.0
    )
    n = len(found.rates)
    assert found.losses.shape == found.smoothed.shape == (n,)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-6, 100, 100)[:n])
    assert found.suggestion in found.rates
    assert found.suggestion < found.rates[found.smoothed.argmin()]
    model = network()
    optimizer = OPTIMIZERS.make(name, learning_rate=found.suggestion)
    history = train(model, data, optimizer=optimizer, batch_size=batch_size, n_epochs=30)
    assert history.losses[-1] < 0.7 * history.losses[0]


def test_ends_where_the_loss_explodes(data: Dataset) -> None:
    found = find_learning_rate(network(), data, highest=1e8)
    assert found.has_diverged
    assert len(found.rates) < 100
    assert found.losses[-5:].mean() > 4 * found.losses.min()
    assert found.suggestion is not None
    assert found.suggestion < 100


def test_ends_where_the_loss_is_no_number(data: Dataset) -> None:
    found = find_learning_rate(network(), data, lowest=1e-60, highest=1e300, n_steps=10, dtype="float32")
    assert found.has_diverged
    assert len(found.rates) == 3
    assert np.isfinite(found.losses).all()


def test_steepest_descent_of_a_known_curve() -> None:
    from pellucid.training.lr_finder import _smooth, _steepest

    rates = np.geomspace(1e-4, 1, 81)
    losses = 1 - 1 / (1 + np.exp(-3 * np.log(rates / 1e-2)))  # falls fastest at 0.01
    assert _steepest(rates, losses, 4) == pytest.approx(1e-2)
    noise = 0.05 * np.random.default_rng(0).standard_normal(81)
    assert 5e-3 < (_steepest(rates, losses + noise, 8) or 0) < 2e-2
    assert _steepest(rates, np.ones(81), 4) is None
    assert _steepest(rates, losses[::-1], 4) is None  # only ever rises
    line = np.linspace(1, 2, 81)
    np.testing.assert_allclose(_smooth(line, 4), line)  # no lag, and none at the ends


def test_a_loss_that_never_was_a_number_is_told(data: Dataset) -> None:
    huge = Dataset(np.full_like(data.X, 1e200), data.y)
    with pytest.raises(TrainingError, match="the loss became"):
        find_learning_rate(network(), huge, highest=1e300, lowest=1e299)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 0}, "lowest to be a number above 0"),
        ({"lowest": 1, "highest": 0.5}, "highest to be a number above 1"),
        ({"n_steps": 5}, "n_steps to be a whole number of at least 10"),
        ({"batch_size": 1000}, "batch_size"),
        ({"optimizer": OPTIMIZERS.make("lbfgs")}, "LBFGS has no learning rate to find"),
    ],
)
def test_wrong_options_are_named(data: Dataset, options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        find_learning_rate(network(), data, **options)  # type: ignore[arg-type]


def test_the_figure_shows_the_numbers(data: Dataset) -> None:
    found = find_learning_rate(network(), data, highest=1e4)
    figure = found.plot()
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), found.rates)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), found.losses)
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), found.smoothed)
    assert axes.get_xscale() == "log"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Learning rate", "Loss")
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert f"Steepest descent: {found.suggestion:.2g}" in words
    low, high = axes.get_ylim()
    assert low < found.smoothed.min() < found.smoothed.max() < high
    FigureCanvasAgg(figure).draw()


def test_the_figure_says_where_nothing_fell() -> None:
    flat = RangeTest(np.geomspace(1e-3, 1, 10), np.ones(10), np.ones(10), None, False)
    figure = flat.plot()
    FigureCanvasAgg(figure).draw()
    assert "The loss never fell." in [text.get_text() for text in figure.axes[0].texts]
    with pytest.raises(ShapeError, match=r"got \(2,\), \(3,\) and \(2,\)"):
        learning_rate_curve([1, 2], [1, 2, 3], [1, 2])


def test_a_sweep_shows_itself_in_a_notebook() -> None:
    rates = np.array([0.1, 1.0])
    found = RangeTest(rates, rates, rates, 0.1, False)
    assert repr(found) == "RangeTest(2 rates, suggestion: 0.1)"
    assert "around a learning rate of 0.1" in found._repr_html_()
    assert "<img" in found._repr_html_()
