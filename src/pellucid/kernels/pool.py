"""Pooling, window by window, with a vector of channels at a time; plain: :mod:`pellucid.ops.pool`."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from pellucid.kernels.arrays import are_served
from pellucid.kernels.compiled import compiled
from pellucid.kernels.tiles import VECTOR_BYTES, Tile, Writer, vector_of
from pellucid.ops import pool
from pellucid.ops.arrays import check_buffer
from pellucid.ops.conv_geometry import NO_PADDING, Geometry, Padding, Pair, pool_geometry
from pellucid.ops.pool import AveragePoolCache, MaxPoolCache, check_pool_gradients, window_weights
from pellucid.types import Array
from pellucid.workspace import Workspace

BORROWED_FROM = ("tiles.py",)  # see disk_cache.py


def max_pool_forward(
    X: Array,
    *,
    size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, MaxPoolCache]:
    """Return Z, the largest number of each window, and the cache.

    With a workspace the winners live there: the cache is valid until its next use.
    """
    if not are_served(X, out):
        return pool.max_pool_forward(X, size=size, stride=stride, padding=padding, out=out)
    g = pool_geometry("max_pool_forward", X.shape, size, stride or size, padding)
    check_buffer("pooling", "out", out, g.out_shape)
    Z = np.empty(g.out_shape, X.dtype) if out is None else out
    index = np.dtype(np.uint8 if size[0] * size[1] <= 256 else np.uint32)
    winner = (workspace or Workspace()).take("pool.winner", g.out_shape, index)
    _largest(X.reshape(-1), _sizes(g), Z.reshape(-1), winner.reshape(-1))
    return Z, MaxPoolCache(winner, g)


def max_pool_backward(
    dZ: Array, cache: MaxPoolCache, *, dX: Array | None = None, workspace: Workspace | None = None
) -> Array:
    """dX = the sum over windows of dZ at the pixel that was the window's largest, 0 at all others."""
    winner, g = cache
    if not are_served(dZ, dX):
        return pool.max_pool_backward(dZ, cache, dX=dX)
    check_pool_gradients(dZ, dX, g)
    dX = np.empty((g.m, g.h, g.w, g.c_in), dZ.dtype) if dX is None else dX
    _gradient_of_largest(dZ.reshape(-1), winner.reshape(-1), _sizes(g), dX.reshape(-1))
    return dX


def average_pool_forward(
    X: Array,
    *,
    size: Pair,
    stride: Pair | None = None,
    padding: Padding = NO_PADDING,
    count_include_pad: bool = True,
    out: Array | None = None,
) -> tuple[Array, AveragePoolCache]:
    """Return Z, the mean of each window, and the cache."""
    if not are_served(X, out):
        return pool.average_pool_forward(
            X, size=size, stride=stride, padding=padding, count_include_pad=count_include_pad, out=out
        )
    g = pool_geometry("average_pool_forward", X.shape, size, stride or size, padding)
    check_buffer("pooling", "out", out, g.out_shape)
    Z = np.empty(g.out_shape, X.dtype) if out is None else out
    weight = window_weights(g, count_include_pad).astype(X.dtype)
    _mean(X.reshape(-1), _each(weight, g), _sizes(g), Z.reshape(-1))
    return Z, AveragePoolCache(weight, g)


def average_pool_backward(dZ: Array, cache: AveragePoolCache, *, dX: Array | None = None) -> Array:
    """dX = the sum over the windows that a pixel is in of dZ / n, n the number of entries of the window's mean."""
    weight, g = cache
    if not are_served(dZ, dX):
        return pool.average_pool_backward(dZ, cache, dX=dX)
    check_pool_gradients(dZ, dX, g)
    dX = np.empty((g.m, g.h, g.w, g.c_in), dZ.dtype) if dX is None else dX
    _gradient_of_mean(dZ.reshape(-1), _each(weight, g), _sizes(g), dX.reshape(-1))
    return dX


def _each(weight: Array, g: Geometry) -> Array:
    """Return the weight of every window of an image, (h_out, w_out)."""
    return np.ascontiguousarray(np.broadcast_to(weight[..., 0], (g.h_out, g.w_out)))


