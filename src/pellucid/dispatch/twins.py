"""A function with twins: the plain one, sometimes a faster one in NumPy, and a compiled kernel."""

from collections.abc import Callable
from functools import cached_property, wraps
from inspect import signature
from typing import Any, TypeVar, overload

from pellucid import dispatch
from pellucid.dispatch import chosen, current, give_up, imported, is_of_compiler
from pellucid.errors import CallError, unknown_name

Function = TypeVar("Function", bound=Callable[..., Any])


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
        if self.module is None or dispatch.failure or (module := imported(self.module)) is None:
            return None
        kernel: Callable[..., Any] = getattr(module, self.plain.__name__)
        self._lacks = self.extra - signature(kernel).parameters.keys()
        return kernel

    def run_kernel(self, *arguments: Any, **options: Any) -> Any:
        """Return what the kernel returns; ``NotImplemented`` where none is chosen or it does not serve these."""
        if self.module is None or (chosen.get() or current()) != "numba" or (kernel := self.kernel) is None:
            return NotImplemented
        for name in self._lacks:
            options.pop(name, None)
        try:
            return kernel(*arguments, **options)
        except Exception as error:
            if not is_of_compiler(error):
                raise
            self.kernel = None  # the others go on: a training keeps the kernels that it began with
            give_up(error)
            return NotImplemented


TWINS: dict[str, Twins] = {}  # the functions with twins whose modules are imported, by name


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
        way = chosen.get() or current()
        if way == "numba" and (result := pair.run_kernel(*arguments, **options)) is not NotImplemented:
            return result
        if way != "plain" and pair.numpy is not plain:
            return pair.numpy(*arguments, **options)
        for name in extra:
            options.pop(name, None)
        return plain(*arguments, **options)

    run.compiled = pair.run_kernel  # type: ignore[attr-defined]  # for rules whose kernel does more than they do
    return run  # it takes what the fast twins take
