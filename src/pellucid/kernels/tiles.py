"""Products of patches with kernels in registers: what every convolution but Winograd's is made of.

A tile is a few rows of one or two vectors each, which stay in the processor's registers while products are added to
them. Numba's own loops cannot say that, so a tile is a type of its own here: ``zeros`` and ``load`` make one, the
``add`` functions return it with products added, ``store`` writes it. The loops themselves are below.

The rows of a tile belong to entries of lists of offsets; a tile that reaches beyond the end of a list repeats the
last entry, which does no harm. Vectors that reach beyond the last column are masked.
"""

import math
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic, models, register_model

from pellucid.kernels.compiled import compiled
from pellucid.types import Array

_features = str(config.CPU_FEATURES or binding.get_host_cpu_features().flatten())
VECTOR_BYTES = 64 if "+avx512f" in _features else 32 if "+avx" in _features else 16
ROWS = 4 if VECTOR_BYTES == 32 else 8  # of a tile two vectors wide: AVX has 16 registers, others have 32
NARROW_ROWS = 8
TAPS = 9  # rows of a tile that sums over pixels, one for each tap of a depthwise kernel


class Tile(types.Type):
    """``rows`` times ``vectors`` vectors of numbers of one dtype."""

    def __init__(self, dtype: Any, rows: int, vectors: int) -> None:
        self.dtype, self.rows, self.vectors = dtype, rows, vectors
        self.lanes = VECTOR_BYTES * 8 // dtype.bitwidth
        super().__init__(f"Tile({dtype}, {rows}, {vectors})")

    @property
    def vector(self) -> Any:
        """The compiler's type of one vector."""
        return ir.VectorType(ir.FloatType() if self.dtype.bitwidth == 32 else ir.DoubleType(), self.lanes)


@register_model(Tile)
class _TileModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, tile: Tile) -> None:
        super().__init__(manager, tile, ir.ArrayType(tile.vector, tile.rows * tile.vectors))


class _Writer:
    """Writes the compiler's instructions for one tile."""

    def __init__(self, tile: Tile, context: Any, builder: Any) -> None:
        self.tile, self.context, self.builder = tile, context, builder

    def pointer(self, array_type: Any, array: Any, *offsets: Any) -> Any:
        """Return the address of an entry of a flat array."""
        address = self.context.make_array(array_type)(self.context, self.builder, array).data
        for offset in offsets:
            address = self.builder.gep(address, [offset])
        return address

    def entry(self, list_type: Any, entries: Any, p: Any, row: int) -> Any:
        """Return entry p + row of a list of offsets, or its last."""
        build = self.builder
        values = self.context.make_array(list_type)(self.context, build, entries)
        last = build.sub(build.extract_value(values.shape, 0), ir.Constant(p.type, 1))
        at = build.add(p, ir.Constant(p.type, row))
        at = build.select(build.icmp_signed("<", at, last), at, last)
        return build.load(build.gep(values.data, [at]))

    def masks(self, n_columns: Any) -> list[Any]:
        """Return which lanes of each vector of a row are columns."""
        lanes, whole = self.tile.lanes, n_columns.type
        left = self.splat(n_columns)
        numbers = [
            [ir.Constant(whole, v * lanes + i) for i in range(lanes)] for v in range(self.tile.vectors)
        ]
        return [
            self.builder.icmp_signed("<", ir.Constant(ir.VectorType(whole, lanes), some), left)
            for some in numbers
        ]

    def splat(self, scalar: Any) -> Any:
        """Return a vector that repeats a number."""
        kind, index = ir.VectorType(scalar.type, self.tile.lanes), ir.IntType(32)
        nothing = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(nothing, scalar, ir.Constant(index, 0))
        zeros = ir.Constant(ir.VectorType(index, self.tile.lanes), None)
        return self.builder.shuffle_vector(first, nothing, zeros)

    def place(self, address: Any, v: int) -> Any:
        """Return the address of vector v of a row that begins at an address."""
        at = self.builder.gep(address, [ir.Constant(ir.IntType(64), v * self.tile.lanes)])
        return self.builder.bitcast(at, self.tile.vector.as_pointer())

    def load(self, address: Any, masks: list[Any]) -> list[Any]:
        """Return the vectors of a row, 0 beyond the last column."""
        vector, name = self.tile.vector, f"v{self.tile.lanes}f{self.tile.dtype.bitwidth}"
        kinds = [vector.as_pointer(), ir.IntType(32), masks[0].type, vector]
        function = self.function(f"llvm.masked.load.{name}.p0", vector, kinds)
        nothing = ir.Constant(vector, None)
        return [
            self.builder.call(function, [self.place(address, v), self.alignment, mask, nothing])
            for v, mask in enumerate(masks)
        ]

    def store(self, vectors: list[Any], address: Any, masks: list[Any]) -> None:
        """Write the vectors of a row up to the last column."""
        vector, name = self.tile.vector, f"v{self.tile.lanes}f{self.tile.dtype.bitwidth}"
        kinds = [vector, vector.as_pointer(), ir.IntType(32), masks[0].type]
        function = self.function(f"llvm.masked.store.{name}.p0", ir.VoidType(), kinds)
        for v, (value, mask) in enumerate(zip(vectors, masks, strict=True)):
            self.builder.call(function, [value, self.place(address, v), self.alignment, mask])

    @property
    def alignment(self) -> Any:
        """Of arrays in memory: that of one number."""
        return ir.Constant(ir.IntType(32), self.tile.dtype.bitwidth // 8)

    def multiply_add(self, values: Any, row: int, left: list[Any], right: list[Any]) -> Any:
        """Return the tile's vectors with left * right added to a row."""
        vector, name = self.tile.vector, f"v{self.tile.lanes}f{self.tile.dtype.bitwidth}"
        function = self.function(f"llvm.fmuladd.{name}", vector, [vector] * 3)
        for v, (a, b) in enumerate(zip(left, right, strict=True)):
            at = row * self.tile.vectors + v
            total = self.builder.call(function, [a, b, self.builder.extract_value(values, at)])
            values = self.builder.insert_value(values, total, at)
        return values

    def function(self, name: str, result: Any, arguments: list[Any]) -> Any:
        """Return one of the compiler's own functions."""
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def zeros(typing: Any, X: Any, rows: Any, vectors: Any) -> Any:
    """Return a tile of zeros, of the dtype of X."""
    tile = Tile(X.dtype, rows.literal_value, vectors.literal_value)

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(tile), None)

    return tile(X, rows, vectors), write


