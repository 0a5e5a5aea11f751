"""The switch between plain ops and their fast twins, and one table that holds the twins to each other."""

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pellucid.dispatch as dispatch
from pellucid.dispatch import ops as dispatch_ops
from pellucid.dispatch.ops import TWINS, conv2d_forward
from pellucid.errors import CallError, OptionError, PellucidError
from pellucid.kernels.uncompiled import blocks
from pellucid.training.optimizers.base import OPTIMIZERS
from pellucid.types import Array
from tests.every import every
from tests.ops.calls import CALLS, ELSEWHERE, RULES, Call
from tests.ops.cases import CASES, HAS_NUMBA, PAIRS, WAYS_HERE, Case, each_op, function, has_twin
from tests.ops.problems import PROBLEMS

# Rounding only. Every number is a sum of at most some thousand products of numbers of size 1, in another order:
# that is a few hundred units in the last place of the largest. Winograd's transforms multiply it by about ten.
LIMITS = {np.float32: 5e-5, np.float64: 1e-12}


def test_the_table_has_every_twin() -> None:
    ops = [name.rpartition("_")[0] for name in PAIRS]
    assert {op for op in ops if has_twin(op)} <= set(PROBLEMS)
    assert {op for op in ops if has_twin(op, "numba")} <= {case.op for case in CASES}
    called = {call.name for call in CALLS}
    for name, twins in TWINS.items():
        assert twins.numpy.__name__ == name
        own = Path(__file__).parent / ELSEWHERE.get(name, "")
        assert name in called or twins.plain in PAIRS.values() or (own.is_file() and name in own.read_text())
    switches = {name: value for name, value in vars(dispatch_ops).items() if name in TWINS}
    of_ops = [name for name, twins in TWINS.items() if twins.plain.__module__.startswith("pellucid.ops")]
    assert sorted(switches) == sorted(of_ops)
    assert all(switches[name].__doc__ == TWINS[name].plain.__doc__ for name in of_ops)


@every("name", TWINS)
def test_a_fast_twin_takes_what_the_plain_one_takes(name: str) -> None:
    plain, fast = (inspect.signature(one).parameters for one in (TWINS[name].plain, TWINS[name].numpy))
    shared = [p for p in fast.values() if p.name in plain]
    assert [(p.name, p.kind, p.default) for p in shared] == [
        (p.name, p.kind, p.default) for p in plain.values()
    ]
    more = [fast[key] for key in fast if key not in plain]
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in more)


@pytest.mark.parametrize("op", PROBLEMS)
@settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), dtype=st.sampled_from([*LIMITS]), small_blocks=st.booleans(), seed=st.integers(0, 99))
def test_fast_equals_plain(op: str, data: Any, dtype: Any, small_blocks: bool, seed: int) -> None:
    case: Case = data.draw(PROBLEMS[op]())
    rng = np.random.default_rng(seed)
    arguments = case.draw(rng, dtype)
    with pytest.MonkeyPatch.context() as patch:
        if small_blocks:  # several blocks, bands of one image, and a smaller last block
            patch.setattr(blocks, "BLOCK_BYTES", 300)
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
    statistics = rest[0]._asdict() if rest else {}
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


needs_numba = pytest.mark.skipif(not HAS_NUMBA, reason="needs Numba: pip install 'pellucid[fast]'")
both_dtypes = pytest.mark.parametrize(
    ("dtype", "limit"), [(np.float32, 1e-5), pytest.param(np.float64, 1e-12, marks=pytest.mark.slow)]
)  # each is compiled
KERNEL_CASES = [case for case in CASES if has_twin(case.op, "numba")]
POOLING = "pool.max_pool", "pool.average_pool"


def is_compiled(case: Case, dtype: Any) -> bool:
    """Return whether a case is held compiled: in float64 activations like others are held as Python, below."""
    return not (case.is_alike and dtype == np.float64)


