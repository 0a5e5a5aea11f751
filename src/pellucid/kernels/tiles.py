"""Sums of products in registers: what every convolution but Winograd's is made of.

A tile is a grid of rows, of up to three vectors each, that stays in the processor's registers while products are
added to it. Numba's own loops cannot say that, so a tile is a type of its own here: ``zeros`` and ``load`` make
one, ``add`` returns it with products added, ``store`` writes it; ``product`` below is the loop that they serve.

Row (a, u) of a tile is u equal steps beyond entry a of a list of offsets. A tile that reaches beyond the end of a
list repeats the last entry, which does no harm. Vectors that reach beyond the last column are masked.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic, models, register_model

from pellucid.kernels.compiled import compiled
from pellucid.kernels.programs import array_of, row_at

BORROWED_FROM = ("programs.py",)
_features = str(config.CPU_FEATURES or binding.get_host_cpu_features().flatten())
VECTOR_BYTES = 64 if "+avx512f" in _features else 32 if "+avx" in _features else 16
N_REGISTERS = 16 if VECTOR_BYTES == 32 else 32


class Tile(types.Type):
    """``entries`` times ``steps`` rows of ``vectors`` vectors of numbers of one dtype."""

    def __init__(self, dtype: Any, entries: int, steps: int, vectors: int) -> None:
        self.dtype, self.entries, self.steps, self.vectors = dtype, entries, steps, vectors
        self.lanes = VECTOR_BYTES * 8 // dtype.bitwidth
        super().__init__(f"Tile({dtype}, {entries}, {steps}, {vectors})")

    @property
    def vector(self) -> Any:
        """The compiler's type of one vector."""
        return ir.VectorType(ir.FloatType() if self.dtype == types.float32 else ir.DoubleType(), self.lanes)


@register_model(Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, manager: Any, tile: Tile) -> None:
        n = tile.entries * tile.steps * tile.vectors
        super().__init__(manager, tile, ir.ArrayType(tile.vector, n))