@intrinsic  # type: ignore[untyped-decorator]
def load(typing: Any, tile: Any, Z: Any, targets: Any, p: Any, n: Any, n_columns: Any) -> Any:
    """Return a tile whose row i is Z[targets[p + i] + n:], 0 beyond the last column."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer, (values, Z, targets, p, n, n_columns) = _Writer(tile, context, builder), arguments
        masks = writer.masks(builder.sub(n_columns, n))
        for row in range(tile.rows):
            target = writer.entry(signature.args[2], targets, p, row)
            for v, vector in enumerate(writer.load(writer.pointer(signature.args[1], Z, n, target), masks)):
                values = builder.insert_value(values, vector, row * tile.vectors + v)
        return values

    return tile(tile, Z, targets, types.intp, types.intp, types.intp), write


@intrinsic  # type: ignore[untyped-decorator]
def store(typing: Any, tile: Any, Z: Any, targets: Any, p: Any, n: Any, n_columns: Any) -> Any:
    """Z[targets[p + i] + n:] <- row i of the tile, up to the last column."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer, (values, Z, targets, p, n, n_columns) = _Writer(tile, context, builder), arguments
        masks = writer.masks(builder.sub(n_columns, n))
        for row in range(tile.rows):
            target = writer.entry(signature.args[2], targets, p, row)
            vectors = [builder.extract_value(values, row * tile.vectors + v) for v in range(tile.vectors)]
            writer.store(vectors, writer.pointer(signature.args[1], Z, n, target), masks)
        return context.get_dummy_value()

    return types.none(tile, Z, targets, types.intp, types.intp, types.intp), write


@intrinsic  # type: ignore[untyped-decorator]
def add_outer(
    typing: Any, tile: Any, X: Any, starts: Any, p: Any, k: Any, W: Any, q: Any, n: Any, n_columns: Any
) -> Any:
    """Return the tile with X[starts[p + i] + k] * W[q + n:] added to its row i."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer, (values, X, starts, p, k, W, q, n, n_columns) = _Writer(tile, context, builder), arguments
        masks = writer.masks(builder.sub(n_columns, n))
        right = writer.load(writer.pointer(signature.args[5], W, q, n), masks)
        for row in range(tile.rows):
            start = writer.entry(signature.args[2], starts, p, row)
            x = writer.splat(builder.load(writer.pointer(signature.args[1], X, k, start)))
            values = writer.multiply_add(values, row, [x] * tile.vectors, right)
        return values

    intp = types.intp
    return tile(tile, X, starts, intp, intp, W, intp, intp, intp), write


@intrinsic  # type: ignore[untyped-decorator]
def add_product(
    typing: Any, tile: Any, X: Any, starts: Any, p: Any, k: Any, W: Any, q: Any, n: Any, n_columns: Any
) -> Any:
    """Return the tile with X[starts[p + i] + k + n:] * W[q + n:], number by number, added to its row i."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer, (values, X, starts, p, k, W, q, n, n_columns) = _Writer(tile, context, builder), arguments
        masks = writer.masks(builder.sub(n_columns, n))
        right = writer.load(writer.pointer(signature.args[5], W, q, n), masks)
        for row in range(tile.rows):
            start = writer.entry(signature.args[2], starts, p, row)
            left = writer.load(writer.pointer(signature.args[1], X, k, n, start), masks)
            values = writer.multiply_add(values, row, left, right)
        return values

    intp = types.intp
    return tile(tile, X, starts, intp, intp, W, intp, intp, intp), write


