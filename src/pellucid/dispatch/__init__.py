"""The one switch between a plain op and its compiled kernel.

``ops`` holds the formulas in plain NumPy; ``kernels`` holds loops of the same names and meaning, compiled by Numba.
The rooms above import both from the files of this folder, one for each subject: their functions run the kernel
inside ``with use("numba"):``, the plain op inside ``with use("plain"):``, else NumPy's faster twin where there is
one. Kernels and compiler are imported at the first call that asks for one; where they cannot be had, one warning
says so and NumPy serves. Ops that are missing here have no kernel and are imported from ``ops``.
"""

import importlib
import importlib.util
import os
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, cached_property, wraps
from inspect import signature
from typing import Any, TypeVar, overload

from pellucid.errors import CallError, OptionError, unknown_name
from pellucid.kernels import LOWEST_NUMBA as LOWEST_NUMBA
from pellucid.progress import ProgressCallback
from pellucid.registry import Configurable, option

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
Function = TypeVar("Function", bound=Callable[..., Any])

_chosen: ContextVar[str | None] = ContextVar("kernels", default=None)
_is_small: ContextVar[bool] = ContextVar("small", default=False)  # NumPy, as the work around is small
_failure: list[str] = []  # why nothing can be compiled in this process, once that is known


def kernels_option() -> Any:
    """Return the field of a dataclass that holds a choice of kernels."""
    return option(None, choices=lambda: CHOICES, group="Computation", help=HELP)


@dataclass
class KernelChoice(Configurable):
    """The choice of kernels for what a command does."""

    kernels: str | None = kernels_option()


class Twins:
    """An op's implementations: plain, sometimes a faster one in NumPy, and a compiled kernel.

    Attributes
    ----------
    plain, numpy : callable
    kernel : callable or None
        None where nothing can be compiled. The first look imports the compiler.
    extra : frozenset of str
        Keywords of the fast ones that the plain one does without.
    """

    def __init__(
        self,
        plain: Callable[..., Any],
        numpy: Callable[..., Any] | None,
        module: str | None,
        extra: frozenset[str] = frozenset(),
    ) -> None:
        self.plain, self.numpy, self.module, self.extra = plain, numpy or plain, module, extra

    @cached_property
    def kernel(self) -> Callable[..., Any] | None:
        """Import the kernel."""
        if self.module is None or _failure or (module := _imported(self.module)) is None:
            return None
        kernel: Callable[..., Any] = getattr(module, self.plain.__name__)
        self._lacks = self.extra - signature(kernel).parameters.keys()
        return kernel

    def run_kernel(self, *arguments: Any, **options: Any) -> Any:
        """Return what the kernel returns; ``NotImplemented`` where none is chosen or it does not serve these."""
        if self.module is None or (_chosen.get() or current()) != "numba" or (kernel := self.kernel) is None:
            return NotImplemented
        for name in self._lacks:
            options.pop(name, None)
        try:
            return kernel(*arguments, **options)
        except Exception as error:
            if not _is_of_compiler(error):
                raise
            self.kernel = None  # the others go on: a training keeps the kernels that it began with
            _give_up(error)
            return NotImplemented


TWINS: dict[str, Twins] = {}  # the functions with twins whose modules are imported, by name


def all_twins() -> dict[str, Twins]:
    """Return ``TWINS`` once all files of this folder are imported.

    Examples
    --------
    >>> all_twins()["batch_moments"].plain.__module__
    'pellucid.ops.batch_norm'
    """
    for found in pkgutil.iter_modules(__path__, "pellucid.dispatch."):
        importlib.import_module(found.name)
    return TWINS


