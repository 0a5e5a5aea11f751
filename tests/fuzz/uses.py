"""Random networks in uses that are not one prediction after another: in threads, under hooks, over many steps."""

import ast
import importlib.util
import random
import sys
import tokenize
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from hypothesis import assume, reject
from hypothesis import strategies as st
from tests.fuzz.dual import LIMIT, Jitter
from tests.fuzz.networks import Network, differences, graphs, images, networks, rows, with_ties
from tests.fuzz.search import Subject
from tests.fuzz.trainings import Training, trainings

import pellucid as pl
from pellucid import dispatch
from pellucid.errors import DataError, TrainingError
from pellucid.learn.exercise import BUILTIN, exercise
from pellucid.learn.layout import Layout
from pellucid.training.callbacks.weight_ema import WeightEMA
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.types import Array, map_arrays

N_THREADS, N_TURNS = 3, 4
KERNELS = ("numba",) if importlib.util.find_spec("numba") else ()


def check_threads(network: Network) -> None:
    """Compare what threads get of one model, each of its own samples, with what one thread gets."""
    model, (X, _, _) = network.ready(), network.data()
    own = [
        map_arrays(lambda part, n=n: np.concatenate([part] * (n + 1)) * (1 + n), X) for n in range(N_THREADS)
    ]

    def call(n: int) -> list[dict[str, Array]]:
        found = []
        with np.errstate(all="ignore"):
            for _ in range(N_TURNS):
                with pl.record(model.children()[-1]) as last:
                    Z = model(own[n])
                found.append({"output": _joined(Z), "recorded": _joined(last.output)})
        return found

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for way in ("plain", "numpy", *KERNELS):
            with dispatch.use(way):
                alone = [call(n)[0] for n in range(N_THREADS)]
                with ThreadPoolExecutor(N_THREADS) as pool:
                    for wanted, found in zip(alone, pool.map(call, range(N_THREADS)), strict=True):
                        assert not [wrong for one in found if (wrong := differences(wanted, one))]
    finally:
        sys.setswitchinterval(interval)


def _joined(Z: Any) -> Array:
    parts = Z.values() if isinstance(Z, dict) else [Z]
    return np.concatenate([np.array(part, float).ravel() for part in parts])


def check_hooks(training: Training) -> None:
    """Compare a training under hooks that only look with the one without, and count their calls."""

    def trained(is_hooked: bool, jitter: float = 0.0) -> dict[str, Array]:
        counts = {"forward": 0, "backward": 0}

        def forward(plain: Any, X: Any, training: bool) -> Any:
            counts["forward"] += training
            return plain(X, training=training)

        def backward(plain: Any, dY: Any) -> Any:
            counts["backward"] += 1
            return plain(dY)

        callbacks: list[Any] = [Jitter(jitter)] if jitter else []

        def within(model: pl.Model) -> Any:
            return (
                pl.hook(model.children()[-1], forward=forward, backward=backward)
                if is_hooked
                else nullcontext()
            )

        model, history = training.run(form="direct", callbacks=callbacks, within=within)
        if is_hooked:
            assert min(counts.values()) >= history.n_steps > 0, counts
        return {"theta": model.theta, **{key: np.array(one) for key, one in history.columns.items()}}

    try:
        alone = trained(False)
    except (TrainingError, DataError):  # the loss became infinite; a class is too small to hold samples out
        reject()
    found = trained(True)
    wrong = {"epochs": 1.0} if _lengths(alone) != _lengths(found) else differences(alone, found, LIMIT)
    if wrong:
        moved = trained(False, 1e-11)
        assume(_lengths(alone) == _lengths(moved) and not differences(alone, moved, LIMIT))
        raise AssertionError(f"the training under hooks differs by {wrong}")


def _lengths(found: dict[str, Array]) -> dict[str, tuple[int, ...]]:
    return {name: one.shape for name, one in found.items()}


@dataclass
class Averaging:
    """What is averaged, by what, over how many steps."""

    name: str
    memory: float  # of 1, that is kept in a step
    n_steps: int
    seed: int
    spread: float