def _panel_product(add: Any, rows: int, vectors: int) -> Any:
    """Return the product below for the columns of one tile, ``rows`` places at a time."""

    @compiled
    def panel_product(
        X: Any, starts: Any, runs: Any, length: int, step: int, W: Any, q: int, width: int,
        Z: Any, targets: Any, n: int, n_columns: int, adds: bool,
    ) -> None:  # fmt: skip
        """Z[p, n] = sum over r, k of X[starts[p] + runs[r] + k step] W[r, k, n] for the columns n of a tile."""
        for p in range(0, len(starts), rows):
            tile = zeros(X, rows, vectors)
            if adds:
                tile = load(tile, Z, targets, p, n, n_columns)
            at = q
            for r in range(len(runs)):
                for k in range(length):
                    tile = add(tile, X, starts, p, runs[r] + k * step, W, at, n, n_columns)
                    at += width
            store(tile, Z, targets, p, n, n_columns)

    return panel_product


_two_vectors, _one_vector = _panel_product(add_outer, ROWS, 2), _panel_product(add_outer, NARROW_ROWS, 1)
_channels = _panel_product(add_product, TAPS, 1)


@compiled
def patch_product(
    X: Any, starts: Any, runs: Any, length: int, step: int, W: Any, width: int, panel: int,
    Z: Any, targets: Any, n_columns: int, n_runs: int, adds: bool,
) -> None:  # fmt: skip
    """Z[targets[p] + n] = sum over r, k of X[starts[p] + runs[r] + k step] W[r, k, n].

    X, W and Z are flat. Row (r, k) of W begins at (r length + k) width; columns are in panels of as many as
    two vectors hold, each ``panel`` numbers after the one before. The sum is taken over ``n_runs`` of the runs at a
    time, and added to what is in Z if ``adds``.
    """
    wide = 2 * VECTOR_BYTES // X.itemsize
    for first in range(0, len(runs), n_runs):
        some, more = runs[first : first + n_runs], adds or first > 0
        for n in range(0, n_columns, wide):
            q = n // wide * panel - n + first * length * width
            if n_columns - n > wide // 2:
                _two_vectors(X, starts, some, length, step, W, q, width, Z, targets, n, n_columns, more)
            else:
                _one_vector(X, starts, some, length, step, W, q, width, Z, targets, n, n_columns, more)


@compiled
def channel_product(
    X: Any, starts: Any, runs: Any, length: int, step: int, W: Any, width: int,
    Z: Any, targets: Any, n_columns: int, n_runs: int, adds: bool,
) -> None:  # fmt: skip
    """Z[targets[p] + n] = sum over r, k of X[starts[p] + runs[r] + k step + n] W[r, k, n]: n by itself."""
    lanes = VECTOR_BYTES // X.itemsize
    for first in range(0, len(runs), n_runs):
        some, q, more = runs[first : first + n_runs], first * length * width, adds or first > 0
        for n in range(0, n_columns, lanes):
            _channels(X, starts, some, length, step, W, q, width, Z, targets, n, n_columns, more)


@compiled
def fill_panels(W: Any, rows: Any, step: int, n_columns: int, P: Any) -> None:
    """P[n // wide, k, n % wide] = W[rows[k] + n step]: weights in the order that ``patch_product`` reads."""
    wide = P.shape[2]
    for first in range(0, n_columns, wide):
        for k in range(len(rows)):
            for n in range(first, min(first + wide, n_columns)):
                P[first // wide, k, n - first] = W[rows[k] + n * step]


def panels(n_rows: int, n_columns: int, dtype: Any) -> Array:
    """Return room for the weights of ``patch_product``, (panels, rows, columns), aligned as vectors are."""
    dtype = np.dtype(dtype)
    wide = 2 * VECTOR_BYTES // dtype.itemsize
    shape = -(-n_columns // wide), n_rows, wide
    room = np.zeros(math.prod(shape) + wide, dtype)
    skipped = -room.ctypes.data % VECTOR_BYTES // dtype.itemsize
    return room[skipped : skipped + math.prod(shape)].reshape(shape)
