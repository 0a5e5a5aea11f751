"""The exceptions that pellucid raises on purpose.

::

    Exception
    └── PellucidError          every error of this package: catch this one
        ├── ShapeError         an array of the wrong shape (also a ValueError)
        ├── OptionError        an unknown option or name (also a ValueError)
        │   └── CallError      an argument that does not exist, or is missing (also a TypeError)
        ├── UnknownAttributeError  a name that a module, model or layer does not have (also an AttributeError)
        ├── DataError          a data set, image or label that cannot be used (also a ValueError)
        │   └── DownloadError  a data set that could not be fetched
        ├── OutOfMemoryError   arrays too large for this machine (also a MemoryError)
        ├── TrainingError      training that cannot continue
        ├── FormatError        a model or configuration file that cannot be read (also a ValueError)
        ├── OutputError        a file or folder that cannot be written (also an OSError)
        └── MissingExtraError  an optional package that is not installed (also an ImportError)

Each message says where, what was expected, what was found and what to try. Printed, it is one line without control
characters, whatever name it quotes.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from pellucid.text import one_line, shown


class PellucidError(Exception):
    """The root of every error that pellucid raises on purpose."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class ShapeError(PellucidError, ValueError):
    """An array does not have the expected shape."""


class OptionError(PellucidError, ValueError):
    """An option has an unknown name or an invalid value."""


class CallError(OptionError, TypeError):
    """A function or class is called with an argument that it does not have, or without one that it needs."""


class UnknownAttributeError(PellucidError, AttributeError):
    """A module, a model or a layer has no such name.

    What is meant is looked up when the message is read, since ``hasattr`` and ``copy`` ask for names that are not
    there all the time.

    Parameters
    ----------
    where : str
        What was asked, for the message.
    attribute : str
    owner : object
        Whose names are known.
    kind : {"attribute", "column", "data", "split", "name", "class"}, optional
        Of a model or layer, of a history, of a data set or of one in two parts, of the package, or of a family.
    """

    def __init__(self, where: str, attribute: str, owner: Any, kind: str = "attribute") -> None:
        super().__init__(f"{where} has no attribute {attribute!r}")
        self.where, self.attribute, self.kind = where, attribute, kind
        self.hint = ""  # instead of what is looked up
        self.obj = owner  # and no ``name``: Python would add a suggestion of its own

    def __str__(self) -> str:
        hint = self.hint or _hint(self.kind, self.attribute, self._known())
        return one_line(f"{self.where} has no attribute {self.attribute!r}.{hint}")

    def __reduce__(self) -> Any:
        names = SimpleNamespace(__all__=self._known())  # for another process: the names alone
        return type(self), (self.where, self.attribute, names, self.kind)

    def _known(self) -> list[str]:
        names = getattr(self.obj, "__all__", None) or dir(self.obj)
        return [name for name in names if not name.startswith("_")]


class DataError(PellucidError, ValueError):
    """A data set, an image or a label cannot be used."""


class DataWarning(UserWarning):
    """How data were understood, where another reading was possible."""


class DownloadError(DataError):
    """A data set could not be fetched."""


class OutOfMemoryError(PellucidError, MemoryError):
    """Arrays do not fit in memory."""


class TrainingError(PellucidError):
    """Training cannot continue: the loss is NaN or infinite, for example."""


class FormatError(PellucidError, ValueError):
    """A model or configuration file cannot be read."""


class OutputError(PellucidError, OSError):
    """A file or folder cannot be written."""


class MissingExtraError(PellucidError, ImportError):
    """An optional package is needed and not installed."""


def unknown_name(kind: str, name: object, known: Iterable[str]) -> str:
    """Return the message for a name that is not known, with the nearest one that is.

    Examples
    --------
    >>> unknown_name("preset", "mpl", ["logistic", "mlp"])
    "unknown preset 'mpl'. Did you mean 'mlp'? Known: logistic, mlp."
    """
    names = sorted(known)
    return f"unknown {kind} {shown(name)}.{_hint(kind, str(name), names)} Known: {', '.join(names)}."


def _hint(kind: str, name: str, known: list[str]) -> str:
    """Return the name that is meant, or what to do instead, with a space before; "" where nothing is like it."""
    from pellucid.aliases import advice, is_habit, nearest  # a long table, for messages alone

    instead = advice(kind, name)
    is_of_object = kind in ("name", "attribute", "column", "data", "split")
    is_of_python = is_of_object or kind == "class"  # with many names, few of which are meant
    if instead and (is_of_object or not is_habit(name, known)):
        return f" {instead}"
    near = nearest(name, known, cutoff=0.7 if is_of_python else 0.5)
    return f" Did you mean {near!r}?" if near else ""


@contextmanager
def in_memory(message: str) -> Iterator[None]:
    """Raise an OutOfMemoryError with this message for whatever NumPy raises about arrays too large in this block.

    Examples
    --------
    >>> with in_memory("the table does not fit in memory. Take fewer rows."):
    ...     np.empty(2**62)
    Traceback (most recent call last):
        ...
    pellucid.errors.OutOfMemoryError: the table does not fit in memory. Take fewer rows.
    """
    try:
        yield
    except PellucidError:
        raise
    except (MemoryError, OverflowError):
        raise OutOfMemoryError(message) from None
    except ValueError as error:
        if not re.match("[Mm]aximum (allowed|supported)|array is too", str(error)):
            raise
        raise OutOfMemoryError(message) from None
