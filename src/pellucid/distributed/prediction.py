"""Predictions for files on a Dask cluster: workers read any number of photos, this process writes."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pellucid.distributed.map_unordered import ClusterError, kept, kept_by_workers, map_unordered
from pellucid.errors import DataError, OptionError
from pellucid.formats.safetensors import load, model_file
from pellucid.nn.model import Model
from pellucid.prediction.output import Encoder, Output, Target, model_mark, open_output
from pellucid.prediction.predicted import Encoded, Prediction
from pellucid.prediction.read_samples import Batch, Image, Samples, image_batches, none_read, samples_of
from pellucid.progress import CountCallback, ProgressBar
from pellucid.threads import side_by_side

PARTITION = 2**11  # photos; a worker takes one partition after another


@dataclass(frozen=True)
class WrittenPredictions:
    """What was written.

    Attributes
    ----------
    path : Path
    n_written, n_before : int
        Predictions that were added, and that were there.
    faults : dict of str to str
        What is wrong with each image that could not be read.
    notes : tuple of str
        What to mind about the files.
    """

    path: Path
    n_written: int
    n_before: int
    faults: dict[str, str]
    notes: tuple[str, ...] = ()


def predict(
    model: Model | str | Path,
    files: str | Path | Sequence[str | Path],
    *,
    client: Any,
    out: str | Path,
    resume: bool = False,
    overwrite: bool = False,
    progress: CountCallback | None = None,
) -> WrittenPredictions:
    """Write what a model predicts for images, read and predicted by the workers of a Dask cluster.

    Parameters
    ----------
    model : Model, str or Path
        Of images; a file, or a run folder. It is sent to each worker once.
    files : str, Path or a sequence of them
        Images; folders, whose images are taken with those of their sub-folders; patterns such as ``photos/*.jpg``.
        Workers open them under the same absolute path as this machine. Folders are listed one after another.
    client : distributed.Client
        See :func:`pellucid.distributed.cluster.open_cluster`.
    out : str or Path
        A file that ends in .csv or .jsonl, or a folder that ends in .parquet: see :mod:`pellucid.prediction`.
        Predictions stand in the order of the files, the same as without a cluster.
    resume, overwrite : bool, optional
        Go on with what is there, leaving out what it has; replace it.
    progress : callable, optional
        Called with the number of images done and their number. Default: a bar.

    Raises
    ------
    DataError
        If a folder holds no image, or no image can be read; where some can, the others are in ``faults``.
    ShapeError
        If the model does not take images.
    OutputError
        If ``out`` cannot be written; what was written is kept.
    ClusterError
        If the scheduler is lost, no worker answers, or a worker cannot see files that this machine sees.

    Notes
    -----
    A task is a partition of 2,048 photos, and a few for each worker are under way: so memory does not grow with the
    number of photos. A worker that dies or freezes is done without, see :func:`.map_unordered`; only this
    process writes, each partition once.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> from pellucid.distributed.cluster import open_cluster
    >>> from pellucid.nn.presets import preset
    >>> folder = Path(tempfile.mkdtemp())
    >>> for i in range(3):
    ...     Image.new("RGB", (8, 8), (80 * i, 0, 0)).save(folder / f"{i}.png")
    >>> model = preset("logistic")
    >>> model.initialize((8, 8, 3))
    >>> with open_cluster(n_workers=1) as client:
    ...     predict(model, folder, client=client, out=folder / "found.csv").n_written
    3
    """
    where = None if isinstance(model, Model) else model_file(Path(model))
    network = model if isinstance(model, Model) else load(model)
    target = Target(network, model_mark(network if where is None else where), "image", resume, overwrite)
    samples = samples_of(network, [files] if isinstance(files, str | Path) else files)
    faults: dict[str, str] = {}
    first = None
    with ProgressBar() as bar, open_output(Path(out), target) as output:
        tell = progress or (lambda done, total: bar("reading images", done, total))
        for batch in cluster_batches(client, network, samples, output, tell):
            output.write(batch.predictions)
            faults |= {name: str(error) for name, error in batch.faults.items()}
            first = first or next(iter(batch.faults.values()), None)
    if first is not None and not output.n_written + output.n_before:
        raise none_read(first, len(faults))
    return WrittenPredictions(output.path, output.n_written, output.n_before, faults, samples.notes)


class Predicted(NamedTuple):
    """What a worker predicted."""

    predictions: Encoded
    faults: dict[str, str]
    unseen: list[str]  # those of the faults that are no files there
    worker: str


class _Work(NamedTuple):
    """What workers keep."""

    model: Model
    encoder: Encoder
    folder: str  # that names begin from
    total: int


def cluster_batches(
    client: Any, model: Model, samples: Samples, output: Output, progress: CountCallback
) -> Iterator[Batch]:
    """Yield what a model predicts for images that an output does not have yet, in their order.

    Raises
    ------
    OptionError
        If the samples are no names of images.
    ClusterError
        See :func:`predict`.
    """
    if samples.of != "image":
        raise OptionError("the rows of a table are predicted here. Leave --workers and --cluster out.")
    n_done, rest = 0, iter(samples.images)

    def partitions() -> Iterator[list[str]]:
        nonlocal n_done
        while piece := list(islice(rest, PARTITION)):
            names = [_name(image) for image in piece]
            names = [name for name in names if not output.is_done(name)]
            n_done += len(piece) - len(names)
            if names:
                yield names

    with kept_by_workers(client, _Work(model, output.encoder, os.getcwd(), samples.total)) as key:
        predict = partial(predict_partition, key)
        for names, found in map_unordered(client, predict, partitions(), is_ordered=True, named=_range):
            _check_seen(found)
            n_done += len(names)
            progress(n_done, samples.total)
            yield Batch(found.predictions, {name: DataError(words) for name, words in found.faults.items()})


def predict_partition(key: str, names: list[str]) -> Predicted:
    """Return what the model that this worker keeps predicts for images, in one thread."""
    from distributed import get_worker

    predictions: list[Prediction] = []
    found: dict[str, DataError] = {}
    with side_by_side(), kept(key) as work:
        places = [os.path.join(work.folder, name) for name in names]
        for batch in image_batches(work.model, places, total=work.total):
            predictions += batch.predictions
            found |= batch.faults
    named = list(zip(names, places, strict=True))
    good = [name for name, place in named if place not in found]
    predictions = [replace(each, sample=name) for each, name in zip(predictions, good, strict=True)]
    faults = {name: name + str(found[place]).removeprefix(place) for name, place in named if place in found}
    unseen = [name for name, place in named if place in found and not os.path.exists(place)]
    encoded = Encoded(work.encoder.encode(predictions) if predictions else b"", len(predictions))
    return Predicted(encoded, faults, unseen, get_worker().address)


def _name(image: Image) -> str:
    if isinstance(image, bytes):
        raise OptionError("an image on standard input is predicted here. Leave --workers and --cluster out.")
    return str(image)


def _check_seen(found: Predicted) -> None:
    """Raise ClusterError if a worker did not find files that are here."""
    name = next((name for name in found.unseen if os.path.exists(name)), None)
    if name is not None:
        raise ClusterError(
            f"worker {found.worker} does not see {os.path.abspath(name)}, which is on this machine. Mount the "
            "folder there under the same path, or start workers where it is."
        )


def _range(names: list[str]) -> str:
    return f"photos {names[0]} to {names[-1]}"
