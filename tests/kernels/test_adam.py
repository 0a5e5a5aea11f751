"""The fast Adam takes the steps of the plain one, its formula."""

import numpy as np
import pytest

from pellucid import dispatch
from pellucid.kernels.uncompiled.adam import adam as fast
from pellucid.training.optimizers.adam import adam as plain
from pellucid.training.optimizers.base import OPTIMIZERS


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-13)])
@pytest.mark.parametrize("moves_beta1", [False, True])
@pytest.mark.parametrize(
    "options",
    [{}, {"beta1": 0.0}, {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-2, "learning_rate": 0.1}],
    ids=str,
)
def test_fast_equals_plain(options, moves_beta1, dtype, tolerance, rng) -> None:
    numbers = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, **options}
    start = rng.standard_normal(500).astype(dtype)
    ends = []
    for rule in (plain, fast):
        theta, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
        beta1_before = numbers["beta1"]
        for t in range(1, 60):
            beta1 = 0.85 + 0.1 * (t % 7) / 7 if moves_beta1 else numbers["beta1"]  # as one_cycle moves it
            noise = np.random.default_rng(t).standard_normal(500)
            grad = (theta + np.sin(3 * theta) + noise).astype(dtype)
            rule(theta, grad, m, v, t=t, **{**numbers, "beta1": beta1}, beta1_before=beta1_before)
            beta1_before = beta1
        ends.append(theta)
    assert ends[1].dtype == dtype
    assert np.abs(ends[0] - ends[1]).max() < tolerance * np.abs(ends[0]).max()


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_the_optimizer_runs_the_twin_that_is_chosen(name, rng) -> None:
    start, ends = rng.standard_normal(500), []
    for choice in dispatch.WAYS[:2]:
        theta, optimizer = start.copy(), OPTIMIZERS.make(name, learning_rate=0.05, weight_decay=0.1)
        optimizer.start(theta, np.ones_like(theta))
        with dispatch.use(choice):
            for t in range(20):
                optimizer.step(theta, np.sin(theta) + np.random.default_rng(t).standard_normal(500))
        ends.append((theta, optimizer.state()["first_moment"]))
    np.testing.assert_allclose(ends[0][0], ends[1][0], rtol=1e-12)
    scale = {"numpy": 0.1, "plain": 1.0}  # what is kept is m / (1 - beta1), or m
    moments = [m * scale[choice] for choice, (_, m) in zip(dispatch.WAYS[:2], ends, strict=True)]
    np.testing.assert_allclose(*moments, rtol=1e-12)
