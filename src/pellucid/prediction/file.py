"""A file of predictions, written as they come: CSV or one JSON object a line."""

from contextlib import suppress
from pathlib import Path

from pellucid.errors import DataError
from pellucid.files import check_free
from pellucid.prediction.lines import CsvLines, JsonLines, Lines, columns_of
from pellucid.prediction.output import Output, Target


class PredictionFile(Output):
    """A file that predictions are added to, each of which outlives this process: see :class:`.output.Output`."""

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
            raise DataError(
                f"{self.path}: cannot be resumed: {error}. Choose another with --out, or add --overwrite."
            ) from None
        return stop
