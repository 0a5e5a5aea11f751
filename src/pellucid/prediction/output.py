"""Where predictions are written as they come, and gone on with after a break: files, and what folders share."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import numpy as np

from pellucid.errors import DataError, OutputError
from pellucid.files import check_free
from pellucid.nn.model import Model
from pellucid.nn.rebuild import named_arrays
from pellucid.prediction.lines import CsvLines, JsonLines, Lines, columns_of
from pellucid.prediction.predicted import Encoded, Prediction
from pellucid.text import first_line, plural, printable

FORMATS = (".csv", ".jsonl", ".parquet")


class Encoder(Protocol):
    """How predictions are written; it can be sent to other processes, which encode for the one that writes."""

    def encode(self, predictions: Sequence[Prediction]) -> bytes:
        """Return predictions as the output has them."""

    def name(self, sample: str | int) -> str:
        """Return a sample as the output has it."""


class Target(NamedTuple):
    """What is written, and how to treat what is there.

    Attributes
    ----------
    model : Model
    mark : str
        What tells the model from others: see :func:`model_mark`. Every prediction has it.
    of : {"image", "row"}
        What the samples are.
    resume : bool
        Whether to go on with an output that is there: what is half-written at its end is dropped, and samples that
        it has are ``is_done``.
    overwrite : bool
        Whether an output that is there is replaced.
    """

    model: Model
    mark: str
    of: str
    resume: bool = False
    overwrite: bool = False


def open_output(path: Path, target: Target) -> "Output":
    """Return what predictions are written to, by the ending of its name.

    Parameters
    ----------
    path : Path
        A file that ends in .csv or .jsonl, or a folder whose name ends in .parquet.
    target : Target

    Raises
    ------
    OutputError
        If the name ends otherwise, it is there already, or cannot be written.
    DataError
        If what is to be resumed holds something else than this model's predictions.
    MissingExtraError
        If Parquet cannot be written here.
    """
    ending = path.suffix.lower()
    if ending == ".parquet":
        from pellucid.prediction.parquet import ParquetFolder

        return ParquetFolder(path, target)
    if ending not in FORMATS:
        raise OutputError(
            f"{printable(str(path))}: expected a file that ends in .csv or .jsonl, or a folder that ends in "
            ".parquet. Try --out predictions.csv."
        )
    return PredictionFile(path, target)


def model_mark(model: Path | Model) -> str:
    """Return what tells one model from another: the start of the hash of its file, or of its arrays."""
    if isinstance(model, Path):
        with open(model, "rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
    digest = hashlib.sha256()
    for name, array in named_arrays(model).items():
        digest.update(f"{name} {array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return f"arrays:{digest.hexdigest()[:16]}"


def refusal(path: Path, why: str) -> DataError:
    """Return the error for an output that cannot be gone on with."""
    return DataError(f"{path}: cannot be resumed: {why}. Choose another with --out, or add --overwrite.")


class Output:
    """What predictions are added to; a context manager. A final class says how they are kept.

    Attributes
    ----------
    path : Path
    encoder : Encoder
    n_before, n_written : int
        Predictions that were there, and that have been added.
    """

    encoder: Encoder

    def __init__(self, path: Path) -> None:
        self.path, self.n_written = path, 0
        self._done: Counter[str] = Counter()
        self.n_before = 0

    def is_done(self, sample: str | int) -> bool:
        """Return whether the output that is gone on with has a sample; one that it has twice is done twice."""
        name = self.encoder.name(sample)
        if not self._done[name]:
            return False
        self._done[name] -= 1
        return True

    def write(self, predictions: Sequence[Prediction] | Encoded) -> None:
        """Add predictions, or what ``encoder`` made of them in another process."""
        if not len(predictions):  # no sample of a piece could be read
            return
        content = (
            predictions.content if isinstance(predictions, Encoded) else self.encoder.encode(predictions)
        )
        try:
            self.put(content, len(predictions))
        except OutputError:
            raise
        except OSError as error:
            raise self.failure(error) from None
        self.n_written += len(predictions)

    def put(self, content: bytes, n: int) -> None:
        """Add n predictions as the encoder has made them."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what is left."""
        raise NotImplementedError

    def remove(self) -> None:
        """Remove what was begun, where it has no prediction."""

    def failure(self, error: OSError) -> OutputError:
        """Return what to say where it cannot be written."""
        n = self.n_before + self.n_written
        kept = f" It has {plural(n, 'prediction')}, and --resume goes on." if n else ""
        return OutputError(
            f"{self.path}: cannot be written ({first_line(error)}). Make room, or choose another place with "
            f"--out.{kept}"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is not None and not self.n_before + self.n_written:
            self.remove()


class PredictionFile(Output):
    """A file that predictions are added to, each of which outlives this process."""

    encoder: Lines

    def __init__(self, path: Path, target: Target) -> None:
        super().__init__(path)
        lines = CsvLines if path.suffix.lower() == ".csv" else JsonLines
        self.encoder = lines(columns_of(target.model, target.of), target.mark)
        stop = 0
        if target.resume and path.exists():
            stop = self._read()
        else:
            check_free(path, overwrite=target.overwrite)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "r+b" if stop else "wb")  # noqa: SIM115 - closed by close
            self._file.truncate(stop)
            self._file.seek(stop)
            if not stop:
                self.put(self.encoder.head().encode(), 0)
        except OSError as error:
            raise self.failure(error) from None
        self.n_before = self._done.total()

    def put(self, content: bytes, n: int) -> None:
        """Add lines."""
        self._file.write(content)
        self._file.flush()

    def close(self) -> None:
        """Close the file: everything was flushed before."""
        with suppress(OSError):
            self._file.close()

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> int:
        """Note what a file has, and return where its last whole line ends."""
        try:
            with open(self.path, "rb") as file:
                stop = 0
                for end, sample in self.encoder.read(file):
                    stop = end
                    if sample is not None:
                        self._done[sample] += 1
        except OSError as error:
            raise self.failure(error) from None
        except ValueError as error:
            raise refusal(self.path, str(error)) from None
        return stop
