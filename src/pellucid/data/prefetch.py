"""The next batch, made ready by another thread while this one is trained on."""

import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def one_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield what an iterator yields, with the next one made on another thread meanwhile.

    An item may be written over only when the one after the next is made: see ``Batches.is_ahead``. What the
    iterator raises is raised here when its turn comes; a caller that stops early waits for the item being made.

    Examples
    --------
    >>> list(one_ahead(iter([1, 2, 3])))
    [1, 2, 3]
    """
    end = object()
    context = contextvars.copy_context()  # what NumPy does about overflow goes with it

    def make() -> Any:
        return context.run(lambda: next(items, end))

    with ThreadPoolExecutor(1, thread_name_prefix="pellucid-prefetch") as thread:
        coming = thread.submit(make)
        while (item := coming.result()) is not end:
            coming = thread.submit(make)
            yield item