@needs_numba
@both_dtypes
@each_op([(case, "numba") for case in KERNEL_CASES])
def test_a_kernel_equals_plain(case: Case, way: str, dtype: Any, limit: float) -> None:
    if is_compiled(case, dtype):
        hold_together(case, case.draw(np.random.default_rng(3), dtype), limit)


@needs_numba
def test_a_kernel_refuses_shapes_that_the_plain_op_refuses() -> None:
    """A loop that goes by the first array's size would read others past their end."""
    wrong = []
    for case in [case for case in KERNEL_CASES if not case.is_alike]:
        arguments = case.draw(np.random.default_rng(3), np.float32)

        def forward(way: str, case: Case = case, **arrays: Array) -> Any:
            return case.forward(way, arrays)

        def backward(way: str, dY: Array, case: Case = case, arguments: Any = arguments) -> Any:
            return case.backward(way, dY, case.forward(way, arguments)[-1])

        tried = [
            (name, lambda way, a, name=name, f=forward, all=arguments: f(way, **{**all, name: a}))
            for name in arguments
        ]
        output = np.array(case.forward("plain", arguments)[0])
        for name, call in [*tried, ("dY", backward)]:
            for array in of_other_shapes(arguments.get(name, output)):
                if is_refused(call, "plain", array) and not is_refused(call, "numba", array):
                    wrong.append((str(case), name, array.shape))
    assert not wrong


def is_refused(call: Any, way: str, array: Array) -> bool:
    try:
        call(way, array)
    except (ValueError, PellucidError):
        return True
    return False


def of_other_shapes(array: Array) -> list[Array]:
    """Return the array with one row, column, ... less and one more, along each axis."""
    found = []
    for axis, n in enumerate(array.shape):
        more = [np.concatenate([array, array.take([0], axis)], axis)]
        found += [*more, array.take(range(n - 1), axis)] if n > 1 else more
    return found


