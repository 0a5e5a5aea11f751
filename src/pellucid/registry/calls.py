"""Calls of a class with an option that it does not know, explained."""

import functools
import inspect
from typing import Any

from pellucid.errors import OptionError, unknown_name
from pellucid.registry.configurable import name_of


def explain_calls(cls: Any) -> Any:
    """Return a class whose constructor names an unknown or missing option in an OptionError; ``register`` does it.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> Dense(3, activaton="relu")
    Traceback (most recent call last):
        ...
    pellucid.errors.OptionError: Dense: unknown option 'activaton'. Did you mean 'activation'? Known: ...
    """
    init = vars(cls).get("__init__")
    if init is None or hasattr(init, "__wrapped__"):
        return cls

    @functools.wraps(init)
    def explained(self: Any, *args: Any, **options: Any) -> None:
        try:
            init(self, *args, **options)
        except TypeError:
            _check_call(cls, inspect.signature(init), (self, *args), options)
            raise  # the call was right: the error is from inside

    cls.__init__ = explained
    return cls


def _check_call(cls: type, signature: inspect.Signature, args: Any, options: dict[str, Any]) -> None:
    """Raise OptionError if a constructor cannot be called so."""
    try:
        signature.bind(*args, **options)
    except TypeError as error:
        where, (_, *known) = name_of(cls), signature.parameters.values()
        names = [one.name for one in known if one.kind is not one.VAR_KEYWORD]
        unknown = [name for name in options if name not in names] if len(names) == len(known) else []
        if unknown and not names:
            raise OptionError(f"{where}: takes no options, got {unknown[0]!r}. Leave it out.") from None
        if unknown:
            raise OptionError(f"{where}: {unknown_name('option', unknown[0], names)}") from None
        raise OptionError(f"{where}: {error}. Its options: {', '.join(names) or 'none'}.") from None