@overload
def twins(plain: Function, *, kernel: str | None = None, extra: tuple[str, ...] = ()) -> Function: ...
@overload
def twins(
    plain: Callable[..., Any], numpy: Function, *, kernel: str | None = None, extra: tuple[str, ...] = ()
) -> Function: ...
def twins(
    plain: Callable[..., Any],
    numpy: Callable[..., Any] | None = None,
    *,
    kernel: str | None = None,
    extra: tuple[str, ...] = (),
) -> Callable[..., Any]:
    """Return a function that runs the chosen twin, and register them in ``TWINS``.

    Rooms above that have formulas of their own, such as the optimizers, use it for theirs.

    Parameters
    ----------
    plain : callable
    numpy : callable, optional
        A faster one in NumPy.
    kernel : str, optional
        The module of :mod:`pellucid.kernels` that has the compiled one, under the plain one's name. It may return
        ``NotImplemented`` for arguments that it does not serve, such as strided arrays: then NumPy does.
    extra : tuple of str, optional
        Keywords that the fast ones take and the plain one does without, such as a workspace. Any other that the
        plain one does not have is a CallError, whichever runs.

    Examples
    --------
    >>> def double(x): return x + x
    >>> twins(double)(3)
    6
    >>> del TWINS["double"]
    """
    known = {*signature(plain).parameters, *extra}
    pair = TWINS[plain.__name__] = Twins(plain, numpy, kernel, frozenset(extra))

    @wraps(plain)
    def run(*arguments: Any, **options: Any) -> Any:
        if not known.issuperset(options):
            name = next(name for name in options if name not in known)
            raise CallError(
                f"{plain.__name__}: {unknown_name('argument', name, signature(plain).parameters)}"
            )
        way = _chosen.get() or current()
        if way == "numba" and (result := pair.run_kernel(*arguments, **options)) is not NotImplemented:
            return result
        if way != "plain" and pair.numpy is not plain:
            return pair.numpy(*arguments, **options)
        for name in extra:
            options.pop(name, None)
        return plain(*arguments, **options)

    run.compiled = pair.run_kernel  # type: ignore[attr-defined]  # for rules whose kernel does more than they do
    return run  # it takes what the fast twins take


def current() -> str:
    """Return "numba", "numpy" or "plain": what the functions of this module run now.

    Examples
    --------
    >>> with use("numpy"):
    ...     current()
    'numpy'
    """
    return _chosen.get() or {"auto": "numpy", "numba": "numpy" if _failure else "numba"}.get(
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
    is_free = _chosen.get() is None or _is_small.get()
    return is_free and not _failure and _default() == "auto" and _is_installed()


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
        self._token = None if _chosen.get() else _chosen.set(current())

    def __exit__(self, *error: object) -> None:
        if self._token is not None:
            _chosen.reset(self._token)


def asked(choice: str | None) -> str:
    """Return a choice, checked; for None that of the block around, of ``PELLUCID_KERNELS``, else "auto"."""
    if choice is not None:
        return _checked(choice, "kernels")
    return _default() if _is_small.get() else _chosen.get() or _default()


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
    if choice == "numba" and not _failure:
        _imported("compiled")
    return "numpy" if _failure and choice == "numba" else choice


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
    token = _chosen.set(resolve(_checked(choice, "use")))
    small = _is_small.set(False)
    try:
        yield
    finally:
        _is_small.reset(small)
        _chosen.reset(token)


def module(name: str) -> Any:
    """Return a module of :mod:`pellucid.kernels` where numba is chosen and can be had, else None."""
    return _imported(name) if current() == "numba" else None


def _imported(name: str) -> Any:
    """Return a module of :mod:`pellucid.kernels`; None, with a warning, where it cannot be had."""
    try:
        return importlib.import_module(f"pellucid.kernels.{name}")
    except Exception as error:
        _give_up(error)
        return None


@contextmanager
def giving_up() -> Iterator[None]:
    """Where something in this block cannot be compiled, end it, warn, and let NumPy serve from here on."""
    try:
        yield
    except Exception as error:
        if not _is_of_compiler(error):
            raise
        _give_up(error)


@contextmanager
def use_for(n_operations: float) -> Iterator[None]:
    """Run what suits work of that size inside this block, unless a choice was made: by ``use`` or the environment.

    Where that is NumPy since the work is small, larger work inside the block is still free to choose.

    Examples
    --------
    >>> with use_for(1e6):
    ...     current()
    'numpy'
    """
    is_free = asked(None) == "auto"
    with use(resolve(None, n_operations)):
        token = _is_small.set(is_free and current() == "numpy")
        try:
            yield
        finally:
            _is_small.reset(token)


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


def _give_up(error: Exception) -> None:
    """Warn, once in a process, that nothing can be compiled; NumPy serves from here on."""
    if not _failure:
        first = str(error).strip().partition("\n")[0]
        _failure.append(f"{type(error).__name__}: {first}")
        warnings.warn(
            f"kernels: nothing can be compiled here ({_failure[0]}), so NumPy does the work, more slowly. "
            "Install or repair numba (pip install 'pellucid[fast]'), or choose kernels=\"numpy\".",
            RuntimeWarning,
            stacklevel=3,
        )


def _is_of_compiler(error: Exception) -> bool:
    """Return whether an exception says that a kernel could not be compiled or cached, not that a call was wrong."""
    if isinstance(error, OSError):  # of the cache: a full disk, a folder that is gone
        return True
    return any(base.__module__.partition(".")[0] in ("numba", "llvmlite") for base in type(error).__mro__)