@needs_numba
@both_dtypes
@each_op([(case, "numba") for case in KERNEL_CASES])
@every("bad", [np.nan, np.inf, -np.inf])
def test_a_kernel_passes_nan_and_infinity_on(
    case: Case, way: str, bad: float, dtype: Any, limit: float
) -> None:
    if not is_compiled(case, dtype):
        return
    arguments = case.draw(np.random.default_rng(3), dtype)
    first = next(iter(arguments.values()))
    first.flat[first.size // 2] = bad
    with np.errstate(all="ignore"):
        hold_together(case, arguments, limit, is_finite=False)


def hold_together(case: Case, arguments: dict[str, Array], limit: float, is_finite: bool = True) -> None:
    """Compare the results of an op and its kernel, relative to their size; a kernel may spread NaN further."""
    plain, fast = (run(case, choice, arguments, np.random.default_rng(4)) for choice in ("plain", "numba"))
    steep = steepness(case, plain) if is_finite else 1.0
    for name, expected in plain.items():
        is_passed_on = (
            is_finite or name == "Z" or not case.op.startswith("fused.conv")
        )  # where pooling took it
        if name != "cache" and expected is not None and is_passed_on:
            assert name in ("mean", "var", "n") or fast[name].dtype == expected.dtype
            assert_near(fast[name], expected, limit * steep, name, least=0.1)


def assert_near(ours: Any, theirs: Any, limit: float, name: str, least: float = 1e-3) -> None:
    """Compare what is finite in both, normwise or, where it cancels, with a number that size.

    What is not finite in theirs must not be so in ours.
    """
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert not np.isfinite(ours[~np.isfinite(theirs)]).any(), name
    assert np.isnan(ours[np.isnan(theirs)]).all(), name
    finite = np.isfinite(ours) & np.isfinite(theirs)
    error, size = np.linalg.norm(ours[finite] - theirs[finite]), np.linalg.norm(theirs[finite])
    assert error <= limit * max(size, least), f"{name}: {error:.1e} of {size:.1e}"


@needs_numba
@both_dtypes
@every("size", [1, 3, 1000])
@every("call", CALLS, ids=str)
def test_a_called_kernel_equals_plain(call: Call, size: int, dtype: Any, limit: float) -> None:
    results = []
    for one in (TWINS[call.name].plain, TWINS[call.name].kernel):
        assert one is not None
        arguments = call.make(np.random.default_rng(5), dtype, size)
        returned = one(*arguments, **call.options)
        assert returned is not NotImplemented
        if returned is None:  # an optimizer may spoil the gradient
            returned = arguments[0], *arguments[2:]
        results.append(returned if isinstance(returned, tuple) else (returned,))
    for k, (expected, ours) in enumerate(zip(*results, strict=True)):
        assert getattr(ours, "dtype", None) == getattr(expected, "dtype", None)
        assert_near(ours, expected, limit, f"result {k}")


@needs_numba
@both_dtypes
@every("clip", [{}, {"clip_value": 0.3}, {"clip_norm": 0.5}])
@every(("name", "options"), RULES)
def test_steps_of_kernels_equal_plain_ones(
    name: str, options: dict[str, Any], clip: dict[str, float], dtype: Any, limit: float
) -> None:
    """Decay of runs, clipping, and what is kept between steps, so that a checkpoint serves both."""
    start = np.random.default_rng(1).standard_normal(3000).astype(dtype)
    mask = np.ones_like(start)
    mask[1000:1100], mask[-3:] = 0, 0
    results = []
    for choice in ("plain", "numba"):
        optimizer, theta = OPTIMIZERS.make(name, **options, **clip), start.copy()
        optimizer.start(theta, mask)
        with dispatch.use(choice):
            for step in range(70):  # past the step at which plain moments are flushed
                noise = np.random.default_rng(step).standard_normal(3000)
                optimizer.step(theta, (np.sin(theta) + noise).astype(dtype))
        results.append({"theta": theta, **optimizer.state()})
    for key, expected in results[0].items():
        assert_near(results[1][key], expected, 5 * limit, key)


@needs_numba
@both_dtypes
@every("name", ["sgd", "adam"])
def test_moments_fade_to_zero_and_nan_stays(name: str, dtype: Any, limit: float) -> None:
    call = [call for call in CALLS if call.name == name][-1]
    theta, grad, *moments = call.make(np.random.default_rng(5), dtype, 40)
    for moment in moments:
        moment[...] = 1e-31
        moment[0] = np.nan
    grad[...] = 0
    kernel = TWINS[name].kernel
    assert kernel is not None
    kernel(theta, grad, *moments, **call.options)
    for moment in moments:
        assert np.isnan(moment[0])
        assert not moment[1:].any()
    assert np.isnan(theta[0])


@every("op", [op for op in PROBLEMS if has_twin(op, "numba") and op not in ("conv.conv2d", *POOLING)])
@every(("dtype", "limit"), [(np.float32, 1e-5), (np.float64, 1e-12)])
@settings(deadline=None, max_examples=15, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 99))
def check_kernels(op: str, dtype: Any, limit: float, data: Any, seed: int) -> None:
    case: Case = data.draw(PROBLEMS[op]())
    with np.errstate(all="ignore"):
        hold_together(case, case.draw(np.random.default_rng(seed), dtype), limit)


@needs_numba
@pytest.mark.slow
def test_kernels_equal_plain_on_any_shape() -> None:
    """The loops run as Python: any shape, without a compilation for each. Those on tiles are the compiler's own."""
    check = [sys.executable, "-c", "from tests.test_dispatch import check_kernels; check_kernels()"]
    own = {"env": {**os.environ, "NUMBA_DISABLE_JIT": "1"}, "cwd": Path(__file__).parents[1]}
    done = subprocess.run(check, **own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]


