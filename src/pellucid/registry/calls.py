"""Calls with an argument that does not exist, is missing or is of the wrong kind, explained."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pellucid.errors import CallError, unknown_name
from pellucid.registry.configurable import hints_of, name_of
from pellucid.registry.options import check_option

F = TypeVar("F", bound=Callable[..., Any])


def explain_calls(cls: Any) -> Any:
    """Return a class whose constructor names an unknown or missing option in a CallError; ``register`` does it.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> Dense(3, activaton="relu")
    Traceback (most recent call last):
        ...
    pellucid.errors.CallError: Dense: unknown option 'activaton'. Did you mean 'activation'? Known: ...
    """
    init = vars(cls).get("__init__")
    if init is not None and not hasattr(init, "is_explained"):
        cls.__init__ = _explained(init, name_of(cls), "option")
        cls.__init__.is_explained = True
    return cls


def explain_call(method: F) -> F:
    """Return a method that says which argument does not exist or is missing, in a CallError.

    Examples
    --------
    >>> class Adder:
    ...     @explain_call
    ...     def add(self, number):
    ...         return 1 + number
    >>> Adder().add(numbr=1)
    Traceback (most recent call last):
        ...
    pellucid.errors.CallError: add: unknown argument 'numbr'. Did you mean 'number'? Known: number.
    """

    return _explained(method, method.__name__, "argument")


def _explained(function: F, where: str, noun: str) -> F:
    @functools.wraps(function)
    def explained(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except TypeError:
            bind(where, noun, _signature(function), args, named)
            raise  # the call was right: the error is from inside

    return explained  # type: ignore[return-value]


def validate_call(*checked: str, others: Callable[[], Iterable[str]] | None = None) -> Callable[[F], F]:
    """Return a decorator of public functions: a wrong call is a CallError, a wrong argument an OptionError.

    Parameters
    ----------
    *checked : str
        The arguments that are checked against their annotations, as options are (``check_option``). The others are
        those that the function looks at itself.
    others : callable, optional
        Returns the names that ``**keywords`` of the function may have.

    Examples
    --------
    >>> @validate_call("times")
    ... def repeat(text, times: int = 2):
    ...     return text * times
    >>> repeat("ha", times=np.int64(3))
    'hahaha'
    >>> repeat("ha", times=2.0)
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: repeat: expected times to be a whole number, got 2.0.
    >>> repeat("ha", tims=2)
    Traceback (most recent call last):
        ...
    pellucid.errors.CallError: repeat: unknown argument 'tims'. Did you mean 'times'? Known: text, times.
    """

    def decorate(function: F) -> F:
        name = function.__name__

        @functools.wraps(function)
        def validated(*args: Any, **named: Any) -> Any:
            signature = _signature(function)
            if others is not None:
                *own, _ = signature.parameters
                known = {*own, *others()}
                for one in named:
                    if one not in known:
                        raise CallError(f"{name}: {unknown_name('argument', one, known)}")
            bound = bind(name, "argument", signature, args, named)
            for one in checked:
                if one in bound.arguments:
                    hint = hints_of(function).get(one)
                    bound.arguments[one] = check_option(name, one, bound.arguments[one], hint)
            return function(*bound.args, **bound.kwargs)

        return validated  # type: ignore[return-value]

    return decorate


def arguments_of(other: Callable[..., Any], *names: str) -> Callable[[F], F]:
    """Return a decorator of functions that pass ``**others`` on: they show these keywords of another function.

    Examples
    --------
    >>> def draw(*, size: int = 3, color: str = "red"): ...
    >>> @arguments_of(draw, "color")
    ... def draw_twice(n, **others): ...
    >>> inspect.signature(draw_twice)
    <Signature (n, *, color: str = 'red')>
    """

    def decorate(function: F) -> F:
        shown, own = inspect.signature(other).parameters, inspect.signature(function)
        kept = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
        made: Any = function
        made.__signature__ = own.replace(parameters=[*kept, *(shown[name] for name in names)])
        function.__annotations__ |= {name: hints_of(other)[name] for name in names}
        return function

    return decorate


@functools.cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def bind(
    where: str, noun: str, signature: inspect.Signature, args: Any, named: dict[str, Any]
) -> inspect.BoundArguments:
    """Return the arguments of a call by name; CallError if it cannot be called so."""
    try:
        return signature.bind(*args, **named)
    except TypeError as error:
        known = [one for one in signature.parameters.values() if one.name != "self"]
        names = [one.name for one in known if one.kind is not one.VAR_KEYWORD]
        unknown = [name for name in named if name not in names] if len(names) == len(known) else []
        if unknown and not names:
            raise CallError(f"{where}: takes no {noun}s, got {unknown[0]!r}. Leave it out.") from None
        if unknown:
            raise CallError(f"{where}: {unknown_name(noun, unknown[0], names)}") from None
        is_apart = "data" in names and len(args) > 2 and all(hasattr(one, "__len__") for one in args[1:3])
        pair = " Give samples and labels as one pair: (X, y)." if is_apart else ""
        raise CallError(f"{where}: {error}. Its {noun}s: {', '.join(names) or 'none'}.{pair}") from None
