"""What a model answers in the plane, drawn: on anybody's axes, for classes and quantities."""

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import pellucid as pl
from pellucid.errors import DataError, OptionError, PellucidError


class Left:
    """Says 1 on the right of 0, with all its certainty."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        return (X[:, 0] > 0).astype(int)


class LeftForSure(Left):
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-4 * X[:, 0]))
        return np.stack([1 - p, p], axis=1)


X = np.array([[-1.0, 0.0], [1.0, 1.0], [-1.0, 1.0], [1.0, 0.0]])
y = np.array([0, 1, 0, 1])


@pytest.fixture
def axes() -> Axes:
    return Figure().add_subplot()


def test_the_line_is_where_the_probability_is_one_half(axes: Axes) -> None:
    assert pl.plot_decision_boundary(LeftForSure(), (X, y), axes, resolution=41) is axes
    line = next(iter(axes.collections)).get_paths()[0].vertices
    assert np.allclose(line[:, 0], 0, atol=1e-6)
    pixels = np.asarray(axes.images[0].get_array())
    assert pixels.shape == (41, 41, 3)
    assert pixels[0, 0, 2] > pixels[0, 0, 0]  # blue for class 0 on the left
    assert pixels[0, -1, 0] > pixels[0, -1, 2]  # orange for class 1 on the right
    assert np.allclose(pixels[0, 20], 1)  # white where it is not sure


def test_without_probabilities_and_without_a_boundary(axes: Axes) -> None:
    pl.plot_decision_boundary(Left(), (X, y), axes, resolution=5)
    assert len(axes.images) == 1
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["0", "1"]


def test_a_quantity_has_a_colour_bar() -> None:
    model = pl.Sequential([pl.Dense(1)])
    pl.train(model, (X, y * 0.5), n_epochs=1)
    own = pl.plot_decision_boundary(model, (X, y * 0.5), resolution=5)
    assert pyplot.fignum_exists(own.figure.number)
    assert [axes.get_ylabel() for axes in own.figure.axes] == ["$x_2$", "Prediction"]
    pyplot.close(own.figure)


def test_a_split_and_an_estimator(axes: Axes) -> None:
    from pellucid.estimators import MLPClassifier

    data = pl.load_data("circles")
    model = MLPClassifier(max_iter=5, random_state=1)
    with pytest.warns(Warning, match="converge"):
        model.fit(data.train.X, data.train.y)
    pl.plot_decision_boundary(model, data, axes, resolution=10)
    assert axes.get_legend().get_texts()[-1].get_text() == "test part"


def test_what_cannot_be_drawn_is_answered(axes: Axes) -> None:
    model = pl.Sequential([pl.Dense(1)])
    with pytest.raises(DataError, match=r"two numbers each, \(m, 2\), got 4 of 3.*load_data\('moons'\)"):
        pl.plot_decision_boundary(model, (np.ones((4, 3)), y))
    with pytest.raises(DataError, match=r"y of shape \(4, 2\)"):
        pl.plot_decision_boundary(model, (X, np.ones((4, 2))))
    with pytest.raises(OptionError, match="a model first and data second, got a tuple first"):
        pl.plot_decision_boundary((X, y), (X, y))
    with pytest.raises(OptionError, match="expected ax to be matplotlib axes"):
        pl.plot_decision_boundary(LeftForSure(), (X, y), axes.figure)
    with pytest.raises(PellucidError, match="the model is not trained yet"):
        pl.plot_decision_boundary(model, (X, y))
