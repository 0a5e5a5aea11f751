"""The published run, trained once for all tests that look at it, and a clean table for the figures."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pytest

from pellucid.textbook import L_layer_model, load_data
from pellucid.types import Array


class PublishedRun(NamedTuple):
    """What a reader of the tutorial has in memory at its end."""

    train_x: Array  # (12288, 209)
    train_y: Array
    test_x: Array  # (12288, 50)
    test_y: Array
    classes: Array
    parameters: dict[str, Array]
    costs: list[float]


@pytest.fixture(scope="session")
def published_run(published_dir: Path) -> PublishedRun:
    """All 2,500 steps."""
    train_x_orig, train_y, test_x_orig, test_y, classes = load_data(published_dir)
    train_x = train_x_orig.reshape(len(train_x_orig), -1).T / 255
    test_x = test_x_orig.reshape(len(test_x_orig), -1).T / 255
    with np.errstate(all="raise", under="ignore"):
        parameters, costs = L_layer_model(train_x, train_y, [12288, 20, 7, 5, 1], 0.0075, num_iterations=2500)
    return PublishedRun(train_x, train_y, test_x, test_y, classes, parameters, costs)


@pytest.fixture(autouse=True)
def _no_figure_left_open() -> Iterator[None]:
    plt.switch_backend("Agg")
    yield
    plt.close("all")
