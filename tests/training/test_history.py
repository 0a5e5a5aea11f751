"""What a training leaves: short to look at, whole as a dictionary, a picture on demand."""

import json
import math
import sys

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from tests.every import every

from pellucid import preset, train
from pellucid.errors import MissingExtraError, OptionError
from pellucid.plotting.curves import curves_figure
from pellucid.training.history import History


@pytest.fixture
def history() -> History:
    columns = {"loss": [0.7, 0.5, 0.3], "validation_loss": [0.8, 0.7, 0.75]}
    return History(columns, n_steps=6, seconds=1.5, is_complete=True)


def test_its_last_line_in_a_notebook_is_short(history: History) -> None:
    many = History({"loss": [0.5] * 2500})
    assert len(repr(many)) < 150
    for number in ("3 epochs", "6 steps", "1.50 s", "0.7000 to 0.3000", "0.8000 to 0.7500"):
        assert number in repr(history)
    assert "stopped early" in repr(many)
    assert "stopped early" not in repr(history)


def test_everything_is_in_the_dictionary(history: History) -> None:
    values = json.loads(json.dumps(history.to_dict()))
    assert History(**values) == history


def test_a_column_is_had_by_its_name(history: History) -> None:
    assert history["loss"] is history.losses
    assert history["val_loss"] == history["validation_loss"] == [0.8, 0.7, 0.75]
    assert list(history) == ["loss", "validation_loss"]
    assert dict(history) == history.columns
    assert "accuracy" not in history


@every(
    ("columns", "name", "words"),
    [
        ({"loss": [1.0]}, "val_loss", r"validation_loss was not measured, .* validation=0\.2"),
        ({"loss": [1.0]}, "acc", "accuracy was not measured, as no validation data was given"),
        ({"loss": [1.0], "validation_loss": [1.0]}, "validation_los", "Did you mean 'validation_loss'"),
        ({"loss": [1.0]}, "lr", "the learning rate did not change"),
        ({"loss": [1.0]}, "los", "Did you mean 'loss'"),
        ({"loss": [1.0]}, 0, "Known: loss"),
    ],
)
def test_another_name_is_answered(columns: dict[str, list[float]], name: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        History(columns)[name]


def test_a_table_has_a_row_an_epoch(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pandas", None)
        with pytest.raises(MissingExtraError, match=r"pip install pandas; .*history\.rows"):
            history.to_frame()
    pytest.importorskip("pandas")
    frame = history.to_frame()
    assert frame.index.name == "epoch"
    assert frame["validation_loss"].tolist() == history["validation_loss"]


def test_it_is_drawn_on_axes(history: History) -> None:
    axes = Figure().add_subplot()
    assert history.plot(ax=axes) is axes
    assert [list(line.get_ydata()) for line in axes.lines] == [history["loss"], history["validation_loss"]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Loss", "Validation loss"]
    own = history.plot("val_loss")
    assert pyplot.fignum_exists(own.figure.number)  # so that a notebook and pyplot.show() show it
    assert own.get_ylabel() == "Validation loss"
    pyplot.close(own.figure)
    with pytest.raises(OptionError, match="expected ax to be matplotlib axes"):
        history.plot(ax=axes.figure)


def test_a_notebook_shows_its_curves_in_little_text(history: History) -> None:
    assert history._repr_html_().count("<img") == 1
    assert "<img" not in History()._repr_html_()
    waves = (1 + np.sin(np.arange(20_000))).tolist()
    columns = {"loss": waves, "validation_loss": waves, "validation_accuracy": [0.5, math.nan, 0.7]}
    assert len(History(columns)._repr_html_()) < 30_000
    assert len(curves_figure(History(columns)._panels()).axes) == 2  # losses, and the accuracy


def test_a_classifier_is_measured_on_training_samples_beside_the_held_out_ones(
    rng: np.random.Generator,
) -> None:
    X = rng.standard_normal((60, 5))
    y = (X[:, 0] > 0).astype(int)
    X[:30, 1:], y[:30] = 100 * X[:30, 1:], rng.integers(0, 2, 30)
    for form in ("direct", "dual"):
        model = preset("two-layer")
        history = train(model, (X[:30], y[:30]), n_epochs=4, validation=(X[30:], y[30:]), form=form)
        is_right = model.predict(X) == y
        assert history["accuracy"][-1] == is_right[:30].mean()
        assert history["validation_accuracy"][-1] == is_right[30:].mean()
    assert "accuracy" not in train(preset("two-layer"), (X, y), n_epochs=2)
    assert "accuracy" not in train(preset("logistic", n_outputs=1), (X, X[:, 0]), n_epochs=2, validation=0.2)
