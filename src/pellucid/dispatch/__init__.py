"""The one switch between a plain op and its compiled kernel.

``ops`` holds the formulas in plain NumPy; ``kernels`` holds loops of the same names and meaning, compiled by Numba.
The rooms above import both from :mod:`pellucid.dispatch.ops`: its functions run the kernel inside
``with use("numba"):``, the plain op inside ``with use("plain"):``, else NumPy's faster twin where there is one.
Kernels and compiler are imported at the first call that asks for one; where they cannot be had, one warning says so
and NumPy serves. Ops that are missing there have no kernel and are imported from ``ops``.
"""

import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

from pellucid.errors import OptionError, unknown_name
from pellucid.kernels import LOWEST_NUMBA as LOWEST_NUMBA
from pellucid.progress import ProgressCallback
from pellucid.registry import Configurable, option
from pellucid.threads import Waits

CHOICES = ("auto", "numba", "numpy", "plain")
WAYS = ("plain", "numpy", "numba")  # what can run: plain ops alone, with faster NumPy twins, or kernels
VARIABLE = "PELLUCID_KERNELS"
# Multiplications and additions from which "auto" compiles: 3 to 5 seconds of NumPy's on two cores, 1.5 of kernels'.
# Importing Numba and reading compiled kernels takes half a second; compiling a convolutional net's about 10, once.
AUTO_OPERATIONS = 5e11
HELP = (
    "Compiled loops (numba), NumPy, or the formulas alone (plain: each layer by itself, nothing fused); auto, the "
    "default, compiles where there is much to do."
)

chosen: ContextVar[str | None] = ContextVar("kernels", default=None)
failure: list[str] = []  # why nothing can be compiled in this process, once that is known


def kernels_option() -> Any:
    """Return the field of a dataclass that holds a choice of kernels."""
    return option(None, choices=lambda: CHOICES, group="Computation", help=HELP)


@dataclass
class KernelChoice(Configurable):
    """The choice of kernels for what a command does."""

    kernels: str | None = kernels_option()


def current() -> str:
    """Return "numba", "numpy" or "plain": what the functions of this module run now.

    Examples
    --------
    >>> with use("numpy"):
    ...     current()
    'numpy'
    """
    return chosen.get() or {"auto": "numpy", "numba": "numpy" if failure else "numba"}.get(
        _default(), _default()
    )


def is_open() -> bool:
    """Return whether NumPy runs now only since no choice was made and the work was too small to compile for.

    Examples
    --------
    >>> with use("numpy"):
    ...     is_open()
    False
    """
    return asked(None) == "auto" and not failure and _is_installed()


class Settled:
    """What the functions of this module run now, for a whole block: they need not look again each time.

    Examples
    --------
    >>> with Settled():
    ...     current()
    'numpy'
    """

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = None if chosen.get() else chosen.set(current())

    def __exit__(self, *error: object) -> None:
        if self._token is not None:
            chosen.reset(self._token)


def asked(choice: str | None) -> str:
    """Return a choice, checked; for None that of the block around, of ``PELLUCID_KERNELS``, else "auto"."""
    if choice is not None:
        return _checked(choice, "kernels")
    return chosen.get() or _default()


def resolve(choice: str | None, n_operations: float = 0.0) -> str:
    """Return "numba", "numpy" or "plain" for a choice; where numba cannot be had, numpy, with a warning.

    Parameters
    ----------
    choice : {"auto", "numba", "numpy", "plain"} or None
        None: that of the ``use`` block around, of the environment variable ``PELLUCID_KERNELS``, else "auto".
    n_operations : float, optional
        Multiplications and additions of the work that is to be done: "auto" compiles from ``AUTO_OPERATIONS`` on.

    Examples
    --------
    >>> resolve("auto", n_operations=1e6)
    'numpy'
    """
    choice = asked(choice)
    if choice == "auto":
        choice = "numba" if n_operations >= AUTO_OPERATIONS and _is_installed() else "numpy"
    if choice == "numba" and not failure:
        imported("compiled")
    return "numpy" if failure and choice == "numba" else choice


