"""What a training leaves: short to look at, whole as a dictionary, a picture on demand."""

import json

import pytest

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


def test_it_is_drawn(history: History) -> None:
    lines = history.plot().axes[0].lines
    assert any(list(line.get_ydata()) == history.losses for line in lines)
    assert "data:image/png;base64," in history._repr_html_()
    assert "<img" not in History()._repr_html_()