class Writer:
    """Writes the compiler's instructions for one tile."""

    def __init__(self, tile: Tile, context: Any, builder: Any, signature: Any) -> None:
        self.tile, self.context, self.builder, self.kinds = tile, context, builder, signature.args

    def array(self, which: int, array: Any) -> Any:
        """Return the array that is an argument of the function, as the compiler has it."""
        return self.context.make_array(self.kinds[which])(self.context, self.builder, array)

    def constant(self, number: int) -> Any:
        return ir.Constant(ir.IntType(64), number)

    def entry(self, which: int, entries: Any, p: Any, a: int) -> Any:
        """Return entry p + a of a list of offsets, or its last."""
        build, values = self.builder, self.array(which, entries)
        last = build.sub(build.extract_value(values.shape, 0), self.constant(1))
        at = build.add(p, self.constant(a))
        at = build.select(build.icmp_signed("<", at, last), at, last)
        return build.load(build.gep(values.data, [at]))

    def masks(self, n_columns: Any) -> list[Any]:
        """Return which lanes of each vector of a row are columns."""
        lanes, left = self.tile.lanes, self.splat(n_columns)
        numbers = [[self.constant(v * lanes + i) for i in range(lanes)] for v in range(self.tile.vectors)]
        kind = ir.VectorType(ir.IntType(64), lanes)
        return [self.builder.icmp_signed("<", ir.Constant(kind, some), left) for some in numbers]

    def splat(self, scalar: Any) -> Any:
        """Return a vector that repeats a number."""
        kind, index = ir.VectorType(scalar.type, self.tile.lanes), ir.IntType(32)
        nothing = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(nothing, scalar, ir.Constant(index, 0))
        return self.builder.shuffle_vector(
            first, nothing, ir.Constant(ir.VectorType(index, self.tile.lanes), None)
        )

    def address(self, array: Any, *offsets: Any) -> Any:
        """Return the address of an entry of a flat array."""
        address = array.data
        for offset in offsets:
            address = self.builder.gep(address, [offset])
        return address

    def load(self, address: Any, masks: list[Any] | None) -> list[Any]:
        """Return the vectors of a row: whole ones, or with masks 0 beyond the last column."""
        vector, name, alignment = self._memory()
        places = [self._place(address, v, vector) for v in range(self.tile.vectors)]
        if masks is None:
            return [self.builder.load(place, align=alignment.constant) for place in places]
        kinds = [vector.as_pointer(), ir.IntType(32), masks[0].type, vector]
        function = self.function(f"masked.load.{name}.p0", vector, kinds)
        nothing = ir.Constant(vector, None)
        return [
            self.builder.call(function, [place, alignment, mask, nothing])
            for place, mask in zip(places, masks, strict=True)
        ]

    def store(self, vectors: list[Any], address: Any, masks: list[Any] | None) -> None:
        """Write the vectors of a row: whole ones, or with masks up to the last column."""
        vector, name, alignment = self._memory()
        places = [self._place(address, v, vector) for v in range(self.tile.vectors)]
        if masks is None:
            for value, place in zip(vectors, places, strict=True):
                self.builder.store(value, place, align=alignment.constant)
            return
        kinds = [vector, vector.as_pointer(), ir.IntType(32), masks[0].type]
        function = self.function(f"masked.store.{name}.p0", ir.VoidType(), kinds)
        for value, place, mask in zip(vectors, places, masks, strict=True):
            self.builder.call(function, [value, place, alignment, mask])

    def whole_or_masked(self, n_columns: Any, make: Callable[[list[Any] | None], list[Any]]) -> list[Any]:
        """Return the vectors that ``make(masks)`` makes, without masks where there are columns for all of them.

        Masks fill registers, and a masked store takes tens of cycles on processors without AVX-512.
        """
        width, found = self.constant(self.tile.vectors * self.tile.lanes), []
        is_whole = self.builder.icmp_signed(">=", n_columns, width)
        with self.builder.if_else(is_whole, likely=True) as (whole, partial):
            with whole:
                vectors = make(None)
                found.append((vectors, self.builder.block))
            with partial:
                vectors = make(self.masks(n_columns))
                found.append((vectors, self.builder.block))
        merged = []
        for pair in zip(*(vectors for vectors, _ in found), strict=True):
            phi = self.builder.phi(self.tile.vector)
            for vector, (_, end) in zip(pair, found, strict=True):
                phi.add_incoming(vector, end)
            merged.append(phi)
        return merged

    def _place(self, address: Any, v: int, vector: Any) -> Any:
        """Return the address of vector v of a row that begins at an address."""
        at = self.builder.gep(address, [self.constant(v * self.tile.lanes)])
        return self.builder.bitcast(at, vector.as_pointer())

    def _memory(self) -> tuple[Any, str, Any]:
        """Return the type of vectors, its name, and their alignment in memory: that of one number."""
        bits = self.tile.dtype.bitwidth
        return self.tile.vector, f"v{self.tile.lanes}f{bits}", ir.Constant(ir.IntType(32), bits // 8)

    def multiply_add(self, left: list[Any], right: list[Any], sums: list[Any]) -> list[Any]:
        """Return sums + left * right, vector by vector."""
        name = f"fmuladd.v{self.tile.lanes}f{self.tile.dtype.bitwidth}"
        function = self.function(name, self.tile.vector, [self.tile.vector] * 3)
        return [self.builder.call(function, triple) for triple in zip(left, right, sums, strict=True)]

    def function(self, name: str, result: Any, arguments: list[Any]) -> Any:
        """Return one of the compiler's own functions."""
        kind = ir.FunctionType(result, arguments)
        return cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}")

    def rows(self, values: Any) -> dict[tuple[int, int], list[Any]]:
        """Return the vectors of each row (a, u) of a tile."""
        tile, taken = self.tile, iter(range(self.tile.entries * self.tile.steps * self.tile.vectors))
        return {
            (a, u): [self.builder.extract_value(values, next(taken)) for _ in range(tile.vectors)]
            for a in range(tile.entries)
            for u in range(tile.steps)
        }

    def tile_of(self, vectors: Iterable[Any]) -> Any:
        """Return the tile of such vectors, row by row."""
        values = ir.Constant(self.context.get_value_type(self.tile), ir.Undefined)
        for i, vector in enumerate(vectors):
            values = self.builder.insert_value(values, vector, i)
        return values


@intrinsic(prefer_literal=True)
def zeros(typing: Any, X: Any, entries: Any, steps: Any, vectors: Any) -> Any:
    """Return a tile of zeros, of the dtype of X."""
    tile = Tile(X.dtype, entries.literal_value, steps.literal_value, vectors.literal_value)

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(tile), None)

    return tile(X, entries, steps, vectors), write


