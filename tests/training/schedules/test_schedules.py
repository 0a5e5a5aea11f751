"""Schedules equal their formulas, PyTorch's where the definitions coincide, and resume."""

import json
import math
import warnings
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import FormatError, OptionError
from pellucid.training.optimizers import LBFGS, SGD
from pellucid.training.schedules.base import SCHEDULES, Schedule
from pellucid.training.schedules.cosine import Cosine, CosLog, OneCycle
from pellucid.training.schedules.decay import Constant, Exponential, Step
from pellucid.training.schedules.plateau import ReduceOnPlateau

N = 60
RATE = 0.3
EVERY: list[tuple[str, dict[str, Any]]] = [
    ("constant", {}),
    ("step", {"every": 7, "factor": 0.5}),
    ("exponential", {"factor": 0.3, "every": 0.2}),
    ("cosine", {"warmup": 0.1, "final": 0.05}),
    ("coslog", {"waves": 3}),
    ("one_cycle", {"momentum_range": (0.8, 0.9)}),
    ("reduce_on_plateau", {"patience": 1, "cooldown": 4, "mode": "max"}),
]


def ours(schedule: Schedule, n_steps: int = N) -> list[float]:
    schedule.start(RATE, n_steps)
    return [schedule.rate(step) for step in range(n_steps)]


def theirs(make: Any, n_steps: int = N, **options: Any) -> tuple[list[float], list[float]]:
    """Return PyTorch's learning rates and momenta."""
    torch = pytest.importorskip("torch", reason="needs PyTorch, the oracle")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE, momentum=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR uses what PyTorch deprecates
        scheduler = make(torch.optim.lr_scheduler, optimizer, **options)
        rates, momenta = [], []
        for _ in range(n_steps):
            rates.append(optimizer.param_groups[0]["lr"])
            momenta.append(optimizer.param_groups[0]["momentum"])
            optimizer.step()
            if len(rates) < n_steps:
                scheduler.step()
    return rates, momenta


def same(left: list[float], right: list[float]) -> None:
    np.testing.assert_allclose(left, right, rtol=1e-11, atol=1e-15)


def warmed_up(kinds: Any, o: Any) -> Any:
    warm = kinds.LinearLR(o, start_factor=1 / 11, total_iters=10)
    return kinds.SequentialLR(o, [warm, kinds.CosineAnnealingLR(o, N - 10)], [10])


@every(
    ("schedule", "make"),
    [
        (Step(every=7, factor=0.5), lambda kinds, o: kinds.StepLR(o, 7, 0.5)),
        (Exponential(factor=0.9, every=1), lambda kinds, o: kinds.ExponentialLR(o, 0.9)),
        (Cosine(final=0.1), lambda kinds, o: kinds.CosineAnnealingLR(o, N, eta_min=RATE * 0.1)),
        (Cosine(warmup=10), warmed_up),
    ],
)
def test_rates_equal_pytorchs(schedule: Schedule, make: Any) -> None:
    same(ours(schedule), theirs(make)[0])


@every("n_steps", [2, 10, N, 101])
def test_one_cycle_equals_pytorch(n_steps: int) -> None:
    how = {"total_steps": n_steps, "base_momentum": 0.85, "max_momentum": 0.95}
    expected, momenta = theirs(lambda kinds, o: kinds.OneCycleLR(o, RATE, **how), n_steps)
    schedule = OneCycle(momentum_range=(0.85, 0.95))
    schedule.start(RATE, n_steps)
    optimizer, rates, moved = SGD(1.0, momentum=0.5), [], []
    for step in range(n_steps):
        schedule.apply(optimizer, step)
        rates.append(optimizer.learning_rate)
        moved.append(optimizer.momentum)
    if n_steps > 3:  # with fewer, PyTorch's first phase ends before it begins
        same(rates, expected)
        same(moved, momenta)
    assert all(0 < rate <= RATE for rate in rates)


@every("mode", ["min", "max"])
def test_plateau_equals_pytorch(mode: str, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch, the oracle")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    options: dict[str, Any] = {"factor": 0.5, "patience": 2, "threshold": 0.01, "cooldown": 3, "mode": mode}
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, min_lr=RATE * 0.05, eps=0, **options)
    schedule = ReduceOnPlateau(lowest=0.05, **options)
    schedule.start(RATE, 1)
    seen = set()
    for metric in rng.uniform(0.5, 1.5, 100):
        scheduler.step(metric)
        schedule.observe(metric)
        assert schedule.rate(0) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-14)
        seen.add(schedule.rate(0))
    assert len(seen) > 3


