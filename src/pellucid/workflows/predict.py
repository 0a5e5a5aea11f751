"""Predict images or the rows of a table by a model in a file: each as it comes, or into a file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.formats.safetensors import load, model_file
from pellucid.nn.model import Model, check_trained
from pellucid.prediction.predicted import PredictedSamples
from pellucid.prediction.read_samples import Batch, Samples, collect, none_read, samples_in, samples_of
from pellucid.progress import CountCallback, Progress, shown_progress
from pellucid.registry import explain_call
from pellucid.types import map_arrays

if TYPE_CHECKING:
    from pellucid.prediction.output import Output

READING = "reading images"
MOST_HELD = 256  # faults that are kept back until something can be read
Tell = Callable[..., None]  # takes lines on what cannot be read


@explain_call
def predict(model: Model | str | Path, data: Any, *, progress: Progress = None) -> PredictedSamples:
    """Return what a model predicts for samples, with the name of each.

    Parameters
    ----------
    model : Model, str or Path
        Trained; a model's file, or a run folder.
    data : str, Path, list, array, frame or Dataset
        An image of any size and kind, a folder, whose images are taken with those of its sub-folders, a pattern
        such as ``photos/*.jpg``, or a .csv, .tsv or .parquet file; a list of such images and folders; the rows of a
        table, as a frame or a list of dictionaries; or samples (m, ...) as the model was trained on them.
    progress : callable or bool, optional
        Called with a stage, how much of it is done, and of how much. Default: a bar; False: silent.

    Returns
    -------
    PredictedSamples
        Printed as a table; ``to_rows()`` and ``to_frame()`` give a row for each sample.

    Raises
    ------
    DataError, ShapeError
        If there are no samples, none can be read, or they do not fit the model. Where some images can be read,
        what is wrong with the others is in ``faults``.
    OptionError
        If the model's loss gives no probabilities, or it has several outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((2,))
    >>> model.classes = ("cat", "dog")
    >>> print(predict(model, np.zeros((1, 2))))
    1 prediction: 1 cat.
    <BLANKLINE>
    sample    prediction
    0       cat (50.0 %)
    """
    model = model if isinstance(model, Model) else load(Path(model))
    check_trained("predict", model)
    with shown_progress(progress) as show:
        return collect(_samples(model, data, partial(show, READING)))


def _samples(model: Model, data: Any, progress: CountCallback) -> Samples:
    from pellucid.data.dataset import Dataset
    from pellucid.data.gaps import input_array
    from pellucid.data.readers.table_files import is_frame
    from pellucid.errors import DataError

    files = [data] if isinstance(data, str | Path) else data
    if isinstance(files, Sequence) and files and all(isinstance(each, str | Path) for each in files):
        return samples_of(model, files, progress=progress)
    if isinstance(data, Dataset):
        return samples_in(model, data.X)
    if data is None:
        raise DataError("predict: expected files, rows or samples, got None.")
    if model._schema is not None and isinstance(data, Mapping):
        data = [data]
    are_rows = isinstance(data, Sequence) and bool(data) and isinstance(data[0], Mapping)
    if model._schema is not None and (are_rows or is_frame(data)):
        encoded = model._schema.encode(data, with_target=False)
        return samples_in(model, encoded.X, encoded.notes, first=1)
    return samples_in(model, map_arrays(lambda values: input_array(values, "predict"), data))


def write_predictions(
    path: Path,
    model: Model,
    samples: Samples,
    out: Path,
    tell: Tell,
    *,
    progress: CountCallback,
    resume: bool = False,
    overwrite: bool = False,
    cluster: str | None = None,
    n_workers: int | None = None,
) -> "tuple[Output, int]":
    """Write predictions to a file, predicted here or by the workers of a cluster.

    Returns
    -------
    output : Output
        It says how many predictions were written and were there.
    n_bad : int
        How many samples cannot be read.
    """
    from pellucid.prediction.output import Target, model_mark, open_output

    target = Target(model, model_mark(model_file(path)), samples.of, resume, overwrite)
    with ExitStack() as stack:
        if cluster is None and n_workers is None:
            output = stack.enter_context(open_output(out, target))
            batches = samples.batches(output.is_done)
        else:
            from pellucid.distributed.cluster import open_cluster
            from pellucid.distributed.prediction import cluster_batches

            client = stack.enter_context(open_cluster(cluster, n_workers))
            output = stack.enter_context(open_output(out, target))
            batches = cluster_batches(client, model, samples, output, progress)
        try:
            return output, put_out(batches, output.write, tell, output.n_before)
        except KeyboardInterrupt:
            tell(f"{out} has {output.n_before + output.n_written} predictions; --resume goes on.")
            raise


def put_out(batches: Iterable[Batch], put: Callable[[Any], None], tell: Tell, n_before: int = 0) -> int:
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
