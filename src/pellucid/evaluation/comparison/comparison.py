"""What the records of all comparisons have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from pellucid.text import shorten
from pellucid.text_blocks import Block, Printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Comparison(Printable):
    """What a comparison found: ``print`` says it, a notebook shows it, ``plot`` draws it, ``to_dict`` keeps it."""

    name: ClassVar[str]  # of its files
    data: str

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked for was trained; False after Ctrl-C."""
        return True

    @property
    @abstractmethod
    def finding(self) -> str:
        """What was found, in a sentence or two."""

    @abstractmethod
    def blocks(self) -> list[Block]:
        """Return all that was found, as sentences and tables; the finding comes last."""

    @abstractmethod
    def figures(self) -> dict[str, Figure]:
        """Return its figures by name."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""

    def plot(self) -> Figure:
        """Return its main figure."""
        return self.figures()[self.name]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data}: {shorten(self.finding, 120)})"
