"""The next batch, prepared by another thread during training on the current one."""

import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def one_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield an iterator's items, making the next one on another thread meanwhile.

    An item may be overwritten only when the one after the next is made: see ``Batches.is_ahead``. An
    exception of the iterator is raised here when its turn comes; a caller that stops early waits for the item
    being made.

    Examples
    --------
    >>> list(one_ahead(iter([1, 2, 3])))
    [1, 2, 3]
    """
    end = object()
    context = contextvars.copy_context()  # NumPy's handling of overflow goes with it

    def make() -> Any:
        return context.run(lambda: next(items, end))

    with ThreadPoolExecutor(1, thread_name_prefix="pellucid-prefetch") as thread:
        coming = thread.submit(make)
        while (item := coming.result()) is not end:
            coming = thread.submit(make)
            yield item