@needs_numba
@both_dtypes
@pytest.mark.parametrize("op", POOLING)
@settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 99), bad=st.sampled_from([1.0, np.nan, np.inf, -np.inf]))
def test_a_pooling_kernel_equals_plain_on_any_shape(
    op: str, dtype: Any, limit: float, data: Any, seed: int, bad: float
) -> None:
    """One compilation serves all shapes."""
    case, rng = data.draw(PROBLEMS[op]()), np.random.default_rng(seed)
    X = rng.integers(-2, 3, case.shapes["X"]).astype(dtype)  # many ties
    X.flat[X.size // 2] = bad
    with np.errstate(all="ignore"):
        plain, fast = (run(case, choice, {"X": X}, np.random.default_rng(4)) for choice in ("plain", "numba"))
    for name in ("Z", "dX"):
        np.testing.assert_allclose(fast[name], plain[name], rtol=limit, atol=limit)
    np.testing.assert_array_equal(fast["cache"][0], plain["cache"][0])
    dZ = rng.standard_normal(plain["Z"].shape).astype(dtype)
    ours, theirs = case.backward("numba", dZ, plain["cache"]), case.backward("plain", dZ, fast["cache"])
    np.testing.assert_allclose(ours["X"], theirs["X"], rtol=limit, atol=limit)


@every("op", [op for op in PROBLEMS if not op.startswith("fused")])
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
    assert conv2d_forward(X, W, b, keep=False)[1].kept is not None
    with dispatch.use("plain"):  # which has no use for ``keep``, and is not given it
        assert conv2d_forward(X, W, b, keep=False)[1].kept is None
        assert function("conv.conv2d_forward", "plain") is TWINS["conv2d_forward"].plain


def test_work_of_a_size_takes_what_suits_it_unless_a_choice_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="needs Numba")
    monkeypatch.delenv(dispatch.VARIABLE, raising=False)
    for n_operations, suits in ((dispatch.AUTO_OPERATIONS / 2, "numpy"), (dispatch.AUTO_OPERATIONS, "numba")):
        with dispatch.use_for(n_operations):
            assert dispatch.current() == suits
        for choice in ("plain", "numpy", "numba"):
            with dispatch.use(choice), dispatch.use_for(n_operations):
                assert dispatch.current() == choice
    monkeypatch.setenv(dispatch.VARIABLE, "numba")
    with dispatch.use_for(1.0):
        assert dispatch.current() == "numba"


def test_small_work_leaves_larger_work_inside_it_free_to_choose() -> None:
    with dispatch.use_for(1.0):
        assert dispatch.current() == "numpy"
        with dispatch.use_for(1e15):
            assert dispatch.current() == dispatch.resolve("auto", 1e15)
        with dispatch.use("numpy"), dispatch.use_for(1e15):
            assert dispatch.current() == "numpy"
    with dispatch.use("numpy"), dispatch.use_for(1.0), dispatch.use_for(1e15):
        assert dispatch.current() == "numpy"


def test_an_unknown_keyword_is_refused_in_every_way_it_can_run() -> None:
    X, W, ones = np.zeros((1, 5, 5, 3)), np.zeros((3, 3, 3, 4)), np.ones(3)
    for way in WAYS_HERE:
        with dispatch.use(way):
            with pytest.raises(CallError, match="Did you mean 'stride'"):
                dispatch_ops.conv2d_forward(X, W, strid=(2, 2), paddng=3)  # type: ignore[call-arg]
            with pytest.raises(CallError, match="Did you mean 'epsilon'"):
                dispatch_ops.batch_norm_forward(X, ones, ones, epsilom=9.0)


@needs_numba
def test_further_keywords_are_those_that_fast_twins_take() -> None:
    for name, twins in TWINS.items():
        fast = [inspect.signature(one).parameters for one in (twins.numpy, twins.kernel or twins.numpy)]
        assert {*fast[0], *fast[1]} - {*inspect.signature(twins.plain).parameters} == twins.extra, name


def test_the_environment_chooses_plain_outside_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    pair, called = TWINS["conv2d_forward"], []

    def twin(X: Array, W: Array) -> Any:
        called.append("numpy")
        return pair.plain(X, W)

    monkeypatch.setattr(pair, "numpy", twin)
    for kernels in ("numpy", "plain"):
        monkeypatch.setenv("PELLUCID_KERNELS", kernels)
        conv2d_forward(np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 1)))
    assert called == ["numpy"], "and not where it is plain"
