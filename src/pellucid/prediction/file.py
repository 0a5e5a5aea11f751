"""A file of predictions, written as they come: CSV or one JSON object a line, and gone on with after a break."""

import csv
import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from pellucid.errors import DataError, OutputError
from pellucid.files import check_free
from pellucid.nn.model import Model
from pellucid.prediction.records import Prediction
from pellucid.text import first_line, printable

FORMATS = (".csv", ".jsonl")
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


def model_mark(path: Path) -> str:
    """Return what tells one model from another in a file of predictions: the start of its file's hash."""
    with open(path, "rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"


class PredictionFile:
    """A file that predictions are added to; a context manager.

    Parameters
    ----------
    path : Path
        Ending in .csv or .jsonl.
    model : Model
    mark : str
        Of the model's file: see :func:`model_mark`. Every line has it.
    of : {"image", "row"}
        What the samples are.
    resume : bool, optional
        Whether to go on with a file that is there: a half-written line at its end is removed, and samples that it
        has are ``is_done``.
    force : bool, optional
        Whether a file that is there is replaced.

    Raises
    ------
    OutputError
        If the name ends otherwise, the file is there already, or cannot be written.
    DataError
        If the file to resume holds something else than this model's predictions.
    """

    def __init__(
        self, path: Path, model: Model, mark: str, of: str, *, resume: bool = False, force: bool = False
    ) -> None:
        if path.suffix.lower() not in FORMATS:
            raise OutputError(
                f"{printable(str(path))}: expected a file that ends in .csv or .jsonl. Try --out predictions.csv."
            )
        lines = CsvLines if path.suffix.lower() == ".csv" else JsonLines
        self.path, self.n_written = path, 0
        self._lines: Lines = lines(columns_of(model, of), mark)
        self._done: Counter[str] = Counter()
        stop = 0
        if resume and path.exists():
            stop = self._read()
        else:
            check_free(path, force=force)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "r+b" if stop else "wb")  # noqa: SIM115 - closed by __exit__
            self._file.truncate(stop)
            self._file.seek(stop)
            if not stop:
                self._put(self._lines.head())
        except OSError as error:
            raise self._failure(error) from None
        self.n_before = self._done.total()

    def is_done(self, sample: str | int) -> bool:
        """Return whether the file that is gone on with has a sample; one that it has twice is done twice."""
        name = self._lines.name(sample)
        if not self._done[name]:
            return False
        self._done[name] -= 1
        return True

    def write(self, predictions: Sequence[Prediction]) -> None:
        """Add predictions, and see to it that they outlive this process."""
        try:
            self._put("".join(map(self._lines.line, predictions)))
        except OSError as error:
            raise self._failure(error) from None
        self.n_written += len(predictions)

    def __enter__(self) -> "PredictionFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # it was flushed before
            self._file.close()

    def _put(self, text: str) -> None:
        self._file.write(os.fsencode(text) if not text.isascii() else text.encode())
        self._file.flush()

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path}: cannot be written ({first_line(error)}). Make room, or choose another place with --out."
        )

    def _read(self) -> int:
        """Note what a file has, and return where its last whole line ends."""
        try:
            with open(self.path, "rb") as file:
                stop = 0
                for end, sample in self._lines.read(file):
                    stop = end
                    if sample is not None:
                        self._done[sample] += 1
        except OSError as error:
            raise self._failure(error) from None
        except ValueError as error:
            raise DataError(
                f"{self.path}: cannot be resumed: {error}. Choose another with --out, or replace it with --force."
            ) from None
        return stop


def columns_of(model: Model, of: str) -> list[str]:
    """Return the columns of a CSV file of predictions: the sample, what is predicted, and the model."""
    if model.loss_kind == "regression":
        n = model.output_shape[-1]
        return [of, *(["value"] if n == 1 else [f"value {i}" for i in range(1, n + 1)]), "model"]
    n = 2 if model.output_shape[-1] == 1 and model.loss_kind == "classification" else model.output_shape[-1]
    names = model.classes or tuple(map(str, range(n)))
    said = ["labels"] if model.loss_kind == "multi_label" else ["label", "probability"]
    return [of, *said, *(f"p({name})" for name in names), "model"]


class Lines(Protocol):
    """How predictions are written, and read again."""

    def head(self) -> str:
        """Return what a file begins with."""

    def line(self, prediction: Prediction) -> str:
        """Return a prediction as a line, with its end."""

    def name(self, sample: str | int) -> str:
        """Return a sample as a line has it."""

    def read(self, file: Iterable[bytes]) -> Iterator[tuple[int, str | None]]:
        """Yield where each whole line ends, and its sample; ValueError for a line that is not of these."""


class CsvLines:
    """Cells between commas, below a line of names."""

    def __init__(self, columns: list[str], mark: str) -> None:
        self.columns, self.mark = [escaped(name) for name in columns], mark

    def head(self) -> str:
        """Return the names of the columns."""
        return _csv(self.columns)

    def line(self, prediction: Prediction) -> str:
        """Return the cells of a prediction."""
        cells: list[Any] = [self.name(prediction.sample)]
        if prediction.value is not None:
            cells += prediction.value if isinstance(prediction.value, list) else [prediction.value]
        elif prediction.labels is not None:
            cells += [escaped("; ".join(prediction.labels)), *prediction.classes.values()]
        else:
            cells += [escaped(prediction.label), prediction.probability, *prediction.classes.values()]
        return _csv([*cells, self.mark])

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


class JsonLines:
    """One JSON object a line."""

    def __init__(self, columns: list[str], mark: str) -> None:
        self.of, self.mark = columns[0], mark

    def head(self) -> str:
        """Return nothing."""
        return ""

    def line(self, prediction: Prediction) -> str:
        """Return the object of a prediction."""
        return json.dumps({**prediction.to_dict(), "model": self.mark}) + "\n"

    def name(self, sample: str | int) -> str:
        """Return a sample as a text."""
        return str(sample)

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
