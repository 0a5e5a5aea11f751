"""The switch between plain ops and their fast twins, and one table that holds the twins to each other."""

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pellucid.dispatch as dispatch
from pellucid.dispatch import TWINS
from pellucid.errors import OptionError
from pellucid.kernels.uncompiled import blocks, columns
from pellucid.types import Array
from tests.ops.cases import PAIRS, Case, function, has_twin
from tests.ops.problems import convolutions, poolings

sizes = st.integers(1, 9)


@st.composite
def linears(draw: Any) -> Case:
    m, n_in, n_out = draw(sizes), draw(sizes), draw(sizes)
    return Case("linear.linear", {"X": (m, n_in), "W": (n_in, n_out), "b": (n_out,)})


@st.composite
def norms(draw: Any, op: str, constants: bool = False) -> Case:
    shape = tuple(draw(st.lists(sizes, min_size=2, max_size=4)))
    c = shape[-1:]
    options = {"mean": np.linspace(-1, 1, c[0]), "var": np.linspace(0.1, 2, c[0])} if constants else {}
    return Case(op, {"X": shape, "gamma": c, "beta": c}, options)


@st.composite
def dropouts(draw: Any) -> Case:
    seed, rate = draw(st.integers(0, 99)), draw(st.sampled_from([0.0, 0.1, 0.5, 0.99]))
    options = {"rate": rate, "rng": lambda: np.random.default_rng(seed)}
    return Case("dropout.dropout", {"X": (draw(sizes), draw(sizes))}, options)


@st.composite
def convs(draw: Any) -> Case:
    X, W, options = draw(convolutions(largest=9, channels=20))
    return Case("conv.conv2d", {"X": X, "W": W, "b": W[3:]}, options)


@st.composite
def pools(draw: Any, op: str) -> Case:
    shape, options = draw(poolings())
    if op == "pool.average_pool":
        options = {**options, "count_include_pad": draw(st.booleans())}
    return Case(op, {"X": shape}, options)


@st.composite
def images(draw: Any, op: str) -> Case:
    return Case(op, {"X": tuple(draw(sizes) for _ in range(4))})


PROBLEMS: dict[str, Callable[[], st.SearchStrategy[Case]]] = {
    "linear.linear": linears,
    "conv.conv2d": convs,
    "pool.max_pool": lambda: pools("pool.max_pool"),
    "pool.average_pool": lambda: pools("pool.average_pool"),
    "pool.global_average": lambda: images("pool.global_average"),
    "batch_norm.batch_norm": lambda: norms("batch_norm.batch_norm"),
    "batch_norm.batch_norm_inference": lambda: norms("batch_norm.batch_norm_inference", constants=True),
    "layer_norm.layer_norm": lambda: norms("layer_norm.layer_norm"),
    "dropout.dropout": dropouts,
}

# Rounding only. Every number is a sum of at most some thousand products of numbers of size 1, in another order:
# that is a few hundred units in the last place of the largest. Winograd's transforms multiply it by about ten.
LIMITS = {np.float32: 5e-5, np.float64: 1e-12}


def test_the_table_has_every_twin() -> None:
    assert set(PROBLEMS) == {name.rpartition("_")[0] for name in PAIRS if has_twin(name.rpartition("_")[0])}
    for name, twins in TWINS.items():
        assert twins.numpy.__name__ == name
        if twins.plain.__module__.startswith("pellucid.training"):  # its own tests hold those to each other
            continue
        assert (
            name in ("recolour", "sample", "scale_pixels", "conv_affine") or twins.plain in PAIRS.values()
        )  # tests/kernels
        assert getattr(dispatch, name).__doc__ == twins.plain.__doc__


