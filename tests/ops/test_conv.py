"""Convolution: every algorithm against the plain twin and PyTorch, its contract, and what it refuses."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pellucid.errors import OptionError, ShapeError
from pellucid.ops import conv_geometry, reference_conv
from pellucid.ops.conv import ALGORITHMS, choose_algorithm, conv2d_backward, conv2d_forward
from pellucid.ops.conv_geometry import NO_PADDING, output_length, window_geometry
from pellucid.ops.conv_winograd import matrices
from pellucid.ops.finite_difference import gradcheck
from pellucid.types import Array
from pellucid.workspace import Workspace

SAME = ((1, 1), (1, 1))
LIMITS = {np.float32: 1e-5, np.float64: 1e-10}
pairs = st.tuples(st.integers(0, 3), st.integers(0, 3))


@st.composite
def problems(draw: Any, largest: int = 12, channels: int = 4) -> tuple[Any, ...]:
    """Return the shapes of X and W, and the options; a third are plain 3x3, which all but one algorithm take."""
    kind = draw(st.sampled_from(["any", "3x3", "depthwise", "pointwise"]))
    m, h, w = draw(st.integers(1, 4)), draw(st.integers(1, largest)), draw(st.integers(1, largest))
    groups, each = draw(st.integers(1, 3)), draw(st.integers(1, channels))
    kernel, stride, dilation = ((draw(st.integers(1, n)), draw(st.integers(1, n))) for n in (4, 3, 2))
    padding = draw(st.tuples(pairs, pairs))
    if kind == "3x3":
        kernel, stride, dilation, groups = (3, 3), (1, 1), (1, 1), 1
    elif kind == "depthwise":
        each = 1
    elif kind == "pointwise":
        kernel, stride, padding = (1, 1), (1, 1), NO_PADDING
    c_out = groups * draw(st.integers(1, channels))
    for n, axis in ((h, 0), (w, 1)):
        assume(output_length(n, kernel[axis], stride[axis], padding[axis], dilation[axis]) > 0)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (m, h, w, groups * each), (*kernel, each, c_out), options


def drawn(
    rng: np.random.Generator, X_shape: Any, W_shape: Any, options: Any, dtype: Any
) -> tuple[Array, ...]:
    Z_shape = _geometry(X_shape, W_shape, options).out_shape
    shapes = (X_shape, W_shape, W_shape[3:], Z_shape)
    X, W, b, dZ = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    return X, W, b, dZ


def assert_close(name: str, ours: Array | None, theirs: Array, limit: float) -> None:
    """Compare relative to the tensor's largest value, or to 1, one product's size, where a few numbers cancel."""
    assert ours is not None
    assert ours.shape == theirs.shape
    error = np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1.0)
    assert error <= limit, f"{name}: {error:.1e}"


def fitting(X_shape: Any, W_shape: Any, options: Any) -> list[str]:
    geometry = _geometry(X_shape, W_shape, options)
    return [name for name, algorithm in ALGORITHMS.items() if algorithm.fits(geometry)]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    problem=problems(largest=6, channels=2), block=st.sampled_from([300, 1 << 20]), seed=st.integers(0, 99)
)
def test_every_algorithm_equals_the_twin(problem: Any, block: int, seed: int) -> None:
    options = problem[2]
    X, W, b, dZ = drawn(np.random.default_rng(seed), *problem, np.float64)
    expected_Z = reference_conv.conv2d_forward(X, W, b, **options)
    expected = reference_conv.conv2d_backward(dZ, X, W, **options)
    with pytest.MonkeyPatch.context() as patch:  # small blocks: bands of one image, and a smaller last block
        patch.setattr(conv_geometry, "BLOCK_BYTES", block)
        for algorithm in fitting(*problem):
            Z, cache = conv2d_forward(X, W, b, algorithm=algorithm, **options)
            assert_close(f"{algorithm} Z", Z, expected_Z, 1e-12)
            for name, ours, twin in zip(
                ("dX", "dW", "db"), conv2d_backward(dZ, cache), expected, strict=True
            ):
                assert_close(f"{algorithm} {name}", ours, twin, 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    problem=problems(largest=19, channels=9), block=st.sampled_from([3000, 1 << 20]), seed=st.integers(0, 99)
)
def test_every_algorithm_equals_pytorch(dtype: Any, problem: Any, block: int, seed: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    options = problem[2]
    X, W, b, dZ = drawn(np.random.default_rng(seed), *problem, dtype)
    expected = _pytorch(torch, X, W, b, dZ, options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conv_geometry, "BLOCK_BYTES", block)
        for algorithm in fitting(*problem):
            Z, cache = conv2d_forward(X, W, b, algorithm=algorithm, **options)
            ours = (Z, *conv2d_backward(dZ, cache))
            for name, one, theirs in zip(("Z", "dX", "dW", "db"), ours, expected, strict=True):
                assert one is not None
                assert one.dtype == dtype
                assert_close(f"{algorithm} {name}", one, theirs, LIMITS[dtype])


@pytest.mark.parametrize(
    ("c_in", "c_out", "size"), [(3, 24, 64), (24, 48, 32), (48, 96, 16), (96, 96, 8), (256, 64, 10)]
)
def test_layers_of_a_real_network_equal_pytorch_in_float32(
    rng: np.random.Generator, c_in: int, c_out: int, size: int
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    X_shape, W_shape, options = (5, size, size, c_in), (3, 3, c_in, c_out), {"padding": SAME}
    X, W, b, dZ = drawn(rng, X_shape, W_shape, options, np.float32)
    Z, cache = conv2d_forward(X, W, b, **options)
    assert cache.algorithm == ("im2col" if c_in == 3 else "winograd")
    expected = _pytorch(torch, X, W, b, dZ, options)
    for name, ours, theirs in zip(
        ("Z", "dX", "dW", "db"), (Z, *conv2d_backward(dZ, cache)), expected, strict=True
    ):
        assert_close(name, ours, theirs, 1e-5)


PROBLEMS = {
    "im2col": ((3, 7, 6, 4), (3, 2, 2, 6), {"stride": (2, 1), "padding": ((1, 2), (0, 1)), "groups": 2}),
    "few channels": ((3, 7, 6, 2), (3, 2, 2, 6), {"stride": (1, 2), "dilation": (2, 1)}),
    "many channels": ((3, 7, 6, 9), (3, 2, 9, 6), {"stride": (1, 2), "dilation": (2, 1)}),
    "pointwise": ((3, 5, 6, 4), (1, 1, 2, 6), {"groups": 2}),
    "depthwise": ((3, 7, 6, 4), (3, 3, 1, 8), {"padding": SAME, "groups": 4}),
    "depthwise, stride": ((3, 7, 6, 4), (3, 3, 1, 4), {"stride": (2, 2), "groups": 4}),
    "winograd": ((3, 8, 8, 16), (3, 3, 16, 17), {"padding": SAME}),
    "winograd, ragged": ((3, 6, 11, 16), (3, 3, 16, 16), {"padding": ((0, 1), (2, 0))}),
}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_inputs_buffers_and_workspaces(rng: np.random.Generator, problem: Any, dtype: Any) -> None:
    arrays = drawn(rng, *problem, dtype)
    X, W, b, dZ = arrays
    before = [array.copy() for array in arrays]
    Z, cache = conv2d_forward(X, W, b, **problem[2])
    plain = conv2d_backward(dZ, cache)
    workspace = Workspace()
    for rows in (3, 1, 3):  # the workspace's arrays shrink and grow; what was left in them must not show
        conv2d_forward(X[:rows], W, b, workspace=workspace, **problem[2])
    out = np.full_like(Z, np.nan)
    again, cache = conv2d_forward(X, W, b, out=out, workspace=workspace, **problem[2])
    assert again is out
    np.testing.assert_array_equal(again, Z)
    buffers = {"dX": np.full_like(X, np.nan), "dW": np.full_like(W, np.nan), "db": np.full_like(b, np.nan)}
    for one, two, buffer in zip(
        plain, conv2d_backward(dZ, cache, workspace=workspace, **buffers), buffers.values(), strict=True
    ):
        assert two is buffer
        assert one is not None
        assert one.dtype == dtype
        np.testing.assert_array_equal(one, two)
    forgetful, cache = conv2d_forward(X, W, b, keep=False, **problem[2])
    np.testing.assert_array_equal(forgetful, Z)
    for one, two in zip(plain, conv2d_backward(dZ, cache), strict=True):
        assert one is not None
        assert two is not None
        np.testing.assert_array_equal(one, two)
    assert Z.dtype == dtype
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("algorithm", ["auto", "im2col"])
@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_with_a_workspace_a_second_step_makes_no_array(
    rng: np.random.Generator, problem: Any, algorithm: str
) -> None:
    X, W, b, dZ = drawn(rng, *problem, np.float32)
    made: list[Array] = []

    def empty(shape: Any, dtype: Any) -> Array:
        made.append(np.empty(shape, dtype))
        return made[-1]

    workspace = Workspace(empty)
    for _ in range(2):
        n_before = len(made)
        _, cache = conv2d_forward(X, W, b, workspace=workspace, algorithm=algorithm, **problem[2])
        conv2d_backward(dZ, cache, workspace=workspace)
    assert n_before > 0
    assert len(made) == n_before


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_without_input_gradient_or_bias_the_rest_is_the_same(rng: np.random.Generator, problem: Any) -> None:
    X, W, b, dZ = drawn(rng, *problem, np.float64)
    Z, cache = conv2d_forward(X, W, b, **problem[2])
    _, dW, _ = conv2d_backward(dZ, cache)
    Z_plain, cache_plain = conv2d_forward(X, W, **problem[2])
    np.testing.assert_allclose(Z_plain + b, Z, rtol=0, atol=1e-12)
    nothing, dW_plain, no_db = conv2d_backward(dZ, cache_plain, needs_dX=False)
    assert nothing is None
    assert no_db is None
    np.testing.assert_allclose(dW_plain, dW, rtol=0, atol=1e-11)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_gradients_of_every_argument(rng: np.random.Generator, problem: Any) -> None:
    X, W, b, dZ = drawn(rng, *problem, np.float64)
    gradients = dict(
        zip(
            ("X", "W", "b"),
            conv2d_backward(dZ, conv2d_forward(X, W, b, **problem[2])[1]),
            strict=True,
        )
    )

    def function(**arguments: Array) -> float:
        return float(np.vdot(conv2d_forward(**arguments, **problem[2])[0], dZ))

    errors = gradcheck(function, gradients, {"X": X, "W": W, "b": b}, rng)  # type: ignore[arg-type]
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_a_batch_is_its_images_one_by_one(rng: np.random.Generator, problem: Any) -> None:
    X, W, b, dZ = drawn(rng, *problem, np.float64)
    Z, cache = conv2d_forward(X, W, b, **problem[2])
    dX = conv2d_backward(dZ, cache)[0]
    assert dX is not None
    for i in range(len(X)):
        alone, cache = conv2d_forward(X[i : i + 1], W, b, **problem[2])
        np.testing.assert_allclose(alone[0], Z[i], rtol=0, atol=1e-12)
        dX_alone = conv2d_backward(dZ[i : i + 1], cache)[0]
        assert dX_alone is not None
        np.testing.assert_allclose(dX_alone[0], dX[i], rtol=0, atol=1e-12)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_threads_with_workspaces_of_their_own_do_not_meet(rng: np.random.Generator, problem: Any) -> None:
    tasks = [drawn(rng, *problem, np.float32) for _ in range(2)]

    def run(task: tuple[Array, ...]) -> list[Array | None]:
        X, W, b, dZ = task
        workspace = Workspace()
        for _ in range(20):
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


def test_a_view_of_a_larger_array_is_read_right(rng: np.random.Generator) -> None:
    large, W = rng.standard_normal((2, 10, 12, 20)), rng.standard_normal((3, 3, 16, 16))
    X = large[:, 1:9, ::2, 2:18]
    for algorithm in ("winograd", "im2col"):
        Z, cache = conv2d_forward(X, W, algorithm=algorithm)
        expected, twin = conv2d_forward(X.copy(), W, algorithm=algorithm)
        np.testing.assert_array_equal(Z, expected)
        turned = np.asfortranarray(Z)
        np.testing.assert_array_equal(conv2d_backward(turned, cache)[1], conv2d_backward(Z, twin)[1])


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_no_images_give_no_output_and_zero_gradients(rng: np.random.Generator, problem: Any) -> None:
    X, W, b, dZ = drawn(rng, *problem, np.float32)
    Z, cache = conv2d_forward(X[:0], W, b, **problem[2])
    assert Z.shape == (0, *dZ.shape[1:])
    dX, dW, db = conv2d_backward(dZ[:0], cache, dW=np.full_like(W, np.nan), db=np.full_like(b, np.nan))
    assert dX is not None
    assert db is not None
    assert dX.shape == (0, *X.shape[1:])
    assert not dW.any()
    assert not db.any()


def test_a_constant_image_gives_the_sums_of_the_kernels() -> None:
    W = np.arange(9.0 * 16 * 16).reshape(3, 3, 16, 16)
    for algorithm in ("winograd", "im2col"):
        Z, _ = conv2d_forward(np.ones((1, 6, 6, 16)), W, algorithm=algorithm)
        np.testing.assert_allclose(Z, np.broadcast_to(W.sum((0, 1, 2)), Z.shape), rtol=1e-12)


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


@pytest.mark.parametrize(("changes", "expected"), CHOICES)
def test_the_algorithm_is_chosen_by_shape(changes: dict[str, Any], expected: str) -> None:
    geometry = window_geometry("", (1, 16, 16, 16), (3, 3), c_out=16, stride=(1, 1), padding=SAME)
    assert choose_algorithm(geometry._replace(**changes)) == expected


BAD = [
    (((2, 8, 8), (3, 3, 3, 4), {}), "expected X of shape"),
    (((2, 8, 8, 3), (3, 3, 3), {}), "expected W of shape"),
    (((2, 3, 8, 8), (3, 3, 3, 4), {}), "Channels are the last axis"),
    (((2, 8, 8, 4), (3, 3, 4, 4), {"groups": 2}), "with 2 groups"),
    (((2, 8, 8, 4), (3, 3, 2, 3), {"groups": 2}), "with 2 groups"),
    (((2, 2, 8, 3), (3, 3, 3, 4), {}), "does not fit into images of 2x8"),
    (((2, 8, 8, 3), (3, 3, 3, 4), {"stride": (0, 1)}), "of 1 or more"),
    (((2, 8, 8, 3), (3, 3, 3, 4), {"padding": ((-1, 0), (0, 0))}), "padding of 0 or more"),
]


@pytest.mark.parametrize(("problem", "message"), BAD)
def test_shapes_that_do_not_fit_are_named(problem: Any, message: str) -> None:
    X_shape, W_shape, options = problem
    with pytest.raises(ShapeError, match=message):
        conv2d_forward(np.zeros(X_shape), np.zeros(W_shape), **options)


def test_wrong_buffers_biases_and_algorithms_are_named() -> None:
    X, W = np.zeros((1, 5, 5, 2)), np.zeros((3, 3, 2, 4))
    with pytest.raises(ShapeError, match=r"expected b of shape \(4,\)"):
        conv2d_forward(X, W, np.zeros(3))
    with pytest.raises(ShapeError, match="contiguous out of shape"):
        conv2d_forward(X, W, out=np.zeros((1, 3, 3, 8))[..., ::2])
    with pytest.raises(OptionError, match="Did you mean 'winograd'"):
        conv2d_forward(X, W, algorithm="vinograd")
    with pytest.raises(OptionError, match="pointwise"):
        conv2d_forward(X, W, algorithm="pointwise")
    Z, cache = conv2d_forward(X, W, np.zeros(4))
    with pytest.raises(ShapeError, match="expected dZ of shape"):
        conv2d_backward(Z[:, 1:], cache)
    with pytest.raises(ShapeError, match="contiguous dW of shape"):
        conv2d_backward(Z, cache, dW=np.zeros((3, 3, 2, 5)))


def _geometry(X_shape: Any, W_shape: Any, options: Any) -> Any:
    filled = {"stride": (1, 1), "padding": NO_PADDING, **options}
    return window_geometry("", X_shape, W_shape[:2], c_out=W_shape[3], **filled)


def _pytorch(torch: Any, X: Array, W: Array, b: Array, dZ: Array, options: Any) -> list[Array]:
    """Return Z, dX, dW and db of the same convolution, computed in float64."""

    def tensor(array: Array) -> Any:
        return torch.tensor(np.ascontiguousarray(array), dtype=torch.float64, requires_grad=True)

    x, w, bias = tensor(X.transpose(0, 3, 1, 2)), tensor(W.transpose(3, 2, 0, 1)), tensor(b)
    (top, bottom), (left, right) = options.get("padding", NO_PADDING)
    z = torch.nn.functional.conv2d(
        torch.nn.functional.pad(x, (left, right, top, bottom)),
        w,
        bias,
        stride=options.get("stride", 1),
        dilation=options.get("dilation", 1),
        groups=options.get("groups", 1),
    )
    z.backward(tensor(dZ.transpose(0, 3, 1, 2)).detach())
    images = [z.detach().numpy().transpose(0, 2, 3, 1), x.grad.numpy().transpose(0, 2, 3, 1)]
    return [*images, w.grad.numpy().transpose(2, 3, 1, 0), bias.grad.numpy()]
