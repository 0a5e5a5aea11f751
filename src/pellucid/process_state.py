"""What a process has once for all its threads, changed so that several threads may do so at the same time.

:func:`warnings.catch_warnings` puts back the filters that it found: of two threads whose blocks overlap, the one
that leaves last puts back those of the other's block, and what a user had set is lost.
"""

import ast
import re
import threading
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")
_Filter: TypeAlias = tuple[Any, ...]

_PARSING, _FILTERS, _ALONE = threading.Lock(), threading.Lock(), threading.RLock()
_MARK = "(?#pellucid)"  # in a filter's pattern: no filter of a user's is equal to ours
_INSIDE: Counter[tuple[str, type[Warning]]] = Counter()  # blocks that a thread is in, by what they ignore
_PLACED: defaultdict[tuple[str, type[Warning]], list[tuple[list[_Filter], _Filter]]] = defaultdict(list)


@contextmanager
def warnings_ignored(message: str = "", category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings in all threads, from the first that enters such a block until the last has left it.

    Other filters stay as they are, those that another thread sets meanwhile too.

    Parameters
    ----------
    message : str
        A regular expression that the beginning of the message matches.
    category : type of Warning

    Examples
    --------
    >>> before = warnings.filters.copy()
    >>> with warnings_ignored():
    ...     warnings.warn("not seen")
    >>> warnings.filters == before
    True
    """
    key = message, category
    with _FILTERS:
        _INSIDE[key] += 1
        filters: Any = warnings.filters
        if not any(
            where is filters for where, _ in _PLACED[key]
        ):  # another thread may have put another list there
            ours = ("ignore", re.compile(_MARK + message, re.IGNORECASE), category, None, 0)
            filters.insert(0, ours)  # into this list, whoever replaces it now
            _PLACED[key].append((filters, ours))
    try:
        yield
    finally:
        with _FILTERS:
            _INSIDE[key] -= 1
            if not _INSIDE[key]:
                for where, ours in _PLACED.pop(key):
                    with suppress(ValueError):  # somebody has emptied the list
                        where.remove(ours)


def one_at_a_time(function: Callable[P, Result]) -> Callable[P, Result]:
    """Return a function that one thread at a time runs: one of another library that restores warning filters.

    Examples
    --------
    >>> one_at_a_time(max)(1, 2)
    2
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> Result:
        with _ALONE:
            return function(*args, **kwargs)

    return run


def parse(source: str) -> ast.Module:
    """Return the tree of a module's source.

    One thread at a time: CPython before 3.11.8 and 3.12.2 counts the depth of all trees that are made at the same
    time as one (python/cpython#106905), and fails.

    Examples
    --------
    >>> type(parse("x = 1").body[0])
    <class 'ast.Assign'>
    """
    with _PARSING:
        return ast.parse(source)