def check_averages(case: Averaging) -> None:
    """Compare averages in float32 with those of float64, of noisy values about constants of many sizes."""
    found = []
    for dtype in ("float64", "float32"):
        rng = np.random.default_rng(case.seed)
        base = (10.0 ** rng.uniform(-3, 3, 30) * rng.choice([-1, 1], 30)).astype(np.float32).astype(float)
        values = (base * (1 + case.spread * rng.standard_normal(30)) for _ in range(case.n_steps))
        if case.name == "weights":
            average = WeightEMA(case.memory)
            average.start(base.astype(dtype))
            for one in values:
                average.update(one.astype(np.float32).astype(dtype))
            found.append({"average": average.theta / base})
            continue
        optimizer = OPTIMIZERS[case.name](**KEPT[case.name](case.memory), learning_rate=1e-6)
        optimizer.start(np.ones(30, dtype), np.ones(30))
        for one in values:
            optimizer.step(np.ones(30, dtype), one.astype(np.float32).astype(dtype))
        size = {name: base**2 if "square" in name else np.abs(base) for name in optimizer.slot_names}
        slots = zip(optimizer.slot_names, optimizer.slots, strict=True)
        found.append({name: slot / (size[name] if case.name == "sgd" else 1) for name, slot in slots})
    rtol = 1e-6 if case.name == "weights" else 1e-4  # the one is kept in float64
    for name, wanted in found[0].items():
        atol = rtol / 100 * np.abs(wanted).max()
        np.testing.assert_allclose(found[1][name], wanted, rtol=rtol, atol=atol, err_msg=name)


KEPT: dict[str, Any] = {
    "adam": lambda memory: {"beta1": memory, "beta2": memory},
    "rmsprop": lambda memory: {"decay": memory, "momentum": 0.5},
    "sgd": lambda memory: {"momentum": memory},
}


@dataclass
class Broken:
    """A program, and a seed for where its lines are broken."""

    exercise: str
    number: int
    seed: int


def check_layout(case: Broken) -> None:
    """Break a program's lines within brackets, and find every part of the joined one again."""
    solutions = exercise(case.exercise).solutions
    source, rng = solutions[case.number % len(solutions)].source, random.Random(case.seed)
    text, depth, end = "", 0, (1, 0)
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(StringIO(source).readline):
        text += _between(lines, end, token.start)
        is_broken = depth and rng.random() < 0.3 and token.type not in (tokenize.NL, tokenize.COMMENT)
        text += rng.choice(["\n", "  # a note\n\n", "\n        "]) if is_broken else ""
        text, end = text + token.string, token.end
        depth += (token.string in "([{") - (token.string in ")]}") if token.type == tokenize.OP else 0
    layout, joined = Layout(text), ast.parse(Layout(text).source)
    assert ast.dump(joined) == ast.dump(ast.parse(source))
    for one, was in zip(ast.walk(joined), ast.walk(ast.parse(text)), strict=True):
        if isinstance(one, ast.expr | ast.stmt):
            assert layout.line_of(one.lineno, one.col_offset) == was.lineno  # type: ignore[attr-defined]


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return the blanks between two tokens."""
    return (
        lines[end[0] - 1][start[1] : end[1]]
        if start[0] == end[0] <= len(lines)
        else (lines[end[0] - 1][: end[1]] if end[0] <= len(lines) else "")
    )


averages = st.builds(
    Averaging,
    st.sampled_from(["weights", *KEPT]),
    st.sampled_from([0.9, 0.5, 0.99, 0.999, 0.9999]),
    st.sampled_from([50, 1, 500, 3000]),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.1, 1.0]),
)
broken = st.builds(Broken, st.sampled_from(BUILTIN), st.integers(0, 20), st.integers(0, 10**6))
any_network = networks(rows | images) | graphs() | with_ties
SUBJECTS = {
    "threads on one model": Subject(any_network, check_threads, 24),
    "hooked trainings": Subject(trainings(any_network, dtype="float64"), check_hooks, 24),
    "averages": Subject(averages, check_averages, 36),
    "broken lines": Subject(broken, check_layout, 36),
}
