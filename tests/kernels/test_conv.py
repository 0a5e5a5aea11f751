"""Convolution by every algorithm: against the plain op, its workspaces, and which is chosen."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.every import every
from tests.ops.cases import CASES
from tests.ops.problems import assert_close, convolutions, drawn, geometry_of

from pellucid.errors import OptionError
from pellucid.kernels.uncompiled import blocks
from pellucid.kernels.uncompiled.conv import ALGORITHMS, choose_algorithm, conv2d_backward, conv2d_forward
from pellucid.kernels.uncompiled.conv_winograd import matrices
from pellucid.ops import conv as plain
from pellucid.ops.conv_geometry import NO_PADDING, window_geometry
from pellucid.types import Array
from pellucid.workspace import Buffers, Workspace

SAME = ((1, 1), (1, 1))
LIMITS = {np.float32: 1e-5, np.float64: 1e-10}


def fitting(X_shape: Any, W_shape: Any, options: Any) -> list[str]:
    geometry = geometry_of(X_shape, W_shape, options)
    return [name for name, algorithm in ALGORITHMS.items() if algorithm.fits(geometry)]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    problem=convolutions(largest=13, channels=9),
    dtype=st.sampled_from([*LIMITS]),
    block=st.sampled_from([300, 1 << 20]),
    seed=st.integers(0, 99),
)
def test_every_algorithm_equals_the_plain_op(problem: Any, dtype: Any, block: int, seed: int) -> None:
    options = problem[2]
    X, W, b, dZ = drawn(np.random.default_rng(seed), *problem, dtype)
    Z, cache = plain.conv2d_forward(X, W, b, **options)
    expected = (Z, *plain.conv2d_backward(dZ, cache))
    with pytest.MonkeyPatch.context() as patch:  # small blocks: bands of one image, and a smaller last block
        patch.setattr(blocks, "BLOCK_BYTES", block)
        for algorithm in fitting(*problem):
            Z, cache = conv2d_forward(X, W, b, algorithm=algorithm, **options)
            ours = (Z, *conv2d_backward(dZ, cache))
            for name, one, twin in zip(("Z", "dX", "dW", "db"), ours, expected, strict=True):
                assert twin is not None
                assert_close(f"{algorithm} {name}", one, twin, 2 * LIMITS[dtype])


PROBLEMS = [(case.shapes["X"], case.shapes["W"], case.options) for case in CASES if case.op == "conv.conv2d"]


@every("problem", PROBLEMS)
@every("dtype", LIMITS)
def test_without_what_the_forward_keeps_the_bits_are_the_same(
    rng: np.random.Generator, problem: Any, dtype: Any
) -> None:
    X, W, b, dZ = drawn(rng, *problem, dtype)
    kept, forgotten = (conv2d_forward(X, W, b, keep=keep, **problem[2]) for keep in (True, False))
    np.testing.assert_array_equal(forgotten[0], kept[0])
    for one, two in zip(conv2d_backward(dZ, kept[1]), conv2d_backward(dZ, forgotten[1]), strict=True):
        np.testing.assert_array_equal(one, two)


@every("algorithm", ["auto", "im2col"])
@every("problem", PROBLEMS)
def test_with_a_workspace_a_second_step_makes_no_array(
    rng: np.random.Generator, problem: Any, algorithm: str
) -> None:
    X, W, b, dZ = drawn(rng, *problem, np.float32)

    def arrays(buffers: Buffers) -> list[int]:
        inside = [made for part in buffers._parts.values() for made in arrays(part)]
        return [*map(id, buffers._flat.values()), *inside]

    workspace, made = Workspace(), []
    for _ in range(2):
        _, cache = conv2d_forward(X, W, b, workspace=workspace, algorithm=algorithm, **problem[2])
        conv2d_backward(dZ, cache, workspace=workspace)
        made.append([arrays(buffers) for buffers in workspace._buffers.values()])
    assert any(made[0])
    assert made[1] == made[0]


@every("problem", PROBLEMS)
def test_threads_with_workspaces_of_their_own_do_not_meet(rng: np.random.Generator, problem: Any) -> None:
    tasks = [drawn(rng, *problem, np.float32) for _ in range(2)]

    def run(task: tuple[Array, ...]) -> list[Array | None]:
        X, W, b, dZ = task
        workspace = Workspace()
        for _ in range(8):
            Z, cache = conv2d_forward(X, W, b, workspace=workspace, **problem[2])
            results = [Z, *conv2d_backward(dZ, cache, workspace=workspace)]
        return results

    alone = [run(task) for task in tasks]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(run, tasks))
    for one, two in zip(alone, together, strict=True):
        for a, b in zip(one, two, strict=True):
            assert a is not None
            np.testing.assert_array_equal(a, b)


def test_winograd_matrices_are_an_exact_filter() -> None:
    M = matrices(np.dtype(np.float64))
    rng = np.random.default_rng(0)
    d, g = rng.integers(-9, 9, 6).astype(float), rng.integers(-9, 9, 3).astype(float)
    np.testing.assert_allclose(M.AT @ ((M.BT @ d) * (M.G @ g)), np.correlate(d, g), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(M.A[1], np.ones(4))  # what the bias relies on


CHOICES = [
    ({}, "winograd"),
    ({"c_in": 15}, "im2col"),
    ({"c_out": 7}, "im2col"),
    ({"stride": (2, 1)}, "im2col"),
    ({"dilation": (1, 2)}, "im2col"),
    ({"groups": 2}, "im2col"),
    ({"groups": 16}, "depthwise"),
    ({"c_in": 1}, "im2col"),
    ({"h_out": 5, "w_out": 5}, "im2col"),
    ({"kernel": (1, 1), "padding": NO_PADDING}, "pointwise"),
    ({"kernel": (1, 1), "padding": NO_PADDING, "stride": (2, 2)}, "im2col"),
    ({"kernel": (5, 5)}, "im2col"),
]


@every(("changes", "expected"), CHOICES)
def test_the_algorithm_is_chosen_by_shape(changes: dict[str, Any], expected: str) -> None:
    geometry = window_geometry("", (1, 16, 16, 16), (3, 3), c_out=16, stride=(1, 1), padding=SAME)
    assert choose_algorithm(geometry._replace(**changes)) == expected


def test_unknown_and_unfit_algorithms_are_named() -> None:
    X, W = np.zeros((1, 5, 5, 2)), np.zeros((3, 3, 2, 4))
    with pytest.raises(OptionError, match="Did you mean 'winograd'"):
        conv2d_forward(X, W, algorithm="vinograd")
    with pytest.raises(OptionError, match="pointwise"):
        conv2d_forward(X, W, algorithm="pointwise")
