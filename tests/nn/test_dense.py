import numpy as np
import pytest

from pellucid.errors import ShapeError
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.initializers import StartRandom
from pellucid.nn.sequential import Sequential


def test_flatten_is_row_column_channel_order_and_undone_by_backward(rng: np.random.Generator) -> None:
    layer = Flatten()
    layer.build((4, 5, 3), StartRandom(np.random.PCG64(0)))
    X = rng.standard_normal((2, 4, 5, 3))
    flat = layer.forward(X)
    assert flat.shape == (2, 60)
    assert flat[1, (2 * 5 + 3) * 3 + 1] == X[1, 2, 3, 1]
    np.testing.assert_array_equal(layer.backward(flat), X)


def test_dense_on_images_says_to_flatten() -> None:
    with pytest.raises(
        ShapeError, match=r"dense_1: expected samples of shape \(n_in,\), got \(4, 4, 3\).*Flatten"
    ):
        Sequential([Dense(2)]).initialize((4, 4, 3))
