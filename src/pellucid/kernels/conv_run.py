"""Convolutions one after another in a network that only predicts, some rows of an image at a time.

What one of them makes is used up while it is in the nearest cache: an image that a 1x1 convolution has widened
sixfold is never in memory as a whole. Each writes its rows into the frame of zeros from which the next reads, with
bias and activation applied, so that nothing is passed over again. Plain: :func:`pellucid.ops.fused.conv_run`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.arrays import NOTHING
from pellucid.kernels.conv_direct import Channels, Sums, grid, of_images, walk_of_outputs
from pellucid.kernels.tiles import finished_product
from pellucid.ops.conv import conv_geometry
from pellucid.ops.fused import Bounds, Link, bounds_of
from pellucid.threads import Workers, cut, helpers
from pellucid.types import Array
from pellucid.workspace import Workspace, aligned

STRIP_BYTES = 1_200_000  # of all rows that are worked on at a time
DEPTH = 1024  # rows of weights that are worked on at a time, of a kernel of several taps
FEW_ROWS = 14  # of which parts would compute too many of the rows around them twice
ALIGNED = 16  # numbers of float32 in a line of the cache


class Loop(NamedTuple):
    """The loop of one convolution, but for the arrays that it reads and writes."""

    product: Any
    starts: Array
    targets: Array
    places: int  # windows of an entry of starts
    walk: tuple[Any, ...]
    rows: Array  # where in W the weights of each summed number begin
    n_room: int  # weights of a panel of columns, for so many runs
    n_runs: int
    target_step: int
    channels: tuple[int, int]  # made and summed, in a group
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
    if X.dtype.char not in NOTHING or not all(_is_served(link, X) for link in links):
        return NotImplemented
    workspace = workspace or Workspace()
    key = X.shape, X.dtype, *((link.W.shape, *link[3:]) for link in links)
    run: Run = workspace.keep(key, lambda: Run(X, links))
    A = workspace.take("A", (len(X), *run.last.out_shape[1:]), X.dtype)
    run.predict(np.ascontiguousarray(X), links, A, helpers() if len(X) == 1 else None)
    return A


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
        starts, targets = (
            grid(np.arange(most) * sy * row, of_row * sx * c),
            grid(np.arange(most) * to.width * to.pixel, of_row * to.pixel),
        )
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
        walk, (taps, summed) = walk_of_outputs(sums, channels, self.itemsize, finished_product)
        rows = taps * (c_in * g.c_out) + summed * g.c_out
        places = len(sums.starts) // len(walk.starts)
        depth = len(rows) // len(walk.runs)
        n_runs = max(1, min(len(walk.runs), DEPTH // depth))
        return Loop(
            walk.product, walk.starts, walk.targets, places, (walk.runs, walk.length, walk.step, walk.pixel),
            rows, n_runs * depth * walk.wide, n_runs,
            walk.target_step, (channels.n_made, channels.n_summed),
            channels.n_groups * -(-channels.n_made // walk.wide),
        )  # fmt: skip

    def predict(self, X: Array, links: Sequence[Link], A: Array, workers: Workers | None) -> None:
        """Write A, the output for images X; of one, each worker computes some rows or, of few rows, channels."""
        if workers is None:
            self._make_rows(X, links, A, slice(0, self.last.h_out))
        elif self.n_rows < self.last.h_out or self.last.h_out > FEW_ROWS:
            parts = cut(self.last.h_out, workers.n)
            workers.run(lambda i: self._make_rows(X, links, A, parts[i]))
        else:
            with _memory(self, workers.n) as memory:
                strip = Strip(self, links, memory)
                jobs = list(strip.jobs(X, slice(0, self.last.h_out), A))
                workers.run(lambda i: strip.work(jobs, i, workers))

    def _make_rows(self, X: Array, links: Sequence[Link], A: Array, rows: slice) -> None:
        with _memory(self) as memory:
            strip = Strip(self, links, memory)
            for first in range(0, len(X), self.n):
                own, Z = X[first : first + self.n], A[first : first + self.n]
                for y in range(rows.start, rows.stop, self.n_rows):
                    for job in strip.jobs(own, slice(y, min(y + self.n_rows, rows.stop)), Z):
                        strip.multiply(job)


class Job(NamedTuple):
    """One call of a loop: convolution i of n places, from X to Z, both flat."""

    i: int
    n: int
    X: Array
    Z: Array


class Strip:
    """Rows of a few images on their way through a run."""

    def __init__(self, run: Run, links: Sequence[Link], memory: Array) -> None:
        self.run, self.links, self.whole, start = run, links, list[Array](), 0
        for g, frame in zip(run.geometries, run.frames, strict=True):
            stop = start + run.n * frame.size()
            whole = memory[start:stop].reshape(run.n, frame.n_rows, frame.width, frame.pixel)
            left = g.padding[1][0]
            whole[:, :, :left] = 0
            whole[:, :, left + g.w :] = 0
            self.whole.append(whole)
            start = -(-stop // ALIGNED) * ALIGNED
        self.X: Any = None  # the images that it holds rows of
        self.room, dtype = memory[start:], run.dtype
        self.scales = [run.ones if link.scale is None else _as(link.scale, dtype) for link in links]
        self.shifts = [run.zeros if link.shift is None else _as(link.shift, dtype) for link in links]

    def jobs(self, X: Array, rows: slice, A: Array) -> Iterator[Job]:
        """Yield what is to be done for some rows of A, the output for images X: from the first row on, in order."""
        g = self.run.last
        if X is not self.X:
            self.X, self.frames = X, [whole[: len(X)] for whole in self.whole]
            self.tops, self.bottoms = [0] * len(self.links), [0] * len(self.links)
        yield from self._jobs(
            len(self.links) - 1, rows.start, rows.stop, A.reshape(-1)[rows.start * g.w_out * g.c_out :]
        )

    def _jobs(self, i: int, y: int, stop: int, Z: Array) -> Iterator[Job]:
        """Yield what makes rows y to stop of convolution i's output: Z, flat, begins with the first."""
        g = self.run.geometries[i]
        top = y * g.stride[0]
        if i == 0 and not self.run.copies:
            X = self.X.reshape(-1)[top * g.w * g.c_in :]
        else:
            yield from self._fill(i, top, (stop - 1) * g.stride[0] + (g.kernel[0] - 1) * g.dilation[0] + 1)
            X = self.frames[i].reshape(-1)
        yield Job(i, len(self.X) * (stop - y) * g.w_out // self.run.loops[i].places, X, Z)

    def _fill(self, i: int, top: int, bottom: int) -> Iterator[Job]:
        """Yield what puts rows top to bottom, counted with the padding, into the frame of convolution i."""
        frame, g = self.frames[i], self.run.geometries[i]
        (above, _), (left, _) = g.padding
        kept, gone = max(0, self.bottoms[i] - top), top - self.tops[i]
        if kept and gone:
            frame[:, :kept] = frame[:, gone : gone + kept].copy()
        self.tops[i], self.bottoms[i] = top, bottom
        first, last = max(top + kept, above), min(bottom, above + g.h)
        frame[:, kept : first - top] = 0
        frame[:, max(last - top, 0) : bottom - top] = 0
        if first >= last:
            return
        if i == 0:
            frame[:, first - top : last - top, left : left + g.w] = self.X[:, first - above : last - above]
        else:
            at = ((first - top) * frame.shape[2] + left) * frame.shape[3]
            yield from self._jobs(i - 1, first - above, last - above, frame.reshape(-1)[at:])

    def multiply(self, job: Job, part: int = 0, n_parts: int = 1) -> None:
        """Do a job, or one of several parts of it: some panels of its columns."""
        loop, room = self.run.loops[job.i], self.room[part * self.run.n_room :]
        panels = cut(loop.n_panels, n_parts)[part] if n_parts > 1 else slice(0, loop.n_panels)
        loop.product(
            job.X, loop.starts[: job.n], *loop.walk, self.links[job.i].W.reshape(-1), loop.rows, room,
            loop.n_runs, job.Z, loop.targets[: job.n], loop.target_step, *loop.channels, panels.start, panels.stop,
            self.scales[job.i], self.shifts[job.i], *self.run.bounds[job.i],
        )  # fmt: skip

    def work(self, jobs: Sequence[Job], part: int, workers: Workers) -> None:
        """Do a worker's part of all jobs; each begins where all parts of the one before are done."""
        for job in jobs:
            self.multiply(job, part, workers.n)
            workers.meeting.wait(part)


def _as(vector: Array, dtype: Any) -> Array:
    return np.ascontiguousarray(vector, dtype)


_FREE: list[Array] = []  # memory that no run works with now: what was used last is in the cache


@contextmanager
def _memory(run: Run, n_parts: int = 1) -> Iterator[Array]:
    """Yield numbers in memory, enough for a run."""
    size = sum(run.n * frame.size() + ALIGNED for frame in run.frames) + n_parts * run.n_room
    memory = _FREE.pop() if _FREE else np.empty(0)
    if memory.nbytes < size * run.dtype.itemsize:
        memory = aligned((size,), run.dtype)
    yield memory.view(run.dtype)
    _FREE.append(memory)
