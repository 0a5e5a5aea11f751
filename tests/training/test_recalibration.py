"""Running statistics at the end of a training are those of the samples as they are."""

from typing import Any

import numpy as np
import pytest

from pellucid.data.augment import Augment, Brightness
from pellucid.errors import OptionError
from pellucid.nn.layers import Dense, Flatten
from pellucid.nn.model import Sequential
from pellucid.nn.normalization import BatchNorm, Dropout
from pellucid.training.averaging import WeightAverage
from pellucid.training.loop import train
from pellucid.training.optimizers import SGD
from pellucid.training.recalibration import Recalibrate
from pellucid.types import Dataset


@pytest.fixture
def data(rng: np.random.Generator) -> Dataset:
    return Dataset(rng.integers(0, 256, (45, 4, 4, 3), dtype=np.uint8), np.arange(45) % 2)


def network() -> Sequential:
    return Sequential([Flatten(), Dense(6), BatchNorm(), Dropout(0.3), Dense(4), BatchNorm(), Dense(1)])


def trained(data: Dataset, *callbacks: Any, n_threads: int = 1) -> Sequential:
    model = network()
    options: Any = {"optimizer": SGD(0.1), "n_epochs": 4, "batch_size": 16, "n_threads": n_threads}
    train(model, data, augment=Augment([Brightness(0.9)]), callbacks=list(callbacks), **options)
    return model


def plain_means(model: Sequential, X: Any) -> tuple[Any, Any]:
    """Return mean and unbiased variance of what the first norm is fed, over all samples."""
    Z = model.layers[1].forward(X.reshape(len(X), -1).astype("float32") / np.float32(255))
    return Z.mean(axis=0), Z.var(axis=0, ddof=1)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_statistics_are_those_of_the_samples_as_they_are(data: Dataset, n_threads: int) -> None:
    model = trained(data, Recalibrate(data, batch_size=45), n_threads=n_threads)
    mean, var = plain_means(model, data.X)
    np.testing.assert_allclose(model.layers[2].state["running_mean"], mean, atol=1e-6)
    np.testing.assert_allclose(model.layers[2].state["running_var"], var, rtol=1e-4)
    followed = trained(data, n_threads=n_threads)
    assert np.abs(followed.layers[2].state["running_mean"] - mean).max() > 0.01  # bright and dark ones


def test_batches_are_even_and_each_counts_as_much(data: Dataset) -> None:
    model = trained(data, Recalibrate(data, batch_size=16))  # three of 15
    mean, _ = plain_means(model, data.X)
    np.testing.assert_allclose(model.layers[2].state["running_mean"], mean, atol=1e-6)


def test_parameters_and_momentum_are_left_alone(data: Dataset) -> None:
    with_it, without = trained(data, Recalibrate(data)), trained(data)
    np.testing.assert_array_equal(with_it.theta, without.theta)
    assert with_it.layers[2].momentum == without.layers[2].momentum


def test_it_comes_after_the_average_of_the_weights(data: Dataset) -> None:
    model = trained(data, Recalibrate(data, batch_size=45), WeightAverage(0.5))
    np.testing.assert_allclose(
        model.layers[2].state["running_mean"], plain_means(model, data.X)[0], atol=1e-6
    )


def test_a_model_without_norms_is_none_of_its_business(data: Dataset) -> None:
    model = Sequential([Flatten(), Dense(1)])
    train(model, data, n_epochs=1, callbacks=[Recalibrate(data)])


def test_a_wrong_size_is_refused(data: Dataset) -> None:
    with pytest.raises(OptionError, match="batch_size: expected 1 or more, got 0"):
        Recalibrate(data, batch_size=0)
