"""Use case: a saved model as a file that runs without pellucid, compared with the model on samples first."""

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.download import REMOTES
from pellucid.data.input_spec import white_seen
from pellucid.data.readers.images import read_sample
from pellucid.data.readers.listing import list_folder
from pellucid.data.source import DataSource
from pellucid.errors import OptionError, PellucidError
from pellucid.formats.half_precision import DTYPES, dtype_of
from pellucid.formats.outputs import PHOTO, TABLE, kind_of_samples
from pellucid.formats.safetensors import load, model_file
from pellucid.nn.model import Model
from pellucid.registry import option
from pellucid.runs.data import find_source, is_gone
from pellucid.types import Array

N_SAMPLES = 8  # of a run's data, that are compared
MOST_BYTES = 5_000_000  # of a table that is compared


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes
    ----------
    path : Path
    difference : float or None
        How far its outputs are from the model's, at most; None where they were not compared.
    note : str
        Why they were not.
    dtype : str
        Of its weights.
    beside : Path or None
        The file of its weights, where that is another one.
    """

    path: Path
    difference: float | None
    note: str = ""
    dtype: str = "float32"
    beside: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        told = {
            "file": str(self.path),
            "bytes": self.path.stat().st_size,
            "largest_difference": self.difference,
            "dtype": self.dtype,
        }
        if self.beside:
            told |= {"weights": str(self.beside), "bytes_of_weights": self.beside.stat().st_size}
        return {**told, "note": self.note} if self.note else told


@dataclass(frozen=True)
class Kind:
    """A kind of file."""

    file: str  # its name; one that begins with a point is the ending of the model's own
    writer: str  # the function, "module:name", of the model, the path, samples, and the options that it takes
    options: tuple[str, ...] = ()


def _as_array(model: Model, samples: Any) -> Array | None:
    """Return samples, which may be files of photos, as an array; None where there are none."""
    if isinstance(samples, np.ndarray):
        return samples
    files = samples if kind_of_samples(model) == PHOTO else ()
    return np.array([_read(file, model) for file in files]) if len(files) else None


KINDS = {
    "onnx": Kind(".onnx", "pellucid.formats.onnx.export:export_onnx", ("raw", "dtype")),
    "script": Kind("predict.py", "pellucid.formats.script.export:export_script", ("weights", "dtype")),
    "html": Kind(".html", "pellucid.formats.html.export:export_html", ("title", "dtype")),
}


@dataclass(frozen=True)
class ExportOptions:
    """The kind of file, and the options of each kind."""

    to: str = option(choices=lambda: KINDS, help="Kind of file.")
    raw: bool = option(False, help="onnx: without preprocessing and probabilities; floats in, logits out.")
    weights: str | None = option(
        None,
        choices=lambda: ("inside", "beside"),
        help="script: in the file itself, or beside it as .npz; default: inside up to 4 MB.",
    )
    dtype: str | None = option(
        None,
        choices=lambda: DTYPES,
        help="Of the weights in the file; default: float16 in a page of a pretrained body, else float32.",
    )
    title: str | None = option(None, help="html: heading of the page; default: its classes.")


def export(
    path: Path, chosen: ExportOptions, out: Path | None = None, *, overwrite: bool = False
) -> Exported:
    """Write a saved model as another kind of file.

    Parameters
    ----------
    path : Path
        A model file or a run folder.
    chosen : ExportOptions
        Those of another kind must be None or False.
    out : Path, optional
        The file; default: beside the model.
    overwrite : bool, optional
        Replace a file that is there.

    Raises
    ------
    OptionError
        If an option is another kind's.
    PellucidError
        If the model cannot be read or written in that form.
    """
    to, kind = chosen.to, KINDS[chosen.to]
    given = {name: value for name, value in vars(chosen).items() if value and name != "to"}
    for name in given:
        if name not in kind.options:
            owner = next(other for other, each in KINDS.items() if name in each.options)
            raise OptionError(
                f"export: --{name} is an option of --to {owner}, not of --to {to}. Leave it out."
            )
    source, model = model_file(path), load(path)
    if out is None:
        out = source.with_suffix(kind.file) if kind.file.startswith(".") else source.with_name(kind.file)
    dtype = dtype_of(model, given.get("dtype"), "export", is_page=to == "html")
    beside = None
    if to == "script":
        from pellucid.formats.script.export import weights_beside

        beside = weights_beside(model, out, given.get("weights", "auto"), dtype)
    samples: Any = () if to == "onnx" and dtype == "float32" else samples_of(model, path)
    if to != "script":
        samples = _as_array(model, samples)
    module, _, name = kind.writer.partition(":")
    write = getattr(importlib.import_module(module), name)
    difference = write(model, out, samples=samples, overwrite=overwrite, **given)
    note = "" if difference is not None else "no browser found that runs"
    return Exported(out, difference, note, dtype, beside)


def samples_of(model: Model, path: Path) -> Sequence[Path] | Array:
    """Return some samples of the data that a run names, those that can be read; none where it names none."""
    try:
        source = find_source(model, path)
        if source is None or not _is_here(source):
            return ()
        kind, root = kind_of_samples(model), source.path
        if source.kind == "folder" and kind == PHOTO:
            files = [file for listing in list_folder(root)[0] for file in listing.files]
            some = files[:: max(1, len(files) // N_SAMPLES)][:N_SAMPLES]
            return [file for file in some if _is_readable(file, model)]
        if source.kind == "table" and kind == TABLE:
            model._schema.encode(root, with_target=False)
            return [root] if root.stat().st_size <= MOST_BYTES else ()
        X = np.asarray(source.load().test.X[:N_SAMPLES])
        return X if X.shape[1:] == model.input_shape else ()
    except (PellucidError, OSError):  # the data are gone, or others by now
        return ()


def _is_here(source: DataSource) -> bool:
    """Return whether data can be read without a download."""
    if source.name not in REMOTES:
        return not is_gone(source)
    places = [os.environ.get("PELLUCID_DATA_DIR", ""), _cache()]
    return any(all((Path(place) / file).is_file() for file in REMOTES[source.name].files) for place in places)


def _cache() -> str:
    """Return the folder of data sets that were downloaded."""
    import pooch

    return str(pooch.os_cache("pellucid"))


def _read(file: Path, model: Model) -> Array:
    return read_sample(file, model.input_shape, white_seen(model.inputs_seen))


def _is_readable(file: Path, model: Model) -> bool:
    try:
        _read(file, model)
    except PellucidError:
        return False
    return True