def test_plateau_hears_nan_and_negative_metrics() -> None:
    schedule = ReduceOnPlateau(factor=0.5, patience=0)
    schedule.start(1.0, 1)
    for metric, factor in ((-10.0, 1.0), (-10.0, 0.5), (-11.0, 0.5), (math.nan, 0.25), (-12.0, 0.25)):
        schedule.observe(metric)
        assert schedule.rate(0) == factor
    schedule.start(1.0, 1)
    assert schedule.rate(0) == 1.0


def test_closed_forms() -> None:
    same(ours(Step(every=0.25, factor=0.5)), [RATE * 0.5 ** (t // 15) for t in range(N)])
    assert ours(Step(every=0.25), 2) == [RATE, RATE * 0.1]  # a stair is at least a step long
    assert ours(Exponential(factor=0.1, every=0.5))[N // 2] == pytest.approx(RATE * 0.1)
    waves = [0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t / N))) for t in range(N)]  # RealMLP's
    same(ours(CosLog()), [RATE * wave for wave in waves])
    warm = ours(Cosine(warmup=10))
    assert warm == ours(Cosine(warmup=1 / 6))
    assert max(warm) == RATE == warm[10]
    assert ours(Constant()) == [RATE] * N
    assert [Cosine(final=0.2)(t, 4) for t in (0, 2)] == pytest.approx([1.0, 0.6])
    assert ours(OneCycle(), 1) == [RATE]
    wave = ours(OneCycle(warmup=10, start_factor=0.1, final_factor=0.01))
    assert wave[9] == RATE
    assert wave[0] == pytest.approx(RATE * 0.1)
    assert wave[-1] == pytest.approx(RATE * 0.01)
    assert ours(OneCycle(warmup=0))[0] == RATE
    assert ours(Cosine(warmup=100))[-1] < RATE  # a warm-up longer than the training is cut off


def test_one_cycle_needs_momentum_to_move_it() -> None:
    schedule = OneCycle(momentum_range=(0.85, 0.95))
    for optimizer in (SGD(1.0), LBFGS()):
        with pytest.raises(OptionError, match="needs an optimizer with momentum above 0"):
            schedule.apply(optimizer, 0)
    still = SGD(1.0, momentum=0.5)
    OneCycle().apply(still, 0)
    assert still.momentum == 0.5


@every(("name", "options"), EVERY)
def test_config_and_state_make_it_again(name: str, options: dict[str, Any]) -> None:
    schedule = SCHEDULES.make(name, **options)
    schedule.start(RATE, N)
    for metric in (1.0, 2.0, 1.0, 1.0, 1.0, 1.0):
        schedule.observe(metric)
    again = SCHEDULES.from_config(json.loads(json.dumps(schedule.config())))
    again.load_state(json.loads(json.dumps(schedule.state())))
    for other in (schedule, again):
        for metric in (1.0, 1.0, 3.0):
            other.observe(metric)
    assert [again.rate(t) for t in range(N)] == [schedule.rate(t) for t in range(N)]
    assert again.config() == schedule.config()
    assert again.state() == schedule.state()
    assert set(SCHEDULES) == {case for case, _ in EVERY}


@every(
    ("name", "options", "message"),
    [
        ("cosine", {"warmup": 1.5}, "expected warmup to be a whole number of at least 0 .* got 1.5"),
        ("step", {"every": 0}, "expected every to be a whole number of at least 1"),
        ("one_cycle", {"momentum_range": (0.9, 0.8)}, "the lower number first"),
    ],
)
def test_wrong_options_are_named(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        SCHEDULES.make(name, **options)


def test_wrong_configs_and_states_are_refused() -> None:
    with pytest.raises(OptionError, match=r"unknown schedule 'cosin'\. Did you mean 'cosine'"):
        SCHEDULES.from_config({"type": "cosin"})
    with pytest.raises(FormatError, match=r"expected base_rate, n_steps, got .*best"):
        Cosine().load_state(ReduceOnPlateau().state())
    with pytest.raises(FormatError, match="n_steps: expected a count"):
        Cosine().load_state({"base_rate": 1.0, "n_steps": None})
    for rate in (0.0, float("nan")):
        with pytest.raises(OptionError, match="base_rate"):
            Constant().start(rate, 5)