def _sizes(g: Geometry) -> tuple[int, ...]:
    """Return what the loops need to know."""
    return g.m, g.h, g.w, g.c_in, g.h_out, g.w_out, *g.kernel, *g.stride, g.padding[0][0], g.padding[1][0]


@compiled
def _largest(X: Any, sizes: Any, Z: Any, winner: Any) -> None:
    """Z = max over taps (i, j) of X_ij; winner = the first i kw + j that has it. NaN is larger than any number."""
    m, h, w, c, h_out, w_out, kh, kw, sy, sx, top, left = sizes
    for k in range(m):
        for y in range(h_out):
            first_i, last_i = max(0, top - y * sy), min(kh, h + top - y * sy)
            for x in range(w_out):
                first_j, last_j = max(0, left - x * sx), min(kw, w + left - x * sx)
                corner, o = (
                    ((k * h + y * sy - top) * w + x * sx - left) * c,
                    ((k * h_out + y) * w_out + x) * c,
                )
                for n in range(0, c, VECTOR_BYTES // X.itemsize):
                    z, best = splat(X, -np.inf), splat(X, first_i * kw + first_j)
                    for i in range(first_i, last_i):
                        at, tap = corner + (i * w + first_j) * c + n, i * kw + first_j
                        for _ in range(first_j, last_j):
                            v = vector(X, X, at, c - n)
                            best = larger(v, z, splat(X, tap), best)
                            z = larger(v, z, v, z)
                            at, tap = at + c, tap + 1
                    put(z, Z, o + n, c - n)
                    put(best, winner, o + n, c - n)


@compiled
def _gradient_of_largest(dZ: Any, winner: Any, sizes: Any, dX: Any) -> None:
    """dX = sum over windows of dZ where the pixel is their winner."""
    m, h, w, c, h_out, w_out, kh, kw, sy, sx, top, left = sizes
    for k in range(m):
        for i in range(k * h * w * c, (k + 1) * h * w * c):
            dX[i] = 0
        for y in range(h_out):
            first_i, last_i = max(0, top - y * sy), min(kh, h + top - y * sy)
            for x in range(w_out):
                first_j, last_j = max(0, left - x * sx), min(kw, w + left - x * sx)
                corner, o = (
                    ((k * h + y * sy - top) * w + x * sx - left) * c,
                    ((k * h_out + y) * w_out + x) * c,
                )
                for n in range(0, c, VECTOR_BYTES // dZ.itemsize):
                    d, best = vector(dZ, dZ, o + n, c - n), vector(dZ, winner, o + n, c - n)
                    for i in range(first_i, last_i):
                        at, tap = corner + (i * w + first_j) * c + n, i * kw + first_j
                        for _ in range(first_j, last_j):
                            total = add_if_equal(vector(dZ, dX, at, c - n), d, best, splat(dZ, tap))
                            put(total, dX, at, c - n)
                            at, tap = at + c, tap + 1


@compiled
def _mean(X: Any, weight: Any, sizes: Any, Z: Any) -> None:
    """Z = weight times the sum over taps (i, j) of X_ij."""
    m, h, w, c, h_out, w_out, kh, kw, sy, sx, top, left = sizes
    for k in range(m):
        for y in range(h_out):
            first_i, last_i = max(0, top - y * sy), min(kh, h + top - y * sy)
            for x in range(w_out):
                first_j, last_j = max(0, left - x * sx), min(kw, w + left - x * sx)
                corner, o = (
                    ((k * h + y * sy - top) * w + x * sx - left) * c,
                    ((k * h_out + y) * w_out + x) * c,
                )
                for n in range(0, c, VECTOR_BYTES // X.itemsize):
                    total, share = splat(X, 0), splat(X, weight[y, x])
                    for i in range(first_i, last_i):
                        at = corner + (i * w + first_j) * c + n
                        for _ in range(first_j, last_j):
                            total = add_product(total, vector(X, X, at, c - n), share)
                            at += c
                    put(total, Z, o + n, c - n)


@compiled
def _gradient_of_mean(dZ: Any, weight: Any, sizes: Any, dX: Any) -> None:
    """dX = sum over the windows that a pixel is in of weight dZ."""
    m, h, w, c, h_out, w_out, kh, kw, sy, sx, top, left = sizes
    for k in range(m):
        for i in range(k * h * w * c, (k + 1) * h * w * c):
            dX[i] = 0
        for y in range(h_out):
            first_i, last_i = max(0, top - y * sy), min(kh, h + top - y * sy)
            for x in range(w_out):
                first_j, last_j = max(0, left - x * sx), min(kw, w + left - x * sx)
                corner, o = (
                    ((k * h + y * sy - top) * w + x * sx - left) * c,
                    ((k * h_out + y) * w_out + x) * c,
                )
                for n in range(0, c, VECTOR_BYTES // dZ.itemsize):
                    d, share = vector(dZ, dZ, o + n, c - n), splat(dZ, weight[y, x])
                    for i in range(first_i, last_i):
                        at = corner + (i * w + first_j) * c + n
                        for _ in range(first_j, last_j):
                            put(add_product(vector(dZ, dX, at, c - n), d, share), dX, at, c - n)
                            at += c


# Vectors of channels: tiles of one row.


@intrinsic  # type: ignore[untyped-decorator]
def splat(typing: Any, like: Any, number: Any) -> Any:
    """Return a vector that repeats a number, in the dtype of an array."""
    tile = Tile(like.dtype, 1, 1, 1)

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer = Writer(tile, context, builder, signature)
        number_ = context.cast(builder, arguments[1], number, tile.dtype)
        return writer.tile_of({(0, 0): [writer.splat(number_)]})

    return tile(like, number), write


@intrinsic  # type: ignore[untyped-decorator]
def vector(typing: Any, like: Any, array: Any, at: Any, n_columns: Any) -> Any:
    """Return array[at:] in the dtype of another array, up to so many columns."""
    tile = Tile(like.dtype, 1, 1, 1)

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer = Writer(tile, context, builder, signature)
        address = writer.address(writer.array(1, arguments[1]), arguments[2])
        values = writer.load(address, writer.masks(arguments[3]), array.dtype)[0]
        if array.dtype != tile.dtype:
            values = builder.uitofp(values, tile.vector)
        return writer.tile_of({(0, 0): [values]})

    return tile(like, array, types.intp, types.intp), write


@intrinsic  # type: ignore[untyped-decorator]
def put(typing: Any, tile: Any, array: Any, at: Any, n_columns: Any) -> Any:
    """array[at:] <- a vector, up to so many columns, in the dtype of the array."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer = Writer(tile, context, builder, signature)
        [values] = writer.rows(arguments[0])[0, 0]
        address = writer.address(writer.array(1, arguments[1]), arguments[2])
        if array.dtype != tile.dtype:
            values = builder.fptoui(values, vector_of(array.dtype, tile.lanes))
        writer.store([values], address, writer.masks(arguments[3]), array.dtype)
        return context.get_dummy_value()

    return types.none(tile, array, types.intp, types.intp), write


@intrinsic  # type: ignore[untyped-decorator]
def larger(typing: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return c where a > b, or a is the first NaN; d elsewhere."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer = Writer(a, context, builder, signature)
        [x], [y], [u], [v] = (writer.rows(argument)[0, 0] for argument in arguments)
        is_larger = builder.and_(builder.fcmp_unordered(">", x, y), builder.fcmp_ordered("==", y, y))
        return writer.tile_of({(0, 0): [builder.select(is_larger, u, v)]})

    return a(a, b, c, d), write


@intrinsic  # type: ignore[untyped-decorator]
def add_if_equal(typing: Any, total: Any, a: Any, b: Any, c: Any) -> Any:
    """Return total + a where b = c."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer = Writer(total, context, builder, signature)
        [t], [a], [b], [c] = (writer.rows(argument)[0, 0] for argument in arguments)
        added = builder.select(builder.fcmp_ordered("==", b, c), a, ir.Constant(a.type, None))
        return writer.tile_of({(0, 0): [builder.fadd(t, added)]})

    return total(total, a, b, c), write


@intrinsic  # type: ignore[untyped-decorator]
def add_product(typing: Any, total: Any, a: Any, b: Any) -> Any:
    """Return total + a b."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer = Writer(total, context, builder, signature)
        t, a, b = (writer.rows(argument)[0, 0] for argument in arguments)
        return writer.tile_of({(0, 0): writer.multiply_add(a, b, t)})

    return total(total, a, b), write
