"""One table of ops, one contract for all, plain and fast: see tests/ops/cases.py."""

import inspect
from typing import Any

import numpy as np
import pytest
from tests.ops.cases import CASES, HAS_NUMBA, PAIRS, Case, function, has_twin

from pellucid.dispatch import WAYS
from pellucid.ops.finite_difference import gradcheck
from pellucid.types import Array
from pellucid.workspace import Workspace

SUBJECTS = [
    (case, choice)
    for case in CASES
    for choice in (WAYS if HAS_NUMBA else WAYS[:2])
    if choice == "plain" or has_twin(case.op, choice)
]
every_op = pytest.mark.parametrize(("case", "choice"), SUBJECTS, ids=lambda value: str(value))
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def test_the_table_has_every_op() -> None:
    assert {case.op for case in CASES} == {name.rpartition("_")[0] for name in PAIRS}


def test_every_backward_starts_with_its_formula() -> None:
    for name, op in PAIRS.items():
        if name.endswith("_backward"):
            first = (op.__doc__ or "").splitlines()[0]
            assert first.startswith("d"), f"{name}: {first}"
            assert " = " in first, f"{name}: {first}"


def upstream(case: Case, choice: str, arguments: dict[str, Array], rng: np.random.Generator) -> Array:
    Z = case.forward(choice, copies(arguments))[0]
    return rng.standard_normal(Z.shape).astype(Z.dtype)


def copies(arrays: dict[str, Array]) -> dict[str, Array]:
    return {name: array.copy() for name, array in arrays.items()}


def parameters(case: Case, way: str, choice: str) -> set[str]:
    return set(inspect.signature(function(f"{case.op}_{way}", choice)).parameters)


@every_op
@both_dtypes
def test_shapes_dtypes_and_inputs_are_kept(
    case: Case, choice: str, dtype: Any, rng: np.random.Generator
) -> None:
    arguments = case.draw(rng, dtype)
    before = copies(arguments)
    Z, *_, cache = case.forward(choice, arguments)
    dZ = rng.standard_normal(Z.shape).astype(dtype)
    dZ_before = dZ.copy()
    gradients = case.backward(choice, dZ, cache)
    assert Z.dtype == dtype
    for name, gradient in gradients.items():
        assert gradient.shape == arguments[name].shape, name
        assert gradient.dtype == dtype, name
    for name, array in arguments.items():
        if not (case.overwrites and name == "Z"):
            np.testing.assert_array_equal(array, before[name])
    if not case.op.startswith("fused"):
        np.testing.assert_array_equal(dZ, dZ_before)


@every_op
@both_dtypes
def test_buffers_and_workspaces_give_the_same_bits(
    case: Case, choice: str, dtype: Any, rng: np.random.Generator
) -> None:
    arguments = case.draw(rng, dtype)
    dZ = upstream(case, choice, arguments, rng)
    Z, *_, cache = case.forward(choice, copies(arguments))
    Z, gradients = Z.copy(), copies(case.backward(choice, dZ.copy(), cache))
    extra: dict[str, Any] = {}
    if "workspace" in parameters(case, "forward", choice):
        extra["workspace"] = Workspace()
        for rows in (slice(1), slice(None)):  # what another batch left in the workspace must not show
            first = next(iter(arguments))
            case.forward(choice, {**copies(arguments), first: arguments[first][rows].copy()}, **extra)
    if "out" in parameters(case, "forward", choice):
        extra["out"] = np.full_like(Z, np.nan)
    again, *_, cache = case.forward(choice, copies(arguments), **extra)
    assert "out" not in extra or again is extra["out"]
    np.testing.assert_array_equal(again, Z)
    taken = parameters(case, "backward", choice)
    buffers = {f"d{name}": np.full_like(g, np.nan) for name, g in gradients.items() if f"d{name}" in taken}
    if "workspace" in taken:
        buffers["workspace"] = extra["workspace"] if "workspace" in extra else Workspace()  # type: ignore[assignment]
    for name, gradient in case.backward(choice, dZ.copy(), cache, **buffers).items():
        assert f"d{name}" not in buffers or gradient is buffers[f"d{name}"], name
        np.testing.assert_array_equal(gradient, gradients[name], err_msg=name)


@pytest.mark.parametrize(("case", "choice"), [s for s in SUBJECTS if s[0].is_elementwise], ids=str)
@pytest.mark.parametrize("over", ["the input itself", "a view of the input"])
def test_in_place_gives_the_same_bits(case: Case, choice: str, over: str, rng: np.random.Generator) -> None:
    arguments = case.draw(rng)
    first = next(iter(arguments))
    dZ = upstream(case, choice, arguments, rng)
    Z, *_, cache = case.forward(choice, copies(arguments))
    gradient = case.backward(choice, dZ.copy(), cache)[first].copy()
    Z = Z.copy()
    target, buffer = (arguments[first], dZ) if over == "the input itself" else (arguments[first][:], dZ[:])
    again, *_, cache = case.forward(choice, arguments, out=target)
    assert again is target
    np.testing.assert_array_equal(again, Z)
    np.testing.assert_array_equal(case.backward(choice, dZ, cache, **{f"d{first}": buffer})[first], gradient)


@pytest.mark.parametrize(("case", "choice"), [s for s in SUBJECTS if not s[0].mixes_samples], ids=str)
def test_a_batch_is_its_rows(case: Case, choice: str, rng: np.random.Generator) -> None:
    arguments = case.draw(rng)
    first = next(iter(arguments))
    dZ = upstream(case, choice, arguments, rng)
    Z, *_, cache = case.forward(choice, arguments)
    gradient = case.backward(choice, dZ, cache)[first]
    for i in range(len(Z)):
        row, *_, cache = case.forward(choice, {**arguments, first: arguments[first][i : i + 1]})
        np.testing.assert_allclose(row[0], Z[i], rtol=0, atol=1e-12)
        alone = case.backward(choice, dZ[i : i + 1], cache)[first]
        np.testing.assert_allclose(alone[0], gradient[i], rtol=0, atol=1e-12)


@every_op
def test_gradients_of_every_argument(case: Case, choice: str, rng: np.random.Generator) -> None:
    """Along random directions, against a central difference, with a random upstream gradient."""
    arguments = case.draw(rng)
    dZ = upstream(case, choice, arguments, rng)

    def loss(**changed: Array) -> float:
        return float(np.vdot(case.forward(choice, copies(changed))[0], dZ))

    *_, cache = case.forward(choice, copies(arguments))
    gradients = case.backward(choice, dZ.copy(), cache)
    errors = gradcheck(loss, gradients, arguments, rng)
    # BatchNorm of two values is a step function but for epsilon: its slope is steep, so the difference is coarse.
    assert max(errors.values()) < (1e-3 if case.note == "(2, 1)" else 1e-6), errors


@pytest.mark.parametrize(
    ("case", "choice"),
    [s for s in SUBJECTS if "needs_dX" in parameters(s[0], "backward", s[1])],
    ids=str,
)
def test_without_input_gradient_the_rest_is_the_same(
    case: Case, choice: str, rng: np.random.Generator
) -> None:
    arguments = case.draw(rng)
    dZ = upstream(case, choice, arguments, rng)
    gradients = case.backward(choice, dZ.copy(), case.forward(choice, copies(arguments))[-1])
    cache = case.forward(choice, arguments)[-1]  # a backward may overwrite what the forward kept
    for name, gradient in case.backward(choice, dZ, cache, needs_dX=False).items():
        if name == "X":
            assert gradient is None
        else:
            np.testing.assert_allclose(gradient, gradients[name], rtol=0, atol=1e-13)
