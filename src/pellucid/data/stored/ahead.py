"""Reading ahead: in a thread, a few pieces before they are asked for."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Place = TypeVar("Place")
Piece = TypeVar("Piece")
N_AHEAD = 2  # pieces that wait, or are being read, while one is worked on


def read_ahead(
    read: Callable[[Place], Piece], places: Iterable[Place], n: int = N_AHEAD
) -> Generator[Piece, None, None]:
    """Yield what is read at each place, in order; the next n are read meanwhile, in one thread.

    What ``read`` raises is raised here, when its turn comes. Closed early, it reads nothing further.

    Examples
    --------
    >>> list(read_ahead(lambda i: i * i, range(5)))
    [0, 1, 4, 9, 16]
    """
    waiting: deque[Future[Piece]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="pellucid-read") as pool:
        try:
            for place in places:
                waiting.append(
                    pool.submit(copy_context().run, read, place)
                )  # which kernels are chosen is in it
                if len(waiting) > n:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
