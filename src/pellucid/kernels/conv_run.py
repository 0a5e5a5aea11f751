"""Convolutions one after another in a network that only predicts, some rows of an image at a time.

What one of them makes is used up while it is in the nearest cache: an image that a 1x1 convolution has widened
sixfold is never in memory as a whole. Each writes its rows into the frame of zeros from which the next reads, with
bias and activation applied, so that nothing is passed over again. Plain: :func:`pellucid.ops.fused.conv_run`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.arrays import NOTHING
from pellucid.kernels.conv_direct import Channels, Sums, grid, of_images, walk_of_outputs
from pellucid.kernels.programs import CopyCall, address_of, copy_rows
from pellucid.kernels.tiles import ProductCall, finished_product
from pellucid.kernels.waits import Programs
from pellucid.ops.conv import conv_geometry
from pellucid.ops.fused import Bounds, Link, bounds_of
from pellucid.threads import Workers, cut, helpers
from pellucid.types import Array
from pellucid.workspace import Workspace, aligned

STRIP_BYTES = 1_200_000  # of all rows that are worked on at a time
ROOM_BYTES = 300_000  # of the panels of weights that are copied at a time, if they are several
DEPTH = 1024  # rows of weights that are worked on at a time, of a kernel of several taps
FEW_ROWS = 14  # of which parts would compute too many of the rows around them twice
LEAST_BYTES = 2**22  # of memory for rows: few runs need more
MOST_RECORDINGS = 8  # of a run: each thread and its memory has one
ALIGNED = 16  # numbers of float32 in a line of the cache


class Loop(NamedTuple):
    """The loop of one convolution, but for the arrays that it reads and writes."""

    call: ProductCall  # without those arrays
    arrays: tuple[Array, ...]  # whose addresses it has
    places: int  # windows of an entry of starts
    n_room: int  # weights of some panels of columns, for some runs
    n_panels: int  # of columns, in all groups


class Frame(NamedTuple):
    """Room for the rows of the images that a convolution reads, and the zeros around them."""

    n_rows: int
    width: int
    pixel: int  # channels

    def size(self) -> int:
        """Numbers of one image."""
        return self.n_rows * self.width * self.pixel


def conv_run(X: Array, links: Sequence[Link], *, workspace: Workspace | None = None) -> Array | Any:
    """Return the output of convolutions one after another, each with its scale, shift and activation."""
    workspace = workspace or Workspace()
    latest: Latest = workspace.keep((X.shape, X.dtype), Latest)
    if not latest.is_of(links):
        if X.dtype.char not in NOTHING or not all(_is_served(link, X) for link in links):
            return NotImplemented
        latest.take(links, X)
    run = latest.run
    A = workspace.take("A", (len(X), *run.last.out_shape[1:]), X.dtype)
    run.predict(np.ascontiguousarray(X), latest.links, A, helpers() if len(X) == 1 else None)
    return A


class Latest:
    """The last layers that ran over images of one shape: at most predictions they are the same."""

    run: "Run"

    def __init__(self) -> None:
        self.links: list[Link] = []
        self._sizes: list[Any] = []

    def is_of(self, links: Sequence[Link]) -> bool:
        """Return whether these are the layers."""
        is_as_long = len(links) == len(self.links)
        return is_as_long and all(one is other for one, other in zip(links, self.links, strict=True))

    def take(self, links: Sequence[Link], X: Array) -> None:
        """Take other layers, perhaps of other sizes."""
        sizes = [(link.W.shape, *link[3:]) for link in links]
        if sizes != self._sizes:
            self.run, self._sizes = Run(X, links), sizes
        self.links = list(links)


def _is_served(link: Link, X: Array) -> bool:
    fits = link.W.dtype == X.dtype and link.W.flags.c_contiguous
    return fits and bounds_of(link.activation) is not None


class Run:
    """What a run needs to know of its shapes, found once for each."""

    def __init__(self, X: Array, links: Sequence[Link]) -> None:
        self.geometries, shape = [], (1, *X.shape[1:])
        for link in links:
            g = conv_geometry(np.empty(shape, X.dtype), link.W, None, *link[3:7])
            self.geometries.append(g)
            shape = g.out_shape
        self.last, self.dtype, self.itemsize = self.geometries[-1], X.dtype, X.itemsize
        n = max(g.c_out for g in self.geometries)
        self.ones, self.zeros = np.ones(n, X.dtype), np.zeros(n, X.dtype)
        bounds = [bounds_of(link.activation) or Bounds() for link in links]
        self.bounds = [(np.array(each[:3], X.dtype), each.is_swish) for each in bounds]
        first = self.geometries[0]
        self.copies = first.padded != (first.h, first.w)  # its rows into a frame: the input has none
        n_rows = self.last.h_out
        while n_rows > 1 and self._bytes(n_rows) > STRIP_BYTES:
            n_rows = -(-n_rows // 2)
        self.n_rows = n_rows
        is_whole = n_rows == self.last.h_out
        self.n = max(1, min(len(X), STRIP_BYTES // max(1, self._bytes(n_rows)))) if is_whole else 1
        self.frames = self._frames(n_rows)
        self.loops = [self._loop(i) for i in range(len(links))]
        self.recordings: dict[Any, Recording] = {}
        self.n_room = max(-(-loop.n_room // ALIGNED) * ALIGNED for loop in self.loops)

    def _frames(self, n_rows: int) -> list[Frame]:
        """Return the frame that each convolution reads, for so many rows of the last one's output."""
        frames: list[Frame] = []
        for g in reversed(self.geometries):
            reach = (n_rows - 1) * g.stride[0] + (g.kernel[0] - 1) * g.dilation[0] + 1
            frames.append(Frame(min(reach, g.padded[0]), g.padded[1], g.c_in))
            n_rows = min(reach, g.h)
        if not self.copies:
            frames[-1] = frames[-1]._replace(n_rows=0)
        return frames[::-1]

    def _bytes(self, n_rows: int) -> int:
        return self.itemsize * sum(frame.size() for frame in self._frames(n_rows))

    def _loop(self, i: int) -> Loop:
        g, frame = self.geometries[i], self.frames[i]
        if i == 0 and not self.copies:
            frame = frame._replace(n_rows=g.h)
        to = self.frames[i + 1] if i + 1 < len(self.frames) else Frame(g.h_out, g.w_out, g.c_out)
        most = self.n_rows
        if i + 1 < len(self.frames):  # of several images all that the next one sees
            above = self.geometries[i + 1].padding[0][0] if self.n > 1 else 0
            most = min(to.n_rows - above, g.h_out)
        (sy, sx), (kh, kw), (dy, dx), c = g.stride, g.kernel, g.dilation, g.c_in
        of_row, row = np.arange(g.w_out), frame.width * c
        starts = grid(np.arange(most) * sy * row, of_row * sx * c)
        targets = grid(np.arange(most) * to.width * to.pixel, of_row * to.pixel)
        sums = Sums(
            targets=of_images(targets, to.size(), self.n),
            starts=of_images(starts, frame.size(), self.n),
            n_columns=g.w_out,
            target_step=g.c_out,
            start_step=sx,
            rows=np.arange(kh) * dy * row,
            n_taps=kw,
            tap_step=dx,
            pixel=c,
            taps=np.arange(kh * kw),
        )
        c_in, c_out = c // g.groups, g.c_out // g.groups
        is_depthwise = g.groups == g.c_in == g.c_out > 1
        channels = Channels(1, 1, g.c_out, each=True) if is_depthwise else Channels(g.groups, c_in, c_out)
        dtype: Any = self.dtype.type
        walk, (taps, summed) = walk_of_outputs(
            sums, channels, self.itemsize, partial(finished_product, dtype)
        )
        rows = taps * (c_in * g.c_out) + summed * g.c_out
        depth = len(rows) // len(walk.runs)
        n_runs = max(1, min(len(walk.runs), DEPTH // depth))
        n_panels = channels.n_groups * -(-channels.n_made // walk.wide)
        n_together = max(1, min(n_panels, ROOM_BYTES // (n_runs * depth * walk.wide * self.itemsize)))
        arrays = starts, targets, runs, rows = tuple(
            np.ascontiguousarray(array, np.int64) for array in (walk.starts, walk.targets, walk.runs, rows)
        )
        call = ProductCall(
            loop=address_of(walk.product), starts=starts.ctypes.data, targets=targets.ctypes.data,
            runs=runs.ctypes.data, n_all_runs=len(runs), rows=rows.ctypes.data, n_rows=len(rows),
            n_runs=n_runs, n_together=n_together, wide=walk.wide,
            length=walk.length, step=walk.step, pixel=walk.pixel, target_step=walk.target_step,
            n_columns=channels.n_made, X_group=channels.n_summed,
            X=0, Z=0, W=0, room=0, n_places=0, first=0, last=0, scale=0, shift=0, bounds=0, is_swish=0,
        )  # fmt: skip
        n_room = n_together * n_runs * depth * walk.wide
        return Loop(call, arrays, len(sums.starts) // len(starts), n_room, n_panels)

    def predict(self, X: Array, links: Sequence[Link], A: Array, workers: Workers | None) -> None:
        """Write A, the output for images X; of one, each worker computes some rows or, of few rows, channels."""
        n = workers.n if workers else 1
        memories = [_free_memory() for _ in range(n)]
        key = n, *map(id, memories)
        recording = self.recordings.get(key)
        if recording is None or not recording.is_of(links, A):
            if len(self.recordings) > MOST_RECORDINGS:
                self.recordings.clear()
            recording = self.recordings[key] = Recording(self, memories, X, links, A)
        recording.play(X, workers)
        _FREE.extend(reversed(memories))  # so that each thread has what is in its cache


class _Memory:
    """Room for the rows of one run at a time."""

    def __init__(self) -> None:
        self.array = np.empty(0, np.uint8)

    def numbers(self, size: int, dtype: Any) -> Array:
        """Return so many numbers of it."""
        if self.array.nbytes < size * dtype.itemsize:
            self.array = aligned((max(size * dtype.itemsize, LEAST_BYTES),), np.uint8)
        return self.array[: size * dtype.itemsize].view(dtype)


_FREE: list[_Memory] = []  # what no run works with now: what was used last is in the cache


def _free_memory() -> _Memory:
    try:
        return _FREE.pop()
    except IndexError:  # another thread may have taken the last
        return _Memory()


class Recording:
    """The calls that make a run's output, a program for each thread: the same ones at most predictions."""

    def __init__(
        self, run: Run, memories: Sequence[_Memory], X: Array, links: Sequence[Link], A: Array
    ) -> None:
        self.X, self.links, self.A, n, height = X, links, A, len(memories), run.last.h_out
        is_by_rows = n == 1 or run.n_rows < height or height > FEW_ROWS
        if is_by_rows:
            parts = [
                _Part(run, [memory], X, links, A, rows)
                for memory, rows in zip(memories, cut(height, n), strict=True)
            ]
        else:
            parts = [_Part(run, memories, X, links, A, slice(0, height))]
        self.parts, self.memories = parts, [(memory, memory.array) for memory in memories]
        calls = [own for part in parts for own in part.calls]
        self.programs = Programs(calls, keep=self, meet=not is_by_rows)
        n_bytes, at = X.nbytes, X.ctypes.data
        self.of_X = [(table, (table >= at) & (table < at + n_bytes)) for table in self.programs.tables]

    def is_of(self, links: Sequence[Link], A: Array) -> bool:
        """Return whether these are the arrays that it was recorded with."""
        is_same = self.links is links and self.A is A
        return is_same and all(memory.array is array for memory, array in self.memories)

    def play(self, X: Array, workers: Workers | None) -> None:
        """Make the calls, for images X."""
        if X is not self.X:
            moved = X.ctypes.data - self.X.ctypes.data
            for table, is_of_X in self.of_X:
                table[is_of_X] += moved
            self.X = X
        self.programs.play(workers)


class _Part:
    """Some rows of a run's output: the calls that make them, of as many threads as there are memories."""

    def __init__(
        self, run: Run, memories: Sequence[_Memory], X: Array, links: Sequence[Link], A: Array, rows: slice
    ) -> None:
        self.run, self.links, dtype = run, links, X.dtype
        frames = sum(-(-run.n * frame.size() // ALIGNED) * ALIGNED for frame in run.frames)
        numbers = memories[0].numbers(frames + run.n_room, dtype)
        self.rooms = [numbers[frames:], *(memory.numbers(run.n_room, dtype) for memory in memories[1:])]
        self.calls: list[list[tuple[int, ...]]] = [[] for _ in memories]
        self.copy = address_of(copy_rows)
        self.whole, start = list[Array](), 0
        for g, frame in zip(run.geometries, run.frames, strict=True):
            stop = start + run.n * frame.size()
            whole = numbers[start:stop].reshape(run.n, frame.n_rows, frame.width, frame.pixel)
            left = g.padding[1][0]
            self._copy(whole[:, :, :left], None)
            self._copy(whole[:, :, left + g.w :], None)
            self.whole.append(whole)
            start = -(-stop // ALIGNED) * ALIGNED
        self.scales = [run.ones if link.scale is None else _as(link.scale, dtype) for link in links]
        self.shifts = [run.zeros if link.shift is None else _as(link.shift, dtype) for link in links]
        g, last = run.last, len(links) - 1
        for first in range(0, len(X), run.n):
            self.images, Z = X[first : first + run.n], A[first : first + run.n].reshape(-1)
            self.frames = [whole[: len(self.images)] for whole in self.whole]
            self.tops, self.bottoms = [0] * len(links), [0] * len(links)
            for y in range(rows.start, rows.stop, run.n_rows):
                self._make(last, y, min(y + run.n_rows, rows.stop), Z[y * g.w_out * g.c_out :])

    def _copy(self, to: Array, given: Array | None) -> None:
        """Record that rows of images are copied, or zeros written, by the first thread; others wait."""
        if not to.size:
            return
        of_given = (0, 0, 0) if given is None else (given.ctypes.data, *given.strides[:2])
        n_images, n_rows = to.shape[:2]
        call = CopyCall(
            self.copy,
            to.ctypes.data,
            of_given[0],
            n_images,
            n_rows,
            to[0, 0].nbytes,
            *to.strides[:2],
            *of_given[1:],
        )
        self.calls[0].append(call)
        for calls in self.calls[1:]:
            calls.append(call._replace(n_images=0))

    def _make(self, i: int, y: int, stop: int, Z: Array) -> None:
        """Record what makes rows y to stop of convolution i's output: Z, flat, begins with the first."""
        run, loop, g = self.run, self.run.loops[i], self.run.geometries[i]
        top = y * g.stride[0]
        if i == 0 and not run.copies:
            X = self.images.reshape(-1)[top * g.w * g.c_in :]
        else:
            self._fill(i, top, (stop - 1) * g.stride[0] + (g.kernel[0] - 1) * g.dilation[0] + 1)
            X = self.frames[i].reshape(-1)
        n = len(self.images) * (stop - y) * g.w_out // loop.places
        bounds, is_swish = run.bounds[i]
        call = loop.call._replace(
            X=X.ctypes.data, Z=Z.ctypes.data, W=self.links[i].W.ctypes.data, n_places=n,
            scale=self.scales[i].ctypes.data, shift=self.shifts[i].ctypes.data,
            bounds=bounds.ctypes.data, is_swish=is_swish,
        )  # fmt: skip
        each = loop.n_panels // len(self.calls)
        shared = each * len(self.calls)  # from this panel on each thread computes some places
        parts = zip(self.calls, self.rooms, cut(n, len(self.calls)), strict=True)
        for i, (calls, room, places) in enumerate(parts):
            own = call._replace(room=room.ctypes.data, first=i * each, last=(i + 1) * each)
            if each:
                calls.append(own)
            if shared < loop.n_panels:
                at, size = places.start * loop.arrays[0].itemsize, places.stop - places.start
                starts, targets = call.starts + at, call.targets + at
                own = own._replace(starts=starts, targets=targets, n_places=size)
                calls.append(own._replace(first=shared, last=loop.n_panels))

    def _fill(self, i: int, top: int, bottom: int) -> None:
        """Record what puts rows top to bottom, counted with the padding, into the frame of convolution i."""
        frame, g = self.frames[i], self.run.geometries[i]
        (above, _), (left, _) = g.padding
        kept, gone = max(0, self.bottoms[i] - top), top - self.tops[i]
        if kept and gone:
            self._copy(frame[:, :kept], frame[:, gone : gone + kept])
        self.tops[i], self.bottoms[i] = top, bottom
        first, last = max(top + kept, above), min(bottom, above + g.h)
        self._copy(frame[:, kept : first - top], None)
        self._copy(frame[:, max(last - top, 0) : bottom - top], None)
        if first >= last:
            return
        if i == 0:
            inside = frame[:, first - top : last - top, left : left + g.w]
            self._copy(inside, self.images[:, first - above : last - above])
        else:
            at = ((first - top) * frame.shape[2] + left) * frame.shape[3]
            self._make(i - 1, first - above, last - above, frame.reshape(-1)[at:])


def _as(vector: Array, dtype: Any) -> Array:
    return np.ascontiguousarray(vector, dtype)
