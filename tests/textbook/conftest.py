"""A clean table for the figures."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def _no_figure_left_open() -> Iterator[None]:
    plt.switch_backend("Agg")
    yield
    plt.close("all")
