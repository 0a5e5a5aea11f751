"""Write a model as a Python script, once it has been run beside the model."""

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.files import check_free, write_atomically
from pellucid.formats.half_precision import for_a_file, n_bytes
from pellucid.formats.script.trial import difference
from pellucid.formats.script.write import write_script
from pellucid.nn.by_name import ModelLike
from pellucid.nn.model import Model
from pellucid.registry import Limits, check_option, validate_call
from pellucid.types import Array

MOST_INSIDE = 4 * 2**20  # bytes of weights: editors open what is not larger
WEIGHTS = ("auto", "inside", "beside")


@validate_call("model", "path", "weights", "dtype", "samples", "overwrite")
def export_script(
    model: ModelLike,
    path: str | Path,
    *,
    weights: str = "auto",
    dtype: str | None = None,
    samples: Sequence[Path] | Array = (),
    overwrite: bool = False,
) -> float:
    """Write a model as a Python script that needs NumPy and Pillow only, and return how far its outputs are off.

    The script is run with ``python predict.py photo.jpg`` or imported for its function ``predict``. Its forward
    pass is written out for this network, a line for each layer, above the functions that it needs.

    Parameters
    ----------
    model : Model, str or Path
        Trained; or a model file or run folder.
    path : str or Path
        Usually ending in ``.py``.
    weights : {"auto", "inside", "beside"}, optional
        Where they are: in the script, as text, or in a ``.npz`` file of the same name beside it. "auto": inside
        up to 4 MB. Moved together, both run from any folder.
    dtype : {"float32", "float16"}, optional
        Of the weights in the file; all is computed in float32. Default: float32.
    samples : sequence of Path, or Array, optional
        More to compare with the model: photo files, or samples as the model takes them.
    overwrite : bool, optional
        Replace files that are there.

    Returns
    -------
    float
        The largest difference from the model on random samples, and on those given: of probabilities, else relative
        to the largest output. What rounded weights make of it is in it.

    Raises
    ------
    OptionError
        If one of the layers is not pellucid's.
    PellucidError
        If the model is not trained, or the script gives something else than the model; it is then not written.

    Notes
    -----
    Photos are read as ``pellucid predict`` reads them, by the same functions, except that HEIC is left out. Before
    the script is put in its place it is run, in a process of its own, on photos with random pixels (or rows, or
    arrays), as files.

    Examples
    --------
    >>> import pellucid as pl
    >>> model = pl.preset("logistic")
    >>> model.initialize((4, 4, 3))
    >>> path = Path(tempfile.mkdtemp()) / "predict.py"
    >>> export_script(model, path) < 1e-5
    True
    >>> "def forward(X):" in path.read_text()
    True
    """
    path = Path(path)
    check_option("export_script", "weights", weights, str, Limits(choices=lambda: WEIGHTS))
    exact, model, dtype = for_a_file(model, path, dtype, "export_script", overwrite=overwrite)
    beside = weights_beside(exact, path, weights, dtype)
    if beside:
        check_free(beside, overwrite=overwrite)
    written = write_script(model, is_inside=beside is None, name=path.stem, dtype=dtype)
    with tempfile.TemporaryDirectory(prefix="pellucid-") as folder:
        trial = Path(folder) / "predict.py"
        trial.write_text(written.text, encoding="utf-8")
        if beside:
            trial.with_suffix(".npz").write_bytes(_npz(written.beside))
        found = difference(model, trial, samples, exact)
    if beside:
        write_atomically(beside, _npz(written.beside))
    write_atomically(path, written.text)
    return found


def weights_beside(model: Model, path: Path, weights: str, dtype: str) -> Path | None:
    """Return the file of weights beside a script; None where they are inside."""
    is_inside = weights == "inside" or (weights == "auto" and n_bytes(model, dtype) <= MOST_INSIDE)
    return None if is_inside else path.with_suffix(".npz")


def _npz(arrays: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()
