"""L-BFGS finds minima over the flat arrays, reports each iteration, and refuses what it cannot do."""

from itertools import count
from typing import Any

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import OptionError, PellucidError, TrainingError
from pellucid.training.optimizers.lbfgs import LBFGS, MinimizeResult
from pellucid.types import Array


class Bowl:
    """A quadratic with a known minimum: (theta - at)^T A (theta - at) / 2."""

    def __init__(self, rng: np.random.Generator, p: int = 6, dtype: type = np.float64) -> None:
        B = rng.standard_normal((p, p))
        self.A, self.at = B @ B.T + np.eye(p), rng.standard_normal(p)
        self.theta, self.grad = np.zeros(p, dtype), np.zeros(p, dtype)

    def loss_and_grad(self) -> float:
        away = self.theta - self.at
        self.grad[:] = self.A @ away
        return float(away @ self.A @ away) / 2

    def minimize(self, lbfgs: LBFGS, mask: Any = None, **options: Any) -> MinimizeResult:
        lbfgs.start(self.theta, np.ones_like(self.theta) if mask is None else mask)
        return lbfgs.minimize(self.theta, self.loss_and_grad, self.grad, **options)


def test_finds_the_minimum_of_a_quadratic(rng: np.random.Generator) -> None:
    bowl = Bowl(rng)
    seen: list[float] = []
    lbfgs = LBFGS(tolerance=1e-10)

    def on_iteration(loss: float) -> None:
        assert loss == pytest.approx(bowl.loss_and_grad(), abs=1e-15)  # theta holds the iteration's result
        seen.append(loss)

    result = bowl.minimize(lbfgs, on_iteration=on_iteration)
    np.testing.assert_allclose(bowl.theta, bowl.at, atol=1e-8)
    assert len(seen) == result.n_iterations == lbfgs.n_steps
    assert seen == sorted(seen, reverse=True)
    assert result.first_loss > seen[0]
    assert result.loss == seen[-1]
    assert result.n_evaluations >= result.n_iterations


def test_decay_moves_the_minimum_on_the_masked_parameters(rng: np.random.Generator) -> None:
    bowl = Bowl(rng)
    mask = np.array([1.0, 1, 0, 0, 1, 0])
    result = bowl.minimize(LBFGS(tolerance=1e-10, weight_decay=0.7), mask)
    expected = np.linalg.solve(bowl.A + 0.7 * np.diag(mask), bowl.A @ bowl.at)
    np.testing.assert_allclose(bowl.theta, expected, atol=1e-8)
    assert result.loss == pytest.approx(bowl.loss_and_grad(), rel=1e-12)  # the decay's part is left out


def test_float32_model(rng: np.random.Generator) -> None:
    bowl = Bowl(rng, dtype=np.float32)
    bowl.minimize(LBFGS())
    assert bowl.theta.dtype == np.float32
    np.testing.assert_allclose(bowl.theta, bowl.at, atol=1e-4)


def test_stops_when_told_and_at_its_limit(rng: np.random.Generator) -> None:
    for limit, stop_after, expected in ((3, 100, 3), (100, 2, 2)):
        bowl, told = Bowl(rng), count()
        result = bowl.minimize(
            LBFGS(max_iterations=limit),
            on_iteration=lambda loss, told=told, last=stop_after: next(told) + 1 == last,
        )
        assert next(told) == result.n_iterations == expected
        assert result.loss == pytest.approx(bowl.loss_and_grad(), rel=1e-12)


def test_a_step_and_a_loss_that_is_no_number_are_refused() -> None:
    theta = np.ones(2)
    lbfgs = LBFGS()
    with pytest.raises(PellucidError, match="call minimize instead of step"):
        lbfgs.step(theta, theta)
    lbfgs.start(theta, np.ones(2))
    with pytest.raises(TrainingError, match="the loss is nan where it started"):
        lbfgs.minimize(theta, lambda: float("nan"), np.ones(2))


def test_survives_a_cliff_in_the_line_search() -> None:
    theta, grad = np.array([0.5]), np.zeros(1)

    def loss_and_grad() -> float:  # -log(x) + x: infinite below 0, least at 1
        x: Array = theta
        if x[0] <= 0:
            grad[0] = 0.0
            return float("inf")
        grad[0] = 1 - 1 / x[0]
        return float(x[0] - np.log(x[0]))

    lbfgs = LBFGS()
    lbfgs.start(theta, np.ones(1))
    theta[0] = 3.0
    result = lbfgs.minimize(theta, loss_and_grad, grad)
    assert theta[0] == pytest.approx(1, abs=1e-4)
    assert result.loss == pytest.approx(1, abs=1e-8)


def test_limits_of_evaluations_and_of_the_least_fall(rng: np.random.Generator) -> None:
    results = []
    for options in ({}, {"max_evaluations": 3}, {"least_fall": 0.5}):
        lbfgs = LBFGS(tolerance=1e-12, **options)
        results.append(Bowl(rng).minimize(lbfgs))
        assert lbfgs.result is results[-1]
    assert [result.status for result in results] == [0, 1, 0]
    assert results[1].n_evaluations <= 4
    assert results[2].n_iterations < results[0].n_iterations


def test_a_random_loss_is_refused_before_anything_is_done(rng: np.random.Generator) -> None:
    data = rng.normal(size=(20, 3)), np.arange(20) % 2
    wrong = pl.Sequential(pl.Residual(pl.Sequential(pl.Dense(3), pl.Dropout(0.2))), pl.Dense(1))
    with pytest.raises(
        OptionError, match=r"LBFGS searches .*Dropout\(rate=0\.2\) makes the loss random.*rate to 0"
    ):
        pl.train(wrong, data, n_epochs=2, optimizer="lbfgs")
    assert not wrong._is_initialized
    history = pl.train(pl.Sequential(pl.Dropout(0), pl.Dense(1)), data, n_epochs=2, optimizer="lbfgs")
    assert len(history.losses) == 2
