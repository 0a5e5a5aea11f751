"""What a constructor takes, read from its signature, so that a file can be checked against it."""

import collections.abc
import inspect
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pellucid.nn.layers import Layer
from pellucid.nn.model import Model

_WORDS = {int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false"}
_LISTS = (list, tuple, collections.abc.Sequence)


@dataclass(frozen=True)
class Signature:
    """The options that a constructor takes, by name with their types.

    Attributes
    ----------
    hints : mapping of str to type
        ``Any`` where the constructor does not say.
    required : tuple of str
        Those without a default.
    rest : type or None
        Of options by any other name (``**options``); None where there are no others.
    """

    hints: Mapping[str, Any]
    required: tuple[str, ...]
    rest: Any = None

    @classmethod
    def of(cls, made: type[Any]) -> "Signature":
        """Return what that class's constructor takes.

        Examples
        --------
        >>> from pellucid.nn.layers import Dense
        >>> Signature.of(Dense).required, sorted(Signature.of(Dense).hints)
        (('units',), ['activation', 'initializer', 'units'])
        """
        try:
            types_of = typing.get_type_hints(made.__init__)
        except (NameError, TypeError, AttributeError):  # of a layer of one's own, written for no type checker
            types_of = {}
        hints, required, rest = {}, [], None
        for name, parameter in inspect.signature(made).parameters.items():
            hint = types_of.get(name, Any)
            if parameter.kind is parameter.VAR_KEYWORD:
                rest = hint
            elif parameter.kind is not parameter.VAR_POSITIONAL and not (
                name == "dtype" and issubclass(made, Model)  # the whole model has one
            ):
                hints[name] = hint
                if parameter.default is parameter.empty:
                    required.append(name)
        return cls(hints, tuple(required), rest)


def holds_layers(hint: Any) -> Literal["", "one", "many"]:
    """Say whether an option of that type is a layer, or a list of them.

    Examples
    --------
    >>> holds_layers(Layer | None), holds_layers(list[Layer]), holds_layers(int)
    ('one', 'many', '')
    """
    for part in _parts(hint):
        if isinstance(part, type) and issubclass(part, Layer):
            return "one"
        if get_origin(part) in _LISTS and any(holds_layers(inner) == "one" for inner in get_args(part)):
            return "many"
    return ""


def fits(value: Any, hint: Any) -> bool:
    """Say whether a value read from TOML may be given where the constructor wants that type.

    Examples
    --------
    >>> fits([3, 3], int | tuple[int, int]), fits(True, int), fits(1, float), fits("3", int)
    (True, False, True, False)
    """
    return any(_fits_one(value, part) for part in _parts(hint))


def _fits_one(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in inner
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return isinstance(value, list) and len(value) == len(inner) and all(map(fits, value, inner))
    if origin in _LISTS or hint in _LISTS:
        return isinstance(value, list) and (not inner or all(fits(entry, inner[0]) for entry in value))
    if hint in (int, float):
        return isinstance(value, int if hint is int else int | float) and not isinstance(value, bool)
    if hint in (str, bool):
        return isinstance(value, hint)
    return hint is not type(None)  # a type that TOML knows nothing of: the constructor decides


def type_in_words(hint: Any) -> str:
    """Return what is wanted, for a message.

    Examples
    --------
    >>> type_in_words(int | tuple[int, int] | None)
    'a whole number or a list of 2 (each a whole number)'
    """
    words = []
    for part in _parts(hint):
        origin, inner = get_origin(part), get_args(part)
        if origin is Literal:
            words.append(" or ".join(repr(value) for value in inner))
        elif origin in _LISTS or part in _LISTS:
            is_counted = origin is tuple and bool(inner) and inner[-1] is not Ellipsis
            each = f" (each {type_in_words(inner[0])})" if inner else ""
            words.append(f"a list{f' of {len(inner)}' if is_counted else ''}{each}")
        elif part is not type(None):
            words.append(_WORDS.get(part, "another value"))
    return " or ".join(dict.fromkeys(words))


def as_taken(value: Any, hint: Any) -> Any:
    """Return the value, its lists as tuples where the constructor wants tuples.

    Examples
    --------
    >>> as_taken([[1, 1], [2, 2]], int | tuple[tuple[int, int], tuple[int, int]])
    ((1, 1), (2, 2))
    """
    wants_tuples = any(get_origin(part) is tuple or part is tuple for part in _parts(hint))
    return _as_tuples(value) if wants_tuples else value


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def _parts(hint: Any) -> tuple[Any, ...]:
    """Return the types that a union allows, or the type itself."""
    if get_origin(hint) in (Union, types.UnionType):
        return get_args(hint)
    return (hint,)
