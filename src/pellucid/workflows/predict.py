"""Predict images or the rows of a table by a model in a file: each as it comes, or into a file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from pellucid.formats.safetensors import load, model_file
from pellucid.prediction.read_samples import Batch, Samples, none_read, samples_of
from pellucid.progress import ProgressCallback

if TYPE_CHECKING:
    from pellucid.distributed.prediction import EncodedBatch
    from pellucid.prediction.output import Output
    from pellucid.prediction.predicted import Prediction

READING = "reading images"
MOST_HELD = 256  # faults that are kept back until something can be read
Tell = Callable[..., None]  # takes lines on what cannot be read


class Written(NamedTuple):
    """How many predictions were written and were there, and how many samples cannot be read."""

    n_written: int
    n_before: int
    n_bad: int


class Predicting:
    """A model and the samples that it is to predict.

    Parameters
    ----------
    path : Path
        A model file or a run folder.
    images : sequence of str
        See :func:`pellucid.prediction.read_samples.samples_of`.
    stdin : file, optional
        For names or an image on standard input.
    is_nul : bool, optional
        Names there end with a NUL byte.
    progress : callable
    """

    def __init__(
        self,
        path: Path,
        images: Sequence[str],
        *,
        stdin: BinaryIO | None,
        is_nul: bool,
        progress: ProgressCallback,
    ) -> None:
        self.path, self.model, self.progress = path, load(path), partial(progress, READING)
        separator = b"\0" if is_nul else b"\n"
        self.samples: Samples = samples_of(
            self.model, images, stdin=stdin, separator=separator, progress=self.progress
        )

    def each(self, put: "Callable[[Sequence[Prediction]], None]", tell: Tell) -> int:
        """Put out predictions as they come, and return how many samples cannot be read."""
        return _run(self.samples.batches(lambda sample: False), put, tell)

    def into(
        self,
        out: Path,
        tell: Tell,
        *,
        is_resumed: bool = False,
        is_forced: bool = False,
        cluster: str | None = None,
        workers: int | None = None,
    ) -> Written:
        """Write the predictions to a file, predicted here or by the workers of a cluster."""
        from pellucid.prediction.output import Target, model_mark, open_output

        mark = model_mark(model_file(self.path))
        target = Target(self.model, mark, self.samples.of, is_resumed, is_forced)
        with self._batches(cluster, workers) as batches, open_output(out, target) as file:
            try:
                n_bad = _run(batches(file), file.write, tell, file.n_before)
            except KeyboardInterrupt:
                tell(f"{out} has {file.n_before + file.n_written} predictions; --resume goes on.")
                raise
            return Written(file.n_written, file.n_before, n_bad)

    @contextmanager
    def _batches(
        self, cluster: str | None, workers: int | None
    ) -> "Iterator[Callable[[Output], Iterable[Batch | EncodedBatch]]]":
        """Yield what an output gets."""
        if workers is None and cluster is None:
            yield lambda output: self.samples.batches(output.is_done)
            return
        from pellucid.distributed.cluster import open_cluster
        from pellucid.distributed.prediction import cluster_batches

        with open_cluster(cluster, workers) as client:
            yield lambda output: cluster_batches(client, self.model, self.samples, output, self.progress)


def _run(
    batches: "Iterable[Batch | EncodedBatch]", put: Callable[[Any], None], tell: Tell, n_before: int = 0
) -> int:
    """Put out predictions as they come, and tell what cannot be read; return how many samples that is.

    Raises
    ------
    DataError
        If there is nothing else: not one sample can be read.
    """
    n_found, n_bad, first = n_before, 0, None
    held: list[str] = []  # where there is nothing else, one line says all
    for batch in batches:
        if batch.predictions:
            put(batch.predictions)
        n_found += len(batch.predictions)
        n_bad += len(batch.faults)
        first = first or next(iter(batch.faults.values()), None)
        held += map(str, batch.faults.values())
        if n_found or len(held) > MOST_HELD:
            tell(*held)
            held = []
    if first is not None and not n_found:
        raise none_read(first, n_bad)
    return n_bad
