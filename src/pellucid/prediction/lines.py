"""How predictions are written as lines, and read again: cells between commas, or one JSON object a line."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pellucid.nn.model import Model, numbers_of
from pellucid.prediction.predicted import Prediction
from pellucid.text import printable

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")  # the last marks the others


def escaped(cell: str) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula: OWASP, "CSV Injection".

    An apostrophe is put before a text that begins with ``= + - @``, a tab, a line break or an apostrophe. Numbers
    are no texts, and stay as they are.

    Examples
    --------
    >>> escaped("=1+1"), escaped("-cat.jpg"), escaped("cat.jpg")
    ("'=1+1", "'-cat.jpg", 'cat.jpg')
    """
    return f"'{cell}" if cell.startswith(_STARTS) else cell


def columns_of(model: Model, of: str) -> list[str]:
    """Return the columns of a CSV file of predictions: the sample and its novelty, what is predicted, the model."""
    first = [of] if model._novelty is None else [of, "is_unlike", "novelty_p"]
    if model._loss.kind == "regression":
        n = model.output_shape[-1]
        return [*first, *(["value"] if n == 1 else [f"value {i}" for i in range(1, n + 1)]), "model"]
    names = model.classes or numbers_of(model._loss, model.output_shape[-1])
    said = ["labels"] if model._loss.kind == "multi_label" else ["label", "probability"]
    return [*first, *said, *(f"p({name})" for name in names), "model"]


class Lines:
    """How predictions are written as lines, and read again."""

    def head(self) -> str:
        """Return what a file begins with."""
        return ""

    def line(self, prediction: Prediction) -> str:
        """Return a prediction as a line, with its end."""
        raise NotImplementedError

    def encode(self, predictions: Sequence[Prediction]) -> bytes:
        """Return predictions as lines; what is no UTF-8 in a file's name stays as it is."""
        return os.fsencode("".join(map(self.line, predictions)))

    def name(self, sample: str | int) -> str:
        """Return a sample as a line has it."""
        return str(sample)

    def read(self, file: Iterable[bytes]) -> Iterator[tuple[int, str | None]]:
        """Yield where each whole line ends, and its sample; ValueError for a line that is not of these."""
        raise NotImplementedError


class CsvLines(Lines):
    """Cells between commas, below a line of names."""

    def __init__(self, columns: list[str], mark: str) -> None:
        self.columns, self.mark = [escaped(name) for name in columns], mark

    def head(self) -> str:
        """Return the names of the columns."""
        return _csv(self.columns)

    def line(self, prediction: Prediction) -> str:
        """Return the cells of a prediction."""
        cells = ["; ".join(cell) if isinstance(cell, list) else cell for cell in prediction.to_row().values()]
        return _csv([*(escaped(cell) if isinstance(cell, str) else cell for cell in cells), self.mark])

    def name(self, sample: str | int) -> str:
        """Return a sample as its cell has it."""
        return escaped(sample) if isinstance(sample, str) else str(sample)

    def read(self, file: Iterable[bytes]) -> Iterator[tuple[int, str | None]]:
        """Yield where each line ends, and its sample."""
        stop, text = 0, ""

        def lines() -> Iterator[str]:
            nonlocal stop, text
            for line in file:
                stop, text = stop + len(line), os.fsdecode(line)
                yield text

        records = csv.reader(lines(), strict=True)
        for number in range(10**18):
            try:
                cells = next(records)
            except (StopIteration, csv.Error):  # the end, perhaps in the middle of a cell
                return
            if not text.endswith("\n"):
                return
            if number == 0 and cells != self.columns:
                raise ValueError("its columns are others than those of this model's predictions")
            if len(cells) != len(self.columns):
                raise ValueError(f"record {number + 1} has {len(cells)} cells, not {len(self.columns)}")
            if number and cells[-1] != self.mark:
                raise ValueError(f"it holds predictions of another model ({printable(cells[-1])})")
            yield stop, cells[0] if number else None


def _csv(cells: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


class JsonLines(Lines):
    """One JSON object a line."""

    def __init__(self, columns: list[str], mark: str) -> None:
        self.of, self.mark = columns[0], mark

    def line(self, prediction: Prediction) -> str:
        """Return the object of a prediction."""
        return json.dumps({**prediction.to_dict(), "model": self.mark}) + "\n"

    def read(self, file: Iterable[bytes]) -> Iterator[tuple[int, str | None]]:
        """Yield where each line ends, and its sample."""
        stop = 0
        for number, line in enumerate(file, 1):
            stop += len(line)
            if not line.endswith(b"\n"):
                return
            try:
                found = json.loads(line)
            except ValueError:
                found = None
            if not isinstance(found, dict) or self.of not in found:
                raise ValueError(f"line {number} is no prediction of {self.of}s")
            if found.get("model") != self.mark:
                raise ValueError(
                    f"it holds predictions of another model ({printable(str(found.get('model')))})"
                )
            yield stop, str(found[self.of])