@contextmanager
def use(choice: str) -> Iterator[None]:
    """Run the compiled kernels ("numba"), NumPy, or plain ops inside this block; other threads keep their choice.

    Raises
    ------
    OptionError
        If there is no such choice.

    Examples
    --------
    >>> with use("fast"):
    ...     pass
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: use: unknown choice of kernels 'fast'. ... Known: auto, numba, numpy, plain.
    """
    token = chosen.set(resolve(_checked(choice, "use")))
    try:
        yield
    finally:
        chosen.reset(token)


def module(name: str) -> Any:
    """Return a module of :mod:`pellucid.kernels` where numba is chosen and can be had, else None."""
    return imported(name) if current() == "numba" else None


def imported(name: str) -> Any:
    """Return a module of :mod:`pellucid.kernels`; None, with a warning, where it cannot be had."""
    try:
        return importlib.import_module(f"pellucid.kernels.{name}")
    except Exception as error:
        give_up(error)
        return None


def waits() -> Waits | None:
    """Return how threads wait for each other between compiled kernels; None where others run: by locks."""
    kernels = module("waits")
    return None if kernels is None else kernels.WAITS


@contextmanager
def giving_up() -> Iterator[None]:
    """Where something in this block cannot be compiled, end it, warn, and let NumPy serve from here on."""
    try:
        yield
    except Exception as error:
        if not is_of_compiler(error):
            raise
        give_up(error)


def use_for(n_operations: float) -> AbstractContextManager[None]:
    """Run what suits work of that size inside this block, unless a choice was made: by ``use`` or the environment.

    Where that is NumPy since the work is small, no choice is made: larger work inside the block is free to choose.

    Examples
    --------
    >>> with use_for(1e6):
    ...     current()
    'numpy'
    """
    way = resolve(None, n_operations)
    return nullcontext() if way == "numpy" and asked(None) == "auto" else use(way)


def helped(function: Callable[..., Any], *arguments: Any) -> AbstractContextManager[None]:
    """Have what a call of a function needs compiled by another process too, while this block runs.

    Examples
    --------
    >>> with use("numpy"), helped(sum, [1, 2]):
    ...     sum([1, 2])
    3
    """
    beside = module("beside")
    return nullcontext() if beside is None else beside.helped(function, *arguments)


def compiling(progress: ProgressCallback) -> AbstractContextManager[None]:
    """Report each kernel that is compiled inside this block, none where all are on disk: their total is not known.

    Examples
    --------
    >>> with use("numpy"), compiling(print):
    ...     pass
    """
    compiled = module("compiled")
    return nullcontext() if compiled is None else compiled.reporting(progress)


def _checked(choice: str, where: str) -> str:
    if choice not in CHOICES:
        raise OptionError(f"{where}: {unknown_name('choice of kernels', choice, CHOICES)}")
    return choice


def _default() -> str:
    return _checked(os.environ.get(VARIABLE) or "auto", VARIABLE)


@cache
def _is_installed() -> bool:
    try:
        return importlib.util.find_spec("numba") is not None
    except ValueError:  # None in its place in sys.modules
        return False


def give_up(error: Exception) -> None:
    """Warn, once in a process, that nothing can be compiled; NumPy serves from here on."""
    if not failure:
        first = str(error).strip().partition("\n")[0]
        failure.append(f"{type(error).__name__}: {first}")
        warnings.warn(
            f"kernels: nothing can be compiled here ({failure[0]}), so NumPy does the work, more slowly. "
            "Install or repair numba (pip install 'pellucid[fast]'), or choose kernels=\"numpy\".",
            RuntimeWarning,
            stacklevel=3,
        )


def is_of_compiler(error: Exception) -> bool:
    """Return whether an exception says that a kernel could not be compiled or cached, not that a call was wrong."""
    if isinstance(error, OSError):  # of the cache: a full disk, a folder that is gone
        return True
    return any(base.__module__.partition(".")[0] in ("numba", "llvmlite") for base in type(error).__mro__)
