"""Presets say which pictures they take: the sizes, and the presets that take others."""

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import ShapeError
from pellucid.nn.preset_size import FLAT, naming_size, smallest_side, takes
from pellucid.nn.presets import PRESETS, preset


@every("name", sorted(PRESETS.keys() - {"pretrained"}))
def test_the_smallest_side_is_the_first_that_is_taken(name: str) -> None:
    side = smallest_side(name, 3)
    assert side is not None
    preset(name).initialize((side, side, 3))
    if side > 1:
        assert not takes(name, (side - 1, side - 1, 3))


def test_all_that_see_no_picture_are_known() -> None:
    windows = {
        name
        for name in PRESETS.keys() - {"pretrained"}
        if any(isinstance(leaf, pl.Conv2D | pl.MaxPool2D) for leaf in preset(name)._leaves())
    }
    assert PRESETS.keys() - {"pretrained"} - windows == set(FLAT)


def test_a_training_names_the_size_and_who_takes_it() -> None:
    """It blamed a "maxpool2d_4" inside the preset."""
    data = pl.Dataset(np.zeros((4, 8, 8, 1), np.uint8), np.arange(4) % 2)
    with pytest.raises(ShapeError) as told:
        pl.train(preset("cnn"), data, n_epochs=1)
    words = str(told.value)
    assert words.startswith(
        "cnn: expected pictures of at least 16x16 pixels, got 8x8. Try model 'cnn-small', or "
    )
    assert not any(flat in words for flat in FLAT)
    assert "maxpool" not in words


def test_every_size_has_a_model() -> None:
    wanted = r"at least 16x16 pixels, got 1x1\. Try model 'resnet-small'\."
    with pytest.raises(ShapeError, match=wanted), naming_size("cnn", (1, 1, 3)):
        preset("cnn").initialize((1, 1, 3))


def test_other_errors_pass() -> None:
    with pytest.raises(ShapeError, match="something else"), naming_size("cnn", (64, 64, 3)):
        raise ShapeError("something else")
    with pytest.raises(ShapeError, match="of a table"), naming_size("cnn", (12,)):
        raise ShapeError("of a table")
    with pytest.raises(ShapeError, match="of no preset"), naming_size(None, (1, 1, 3)):
        raise ShapeError("of no preset")
