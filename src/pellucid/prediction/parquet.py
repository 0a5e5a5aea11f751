"""A folder of Parquet files with predictions, which pandas, polars, Dask and DuckDB read as one table."""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pellucid.errors import MissingExtraError, OutputError
from pellucid.files import write_atomically
from pellucid.prediction.lines import columns_of
from pellucid.prediction.output import Output, Target, refusal
from pellucid.prediction.predicted import Prediction
from pellucid.text import first_line, plural, printable

PART_ROWS = 2**13  # predictions of a file: what is done again after a break
PART = re.compile(r"part-(\d{5,})\.parquet")
LEFT = re.compile(r"\.[0-9a-f]{16}\.part")  # by a writer that was killed: see files.write_atomically


class ArrowRows:
    """Predictions as a table of Arrow.

    The columns are those of a CSV file of predictions: ``image`` (string) or ``row`` (int64); of a model with a
    pretrained body ``is_unlike`` (bool) and ``novelty_p`` (double); ``label`` (string),
    ``probability`` (double) and ``p(NAME)`` (double) of each class; of several yes-or-no questions ``labels`` (list
    of string) instead of label and probability; of quantities ``value`` (double), or ``value 1`` and so on;
    ``model`` (string, as a dictionary). What is no UTF-8 in a file's name stands as ``\\udcXX``.
    """

    def __init__(self, columns: list[str], mark: str) -> None:
        self.columns, self.mark = columns, mark

    def schema(self) -> Any:
        """Return the names and types of the columns."""
        import pyarrow as pa

        known = {
            "image": pa.string(),
            "row": pa.int64(),
            "label": pa.string(),
            "labels": pa.list_(pa.string()),
            "is_unlike": pa.bool_(),
            "model": pa.dictionary(pa.int32(), pa.string()),
        }
        return pa.schema([(name, known.get(name, pa.float64())) for name in self.columns])

    def name(self, sample: str | int) -> str:
        """Return a sample as its column has it."""
        return str(sample).encode("utf-8", "backslashreplace").decode()

    def encode(self, predictions: Sequence[Prediction]) -> bytes:
        """Return predictions as a stream of Arrow's."""
        import pyarrow as pa

        schema = self.schema()
        rows = [[*each.to_row().values(), self.mark] for each in predictions]
        arrays = [
            pa.array(map(self.name, column) if field.name == "image" else column, field.type)
            for field, column in zip(schema, zip(*rows, strict=True), strict=True)
        ]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as stream:
            stream.write_batch(pa.record_batch(arrays, schema=schema))
        return sink.getvalue().to_pybytes()


class ParquetFolder(Output):
    """A folder to which files of predictions are added, each whole or not at all: see :class:`.output.Output`.

    A file has ``PART_ROWS`` predictions or a few more, the last fewer, in the order in which they came:
    ``part-00000.parquet`` has the first. A process that is killed loses less than one file, which --resume predicts
    again.
    """

    encoder: ArrowRows

    def __init__(self, path: Path, target: Target) -> None:
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise MissingExtraError("Parquet takes an extra: pip install 'pellucid[dask]'") from None
        super().__init__(path)
        self.encoder = ArrowRows(columns_of(target.model, target.of), target.mark)
        self._held: list[Any] = []  # record batches of the next file
        self._n_held = self._n_in_files = 0  # predictions
        self._is_broken = False
        self._next = self._open(target)
        self.n_before = self._done.total()

    def put(self, content: bytes, n: int) -> None:
        """Add a stream of Arrow's; write a file once there is enough for one."""
        import pyarrow as pa

        with pa.ipc.open_stream(content) as stream:
            self._held += list(stream)
        self._n_held += n
        if self._n_held >= PART_ROWS:
            self._write_part()

    def close(self) -> None:
        """Write the rest as a file of its own."""
        if self._n_held and not self._is_broken:
            self._write_part()

    def remove(self) -> None:
        """Remove the folder, where it is empty."""
        with suppress(OSError):
            self.path.rmdir()

    def _write_part(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_batches(self._held, self.encoder.schema()), sink)
        try:
            write_atomically(self.path / f"part-{self._next:05}.parquet", sink.getvalue())
        except OutputError as error:
            self._is_broken = True
            n = self.n_before + self._n_in_files
            kept = f" It has {plural(n, 'prediction')}, and --resume goes on." if n else ""
            raise OutputError(f"{error}{kept}") from None
        self._next += 1
        self._n_in_files += self._n_held
        self._held, self._n_held = [], 0

    def _open(self, target: Target) -> int:
        """Look at what is there, and return the number of the next file."""
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(
                f"{printable(str(self.path))}: Parquet is written into a folder, and this is a file. Choose "
                "another with --out."
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            there = sorted(self.path.iterdir())
            parts = [path for path in there if PART.fullmatch(path.name)]
            left = [path for path in there if LEFT.fullmatch(path.name)]
            others = [path for path in there if path not in parts and path not in left]
            if others:
                raise OutputError(
                    f"{self.path}: expected files of predictions alone, found {printable(others[0].name)}. Choose "
                    "another folder with --out."
                )
            if parts and not (target.resume or target.overwrite):
                raise OutputError(
                    f"{self.path}: has predictions already. Name another --out, or add --resume or --overwrite."
                )
            for path in left if target.resume else [*left, *parts]:
                path.unlink()
        except OutputError:
            raise
        except OSError as error:
            raise self.failure(error) from None
        return self._read(parts) if target.resume else 0

    def _read(self, parts: list[Path]) -> int:
        """Note what is done, drop a last file that is not whole, and return the number of the next one."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        of, schema = self.encoder.columns[0], self.encoder.schema()
        for path in parts:
            try:
                found = pq.read_table(path)
            except (pa.ArrowException, OSError) as error:
                if path != parts[-1]:
                    raise refusal(path, f"it is damaged ({first_line(error)})") from None
                with suppress(OSError):
                    path.unlink()
                continue
            if found.schema.names != schema.names:
                raise refusal(path, "its columns are others than those of this model's predictions")
            marks = found["model"].unique().to_pylist()
            if wrong := [mark for mark in marks if mark != self.encoder.mark]:
                raise refusal(path, f"it holds predictions of another model ({printable(str(wrong[0]))})")
            self._done.update(map(str, found[of].to_pylist()))
        numbers = [int(found[1]) for path in parts if (found := PART.fullmatch(path.name))]
        return max(numbers, default=-1) + 1
