"""Convolutions of a prediction, some rows at a time: equal to the plain ones one after another."""

import importlib
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.ops import fused as plain
from pellucid.ops.activations import ACTIVATIONS, get_activation
from pellucid.ops.fused import Link
from pellucid.threads import Workers, helped_by
from pellucid.types import Array
from pellucid.workspace import Workspace

kernel = pytest.importorskip(
    "pellucid.kernels.conv_run", reason="kernels are compiled by Numba, which is not installed"
)

WAITS = importlib.import_module("pellucid.kernels.waits").WAITS
LIMITS = {"float32": 1e-5, "float64": 1e-12}
SAME = ((1, 1), (1, 1))
C = 8  # of the input
# kernel, channels out, groups, stride, padding, dilation, activation, whether it has a scale
Layer = tuple[Any, ...]
NONE = ((0, 0), (0, 0))
POINT: Layer = (1, 20, 1, 1, NONE, 1, "relu6", True)
RUNS: dict[str, list[Layer]] = {
    "expand, depthwise, project": [
        POINT,
        (3, 20, 20, 1, SAME, 1, "hard_swish", True),
        (1, 12, 1, 1, NONE, 1, None, False),
    ],
    "stride 2, uneven padding": [POINT, (3, 20, 20, 2, ((0, 1), (1, 0)), 1, "relu", True)],
    "5x5, stride 2": [POINT, (5, 20, 20, 2, ((1, 2), (2, 1)), 1, "relu6", False)],
    "rows that no window sees": [POINT, (2, 20, 20, 3, ((0, 0), (1, 0)), 1, None, True), POINT],
    "padding at the first": [(3, 6, 1, 2, SAME, 1, "relu", True), (3, 6, 6, 1, SAME, 1, "relu6", True)],
    "groups, dilation": [(3, 8, 4, 1, ((2, 2), (2, 2)), 2, "relu", True), (3, 40, 1, 1, SAME, 1, None, True)],
    "several kernels a channel": [(3, 16, 8, 1, SAME, 1, "relu", True)],
    "much padding": [(3, 8, 8, 1, ((3, 4), (4, 3)), 1, "relu", True), (3, 8, 8, 1, SAME, 1, None, True)],
    "many weights a window": [(3, 130, 1, 1, NONE, 1, "relu", True), (3, 8, 1, 1, SAME, 1, "relu", True)],
}


def links_of(layers: list[Layer], dtype: str) -> list[Link]:
    rng, c, links = np.random.default_rng(1), C, []
    for k, c_out, groups, stride, padding, dilation, act, scaled in layers:
        W = rng.standard_normal((k, k, c // groups, c_out)) / np.sqrt(k * k * c // groups)
        scale, shift = rng.standard_normal((2, c_out)).astype(dtype)
        op = ACTIVATIONS[act] if act else None
        strides, dilations = (stride, stride), (dilation, dilation)
        links.append(
            Link(W.astype(dtype), scale if scaled else None, shift, strides, padding, dilations, groups, op)
        )
        c = c_out
    return links


def difference(one: Array, two: Array) -> float:
    return float(np.abs(one - two).max() / np.abs(two).max())


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
@every("strip", [1, 20_000, 10**7])
@every("shape", [(3, 9, 7, C), (1, 14, 14, C)])
@every("name", RUNS)
def test_a_run_is_its_convolutions(name: str, shape: Any, strip: int, dtype: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(kernel, "STRIP_BYTES", strip)
    X = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    links, workspace = links_of(RUNS[name], dtype), Workspace()
    expected = plain.conv_run(X, links)
    for _ in range(2):
        got = kernel.conv_run(X, links, workspace=workspace)
        assert got.dtype == dtype
        assert difference(got, expected) < LIMITS[dtype]
    other, workspace = X[:1, ::-1].copy(), Workspace()
    for n in (2, 3):
        with Workers(n, WAITS) as workers, helped_by(workers):
            assert (
                difference(kernel.conv_run(X[:1], links, workspace=workspace), expected[:1]) < LIMITS[dtype]
            )
            got = kernel.conv_run(other, links, workspace=workspace)
        assert difference(got, plain.conv_run(other, links)) < LIMITS[dtype]


def test_nan_comes_through_where_a_window_sees_it() -> None:
    X = np.zeros((1, 9, 7, C), np.float32)
    X[0, 4, 3, 2] = np.nan
    for layers in RUNS.values():
        links = links_of(layers, "float32")
        np.testing.assert_array_equal(np.isnan(kernel.conv_run(X, links)), np.isnan(plain.conv_run(X, links)))


def test_activations_with_bounds_and_others() -> None:
    Z = np.linspace(-9, 9, 50).reshape(1, 5, 5, 2).astype(np.float32)
    W = np.eye(2, dtype=np.float32).reshape(1, 1, 2, 2)
    bounded = [ACTIVATIONS[name] for name in ("linear", "relu", "relu6", "hard_swish")]
    for op in (None, *bounded, get_activation("relu6", high=2.5)):
        link = [Link(W, None, None, (1, 1), NONE, (1, 1), 1, op)]
        np.testing.assert_allclose(kernel.conv_run(Z, link), plain.conv_run(Z, link), rtol=1e-6, atol=1e-6)
    for name in ("tanh", "silu", "leaky_relu"):
        op = ACTIVATIONS[name]
        assert plain.bounds_of(op) is None
        assert kernel.conv_run(Z, [Link(W, None, None, (1, 1), NONE, (1, 1), 1, op)]) is NotImplemented