@intrinsic
def load(typing: Any, tile: Any, Z: Any, targets: Any, p: Any, step: Any, n_columns: Any) -> Any:
    """Return a tile whose row (a, u) is Z[targets[p + a] + u step:], 0 beyond the last column."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer, (_, Z, targets, p, step, n_columns) = Writer(tile, context, builder, signature), arguments
        Z = writer.array(1, Z)

        def rows(masks: Any) -> list[Any]:
            found = []
            for a in range(tile.entries):
                at = writer.entry(2, targets, p, a)
                for _ in range(tile.steps):
                    found += writer.load(writer.address(Z, at), masks)
                    at = builder.add(at, step)
            return found

        return writer.tile_of(writer.whole_or_masked(n_columns, rows))

    return tile(tile, Z, targets, types.intp, types.intp, types.intp), write


@intrinsic
def store(typing: Any, tile: Any, Z: Any, targets: Any, p: Any, step: Any, n_columns: Any) -> Any:
    """Z[targets[p + a] + u step:] <- row (a, u) of the tile, up to the last column."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer = Writer(tile, context, builder, signature)
        values, Z, targets, p, step, n_columns = arguments
        rows, Z = writer.rows(values), writer.array(1, Z)

        def write_rows(masks: Any) -> list[Any]:
            for a in range(tile.entries):
                at = writer.entry(2, targets, p, a)
                for u in range(tile.steps):
                    writer.store(rows[a, u], writer.address(Z, at), masks)
                    at = builder.add(at, step)
            return []

        writer.whole_or_masked(n_columns, write_rows)
        return context.get_dummy_value()

    return types.none(tile, Z, targets, types.intp, types.intp, types.intp), write


@intrinsic(prefer_literal=True)
def add(
    typing: Any, tile: Any, X: Any, starts: Any, p: Any, k: Any, pixel: Any, W: Any, q: Any, width: Any,
    n_columns: Any, u_step: Any, n_v: Any, v_step: Any, each: Any,
) -> Any:  # fmt: skip
    """Return the tile with the sum over v of X[starts[p + a] + k + t pixel] W[q + v width:] added to row (a, u).

    t = u u_step + v v_step. If ``each``, a vector of X is multiplied, in place of one number.
    """
    u_step_, n_v_, v_step_, each_ = (value.literal_value for value in (u_step, n_v, v_step, each))

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer = Writer(tile, context, builder, signature)
        values, X, starts, p, k, pixel, W, q, width, n_columns, *_ = arguments
        X, W = writer.array(1, X), writer.array(6, W)
        served: dict[int, list[tuple[int, int]]] = {}  # which (u, v) each t is for
        for u, v in np.ndindex(tile.steps, n_v_):
            served.setdefault(u * u_step_ + v * v_step_, []).append((u, v))

        def sums(masks: Any) -> list[Any]:
            rows = writer.rows(values)
            places = [builder.add(q, builder.mul(width, writer.constant(v))) for v in range(n_v_)]
            right = [writer.load(writer.address(W, place), masks) for place in places]
            for a in range(tile.entries):
                start = builder.add(writer.entry(2, starts, p, a), k)
                for t in sorted(served):
                    at = writer.address(X, start, builder.mul(pixel, writer.constant(t)))
                    left = (
                        writer.load(at, masks) if each_ else [writer.splat(builder.load(at))] * tile.vectors
                    )
                    for u, v in served[t]:
                        rows[a, u] = writer.multiply_add(left, right[v], rows[a, u])
            return [vector for vectors in rows.values() for vector in vectors]

        return writer.tile_of(writer.whole_or_masked(n_columns, sums))

    intp = types.intp
    return tile(tile, X, starts, intp, intp, intp, W, intp, intp, intp, u_step, n_v, v_step, each), write