@pytest.mark.parametrize("name", TWINS)
def test_a_fast_twin_takes_what_the_plain_one_takes(name: str) -> None:
    plain, fast = (inspect.signature(one).parameters for one in (TWINS[name].plain, TWINS[name].numpy))
    shared = [p for p in fast.values() if p.name in plain]
    assert [(p.name, p.kind, p.default) for p in shared] == [
        (p.name, p.kind, p.default) for p in plain.values()
    ]
    more = [fast[key] for key in fast if key not in plain]
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in more)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("op", PROBLEMS)
@settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), small_blocks=st.booleans(), seed=st.integers(0, 99))
def test_fast_equals_plain(op: str, dtype: Any, data: Any, small_blocks: bool, seed: int) -> None:
    case: Case = data.draw(PROBLEMS[op]())
    rng = np.random.default_rng(seed)
    arguments = case.draw(rng, dtype)
    with pytest.MonkeyPatch.context() as patch:
        if small_blocks:  # several blocks, bands of one image, and a smaller last block
            for module in (blocks, columns):
                patch.setattr(module, "BLOCK_BYTES", 300)
        plain, fast = (
            run(case, choice, arguments, np.random.default_rng(seed)) for choice in ("plain", "numpy")
        )
    steep = steepness(case, plain)
    for name, expected in plain.items():
        if name != "cache":
            scale = max(1.0, float(np.abs(expected).max(initial=0))) * steep
            np.testing.assert_allclose(fast[name], expected, rtol=0, atol=LIMITS[dtype] * scale, err_msg=name)
            assert name in ("mean", "var", "n") or fast[name].dtype == expected.dtype


def run(case: Case, choice: str, arguments: dict[str, Array], rng: np.random.Generator) -> dict[str, Any]:
    """Return everything that a forward and its backward return, by name."""
    Z, *rest, cache = case.forward(choice, {name: array.copy() for name, array in arguments.items()})
    statistics = dict(zip(("mean", "var", "n"), rest, strict=False))
    dZ = rng.standard_normal(Z.shape).astype(Z.dtype)
    gradients = case.backward(choice, dZ, cache)
    return {"Z": Z.copy(), **statistics, **{f"d{name}": g for name, g in gradients.items()}, "cache": cache}


def steepness(case: Case, results: dict[str, Any]) -> float:
    """Return how much a norm multiplies an error of its input by: the square of 1 / its smallest deviation."""
    if "var" in results:
        return float(max(1.0, 10 / (results["var"].min() + 1e-5)))
    if case.op.startswith("layer_norm"):
        return float(max(1.0, (results["cache"].rstd ** 2).max()))
    return 1.0


@pytest.mark.parametrize("op", [op for op in PROBLEMS if not op.startswith("fused")])
@settings(deadline=None, max_examples=10, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), ways=st.permutations(dispatch.WAYS[:2]))
def test_a_backward_takes_the_other_twins_cache(op: str, data: Any, ways: list[str]) -> None:
    """So that switching between a forward and its backward does no harm."""
    case: Case = data.draw(PROBLEMS[op]())
    rng = np.random.default_rng(0)
    arguments = case.draw(rng)
    Z, *_, cache = case.forward(ways[0], arguments)
    dZ = rng.standard_normal(Z.shape)
    wanted = case.backward(ways[0], dZ, cache)
    for name, gradient in case.backward(ways[1], dZ, cache).items():
        scale = max(1.0, float(np.abs(wanted[name]).max()))
        np.testing.assert_allclose(gradient, wanted[name], rtol=0, atol=1e-9 * scale, err_msg=name)


def test_use_is_undone_nested_and_refuses_other_names() -> None:
    before = dispatch.current()
    with dispatch.use("plain"):
        with dispatch.use("numpy"):
            assert dispatch.current() == "numpy"
        assert dispatch.current() == "plain"
    with pytest.raises(ZeroDivisionError), dispatch.use("plain"):
        raise ZeroDivisionError
    assert dispatch.current() == before
    with pytest.raises(OptionError, match=r"'nunba'.*'numba'"), dispatch.use("nunba"):
        pass


def test_the_chosen_twin_runs() -> None:
    X, W, b = np.ones((1, 4, 4, 2)), np.ones((3, 3, 2, 1)), np.ones(1)
    assert dispatch.conv2d_forward(X, W, b, keep=False)[1].kept is not None
    with dispatch.use("plain"):  # which has no use for ``keep``, and is not given it
        assert dispatch.conv2d_forward(X, W, b, keep=False)[1].kept is None
        assert function("conv.conv2d_forward", "plain") is TWINS["conv2d_forward"].plain


@pytest.mark.parametrize("choice", ["numpy", "numba"])
def test_the_environment_chooses(choice: str) -> None:
    program = "from pellucid import dispatch; print(dispatch.current())"
    environment = {**os.environ, dispatch.VARIABLE: choice}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == choice
