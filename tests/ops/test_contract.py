"""One table of ops, one contract for all, plain and fast: see tests/ops/cases.py."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from tests.every import every
from tests.ops.cases import CASES, PAIRS, WAYS_HERE, Case, each_op, function, has_twin

from pellucid.ops.finite_difference import gradcheck
from pellucid.types import Array
from pellucid.workspace import Workspace

SUBJECTS = [
    (case, way)
    for case in CASES
    for way in WAYS_HERE
    if way == "plain" or (has_twin(case.op, way) and not (way == "numba" and case.is_alike))
]
both_dtypes = every("dtype", [np.float32, np.float64])


def every_op(where: Callable[[Case, str], bool] = lambda case, way: True) -> Callable[[Any], Any]:
    """Go through each op's cases; a compiled one is held to the plain one in test_dispatch.py, quickly."""
    return each_op([subject for subject in SUBJECTS if where(*subject)], slow=["numba"])


def test_the_table_has_every_op() -> None:
    assert {case.op for case in CASES} == {name.rpartition("_")[0] for name in PAIRS}


def test_every_backward_starts_with_its_formula() -> None:
    for name, op in PAIRS.items():
        if name.endswith("_backward"):
            first = (op.__doc__ or "").splitlines()[0]
            assert first.startswith("d"), f"{name}: {first}"
            assert " = " in first, f"{name}: {first}"


def upstream(case: Case, way: str, arguments: dict[str, Array], rng: np.random.Generator) -> Array:
    Z = case.forward(way, copies(arguments))[0]
    return rng.standard_normal(Z.shape).astype(Z.dtype)


def copies(arrays: dict[str, Array]) -> dict[str, Array]:
    return {name: array.copy() for name, array in arrays.items()}


def parameters(case: Case, direction: str, way: str) -> set[str]:
    return set(inspect.signature(function(f"{case.op}_{direction}", way)).parameters)


@every_op()
@both_dtypes
def test_shapes_dtypes_and_inputs_are_kept(
    case: Case, way: str, dtype: Any, rng: np.random.Generator
) -> None:
    arguments = case.draw(rng, dtype)
    before = copies(arguments)
    Z, *_, cache = case.forward(way, arguments)
    dZ = rng.standard_normal(Z.shape).astype(dtype)
    dZ_before = dZ.copy()
    gradients = case.backward(way, dZ, cache)
    assert Z.dtype == dtype
    for name, gradient in gradients.items():
        assert gradient.shape == arguments[name].shape, name
        assert gradient.dtype == dtype, name
    for name, array in arguments.items():
        if not (case.overwrites and name == "Z"):
            np.testing.assert_array_equal(array, before[name])
    if not case.op.startswith("fused"):
        np.testing.assert_array_equal(dZ, dZ_before)


@every_op()
@both_dtypes
def test_buffers_and_workspaces_give_the_same_bits(
    case: Case, way: str, dtype: Any, rng: np.random.Generator
) -> None:
    arguments = case.draw(rng, dtype)
    dZ = upstream(case, way, arguments, rng)
    Z, *_, cache = case.forward(way, copies(arguments))
    Z, gradients = Z.copy(), copies(case.backward(way, dZ.copy(), cache))
    extra: dict[str, Any] = {}
    if "workspace" in parameters(case, "forward", way):
        extra["workspace"] = Workspace()
        for rows in (slice(1), slice(None)):  # what another batch left in the workspace must not show
            first = next(iter(arguments))
            case.forward(way, {**copies(arguments), first: arguments[first][rows].copy()}, **extra)
    if "out" in parameters(case, "forward", way):
        extra["out"] = np.full_like(Z, np.nan)
    again, *_, cache = case.forward(way, copies(arguments), **extra)
    assert "out" not in extra or again is extra["out"]
    np.testing.assert_array_equal(again, Z)
    taken = parameters(case, "backward", way)
    buffers = {f"d{name}": np.full_like(g, np.nan) for name, g in gradients.items() if f"d{name}" in taken}
    if "workspace" in taken:
        buffers["workspace"] = extra["workspace"] if "workspace" in extra else Workspace()  # type: ignore[assignment]
    for name, gradient in case.backward(way, dZ.copy(), cache, **buffers).items():
        assert f"d{name}" not in buffers or gradient is buffers[f"d{name}"], name
        np.testing.assert_array_equal(gradient, gradients[name], err_msg=name)


@every_op(lambda case, way: case.is_elementwise)
@every("over", ["the input itself", "a view of the input"])
def test_in_place_gives_the_same_bits(case: Case, way: str, over: str, rng: np.random.Generator) -> None:
    arguments = case.draw(rng)
    first = next(iter(arguments))
    dZ = upstream(case, way, arguments, rng)
    Z, *_, cache = case.forward(way, copies(arguments))
    gradient = case.backward(way, dZ.copy(), cache)[first].copy()
    Z = Z.copy()
    target, buffer = (arguments[first], dZ) if over == "the input itself" else (arguments[first][:], dZ[:])
    again, *_, cache = case.forward(way, arguments, out=target)
    assert again is target
    np.testing.assert_array_equal(again, Z)
    np.testing.assert_array_equal(case.backward(way, dZ, cache, **{f"d{first}": buffer})[first], gradient)


@every_op(lambda case, way: not case.mixes_samples)
def test_a_batch_is_its_rows(case: Case, way: str, rng: np.random.Generator) -> None:
    arguments = case.draw(rng)
    first = next(iter(arguments))
    dZ = upstream(case, way, arguments, rng)
    Z, *_, cache = case.forward(way, arguments)
    gradient = case.backward(way, dZ, cache)[first]
    for i in np.unique(np.linspace(0, len(Z) - 1, 9, dtype=int)):
        row, *_, cache = case.forward(way, {**arguments, first: arguments[first][i : i + 1]})
        np.testing.assert_allclose(row[0], Z[i], rtol=0, atol=1e-12)
        alone = case.backward(way, dZ[i : i + 1], cache)[first]
        np.testing.assert_allclose(alone[0], gradient[i], rtol=0, atol=1e-12)


@every_op()
def test_gradients_of_every_argument(case: Case, way: str, rng: np.random.Generator) -> None:
    """Along random directions, against a central difference, with a random upstream gradient."""
    arguments = case.draw(rng)
    dZ = upstream(case, way, arguments, rng)

    def loss(**changed: Array) -> float:
        return float(np.vdot(case.forward(way, copies(changed))[0], dZ))

    *_, cache = case.forward(way, copies(arguments))
    gradients = case.backward(way, dZ.copy(), cache)
    errors = gradcheck(loss, gradients, arguments, rng)
    # BatchNorm of two values is a step function but for epsilon: its slope is steep, so the difference is coarse.
    assert max(errors.values()) < (1e-3 if case.note == "(2, 1)" else 1e-5), errors


@every_op(lambda case, way: "needs_dX" in parameters(case, "backward", way))
def test_without_input_gradient_the_rest_is_the_same(case: Case, way: str, rng: np.random.Generator) -> None:
    arguments = case.draw(rng)
    dZ = upstream(case, way, arguments, rng)
    gradients = case.backward(way, dZ.copy(), case.forward(way, copies(arguments))[-1])
    cache = case.forward(way, arguments)[-1]  # a backward may overwrite what the forward kept
    for name, gradient in case.backward(way, dZ, cache, needs_dX=False).items():
        if name == "X":
            assert gradient is None
        else:
            np.testing.assert_allclose(gradient, gradients[name], rtol=0, atol=1e-13)