@intrinsic(prefer_literal=True)
def finish(
    typing: Any, tile: Any, scale: Any, shift: Any, at: Any, n_columns: Any, bounds: Any, is_swish: Any
) -> Any:
    """Return the tile of A = min(max(V, low), high), V = scale[at:] Z + shift[at:]; bounds = (low, high, slope).

    If ``is_swish`` A = V min(max(slope V + 1/2, low), high). NaN comes through.
    """
    is_swish_ = is_swish.literal_value

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer = Writer(tile, context, builder, signature)
        values, scale, shift, at, n_columns, bounds, _ = arguments
        numbers = writer.array(5, bounds)
        places = [writer.address(writer.array(i, array), at) for i, array in ((1, scale), (2, shift))]
        pair = writer.whole_or_masked(
            n_columns, lambda masks: [v for x in places for v in writer.load(x, masks)]
        )
        factor, term = pair[: tile.vectors], pair[tile.vectors :]
        low, high, slope = (
            writer.splat(builder.load(writer.address(numbers, writer.constant(i)))) for i in range(3)
        )
        half = ir.Constant(writer.tile.vector, [0.5] * tile.lanes)
        found = []
        for vectors in writer.rows(values).values():
            for v in writer.multiply_add(vectors, factor, term):
                a = writer.multiply_add([v], [slope], [half])[0] if is_swish_ else v
                a = builder.select(builder.fcmp_ordered(">", low, a), low, a)
                a = builder.select(builder.fcmp_ordered("<", high, a), high, a)
                found.append(builder.fmul(v, a) if is_swish_ else a)
        return writer.tile_of(found)

    return tile(tile, scale, shift, types.intp, types.intp, bounds, is_swish), write


@intrinsic
def move(typing: Any, tile: Any, W: Any, at: Any, n_columns: Any, room: Any, q: Any) -> Any:
    """room[q:] <- W[at:], the vectors of a row of a tile; 0 beyond the last column."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        writer, (_, W, at, n_columns, room, q) = Writer(tile, context, builder, signature), arguments
        W, room = writer.array(1, W), writer.array(4, room)
        row = writer.whole_or_masked(n_columns, lambda masks: writer.load(writer.address(W, at), masks))
        writer.store(row, writer.address(room, q), None)
        return context.get_dummy_value()

    return types.none(tile, W, types.intp, types.intp, room, types.intp), write


class ProductCall(NamedTuple):
    """What a loop of ``finished_product`` is called with: addresses of arrays and sizes."""

    loop: int
    X: int
    W: int
    Z: int
    room: int
    bounds: int
    scale: int
    shift: int
    starts: int
    targets: int
    runs: int
    rows: int
    n_places: int
    n_all_runs: int
    n_rows: int
    length: int
    step: int
    pixel: int
    n_runs: int
    n_together: int
    wide: int  # columns of a panel
    target_step: int
    n_columns: int
    X_group: int
    first: int
    last: int
    is_swish: int
    most: int = 2**40  # numbers of an array of no known length; a constant costs the inner loop a fifth


OF_PRODUCT = np.dtype([(name, np.int64) for name in ProductCall._fields])


@cache
def finished_product(
    dtype: Any, entries: int, steps: int, vectors: int, u_step: int = 1, n_v: int = 1, v_step: int = 1,
    each: bool = False,
) -> Any:  # fmt: skip
    """Return the loop of ``product`` for weights as they are stored, with what follows a convolution.

    It is called by programs, with the numbers of a ``ProductCall``: see :mod:`pellucid.kernels.programs`.
    """

    @compiled
    def finished_sums_of_products(row: int) -> None:
        """Z = finish(sums of products): see ``product``. Row k of W, flat, begins at rows[k] + g n_columns.

        Panels of columns are counted through all groups, and the first to the one before the last computed. The
        weights of some panels for some runs are copied into ``room`` first, where they stay for all places: of
        several panels, since a row of a few numbers is fetched from memory as slowly as a long one.
        """
        of = row_at(OF_PRODUCT, row)[0]
        X = array_of(dtype, row, 1, of.most)
        W = array_of(dtype, row, 2, of.most)
        Z = array_of(dtype, row, 3, of.most)
        room, bounds = array_of(dtype, row, 4, of.most), array_of(dtype, row, 5, 3)
        scale, shift = array_of(dtype, row, 6, of.most), array_of(dtype, row, 7, of.most)
        starts, targets = array_of(np.int64, row, 8, of.n_places), array_of(np.int64, row, 9, of.n_places)
        runs, rows = array_of(np.int64, row, 10, of.n_all_runs), array_of(np.int64, row, 11, of.n_rows)
        length, step, pixel, n_runs, target_step = of.length, of.step, of.pixel, of.n_runs, of.target_step
        n_columns, X_group, first, last = of.n_columns, of.X_group, of.first, of.last
        n_together = of.n_together
        wide = of.wide
        n_panels, depth = -(-n_columns // wide), length * n_v
        for run in range(0, len(runs), n_runs):
            some, own = runs[run : run + n_runs], rows[run * depth : (run + n_runs) * depth]
            for panel in range(first, last):
                g, n, which = panel // n_panels, panel % n_panels, (panel - first) % n_together
                at, left = g * n_columns + n * wide, n_columns - n * wide
                if which == 0:
                    for k in range(len(own)):
                        place, of_row, to = own[k] + at, left, k * wide
                        for _ in range(min(n_together, last - panel)):
                            move(zeros(X, entries, steps, vectors), W, place, of_row, room, to)
                            place, of_row, to = place + min(of_row, wide), of_row - wide, to + len(own) * wide
                            if of_row <= 0:
                                of_row = n_columns
                X_n, Z_n, W_n = X[g * X_group :], Z[at:], room[which * len(own) * wide :]
                if each:
                    X_n = X_n[n * wide :]
                for p in range(0, len(starts), entries):
                    tile, q = zeros(X, entries, steps, vectors), 0
                    if run > 0:
                        tile = load(tile, Z_n, targets, p, target_step, left)
                    for r in range(len(some)):
                        for k in range(length):
                            x = some[r] + k * step
                            tile = add(
                                tile, X_n, starts, p, x, pixel, W_n, q, wide, left, u_step, n_v, v_step, each
                            )
                            q += n_v * wide
                    if run + n_runs >= len(runs):
                        if of.is_swish:
                            tile = finish(tile, scale, shift, at, left, bounds, True)
                        else:
                            tile = finish(tile, scale, shift, at, left, bounds, False)
                    store(tile, Z_n, targets, p, target_step, left)

    return finished_sums_of_products


@cache
def product(
    entries: int, steps: int, vectors: int, u_step: int = 1, n_v: int = 1, v_step: int = 1, each: bool = False
) -> Any:
    """Return the compiled loop of sums of products for tiles of a size; see ``add`` for what it adds up."""

    @compiled
    def sums_of_products(
        X: Any, starts: Any, runs: Any, length: int, step: int, pixel: int, W: Any, width: int, panel: int,
        Z: Any, targets: Any, target_step: int, n_columns: int, n_runs: int, adds: bool,
        n_groups: int, X_group: int, W_group: int, Z_group: int,
    ) -> None:  # fmt: skip
        """Z[p, u, n] = sum over r, k, v of X[starts[p] + runs[r] + k step + t pixel] W[r, k, v, n]; t: see ``add``.

        X, W and Z are flat. Row (p, u) of Z begins at targets[p] + u target_step. Row (r, k, v) of W begins at
        ((r length + k) n_v + v) width; columns are in panels of as many as the tile's vectors hold, each ``panel``
        numbers after the one before. The sum is taken over ``n_runs`` of the runs at a time, and added to what is
        in Z if ``adds``; all for each group of channels.
        """
        wide = vectors * VECTOR_BYTES // X.itemsize
        for first in range(0, len(runs), n_runs):
            some, more = runs[first : first + n_runs], adds or first > 0
            for g, n in np.ndindex(n_groups, -(-n_columns // wide)):
                X_n, Z_n, left = X[g * X_group :], Z[g * Z_group + n * wide :], n_columns - n * wide
                W_n = W[g * W_group + n * panel + first * length * n_v * width :]
                if each:
                    X_n = X_n[n * wide :]
                for p in range(0, len(starts), entries):
                    tile, q = zeros(X, entries, steps, vectors), 0
                    if more:
                        tile = load(tile, Z_n, targets, p, target_step, left)
                    for r in range(len(some)):
                        for k in range(length):
                            x = some[r] + k * step
                            tile = add(
                                tile, X_n, starts, p, x, pixel, W_n, q, width, left, u_step, n_v, v_step, each
                            )
                            q += n_v * width
                    store(tile, Z_n, targets, p, target_step, left)

    return sums_of_products


@compiled
def fill_panels(W: Any, rows: Any, step: int, n_columns: int, P: Any) -> None:
    """P[n // wide, k, n % wide] = W[rows[k] + n step]: weights in the order that ``product`` reads."""
    wide = P.shape[2]
    for first in range(0, n_columns, wide):
        for k in range(len(rows)):
            for n in range(first, min(first + wide, n_columns)):
                P[first // wide, k, n - first] = W[rows[k] + n * step]
