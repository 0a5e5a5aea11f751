"""Model files: safetensors, whose header carries one JSON text with all that prediction needs."""

import json
from pathlib import Path
from typing import Any

from pellucid.data.preprocess import Preprocessing
from pellucid.data.readers.table_schema import TableSchema
from pellucid.errors import FormatError, PellucidError
from pellucid.files import write_atomically
from pellucid.nn.model import Model, model_from_config
from pellucid.types import Array

FORMAT_VERSION = 1
_KEY = "pellucid"


def save(model: Model, path: str | Path) -> None:
    """Write a model to a file, whole or not at all.

    Parameters
    ----------
    model : Model
        Initialized.
    path : str or Path
        ``.safetensors`` by custom.

    Raises
    ------
    PellucidError
        If the model has no parameters yet.
    OutputError
        If the file cannot be written; what was there before is kept.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((4,))
    >>> path = Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> save(model, path)
    >>> bool((load(path).theta == model.theta).all())
    True
    """
    from safetensors.numpy import save as to_bytes

    if not model.is_initialized:
        raise PellucidError("save: the model has no parameters yet. Train it first.")
    header = {
        "format_version": FORMAT_VERSION,
        "architecture": model.config(),
        "dtype": model.dtype,
        "input_shape": model.input_shape,
        "loss": model.loss,
        "loss_options": model.loss_options,
        "preprocessing": None if model.preprocessing is None else model.preprocessing.to_config(),
        "schema": None if model.schema is None else model.schema.to_config(),
        "classes": list(model.classes),
        "training": model.summary_of_training,
    }
    write_atomically(path, to_bytes(dict(_arrays(model)), {_KEY: json.dumps(header)}))


def load(path: str | Path) -> Model:
    """Return the model of a file that :func:`save` wrote.

    Parameters
    ----------
    path : str or Path
        The file, or a run folder that holds ``model.safetensors``.

    Raises
    ------
    FormatError
        If there is no such file, it is cut off, is not ours, or is of a later format version.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "model.safetensors"
    header, arrays = _read(path)
    version = header.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise FormatError(
            f"{path}: expected model format {FORMAT_VERSION} or earlier, got {version}. "
            "It was written by a later pellucid; update with: pip install -U pellucid"
        )
    try:
        model = model_from_config(header["architecture"], dtype=header["dtype"])
        model.initialize(_as_shape(header["input_shape"]))
        model.set_loss(header["loss"], **header["loss_options"])
        rule = header["preprocessing"]
        model.preprocessing = None if rule is None else Preprocessing.from_config(rule)
        schema = header["schema"]
        model.schema = None if schema is None else TableSchema.from_config(schema)
        model.classes = tuple(header["classes"])
        model.summary_of_training = header["training"]
    except (PellucidError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(
            f"{path}: its header does not describe a model ({error}). Save the model again."
        ) from None
    wanted = dict(_arrays(model))
    given = {name: array.shape for name, array in arrays.items()}
    if given != {name: array.shape for name, array in wanted.items()}:
        raise FormatError(
            f"{path}: its arrays do not fit its own header. The file is damaged; save the model again."
        )
    for name, array in wanted.items():
        array[...] = arrays[name]
    return model


def _arrays(model: Model) -> list[tuple[str, Array]]:
    """Return every array that is kept, by the name that it has in the file: parameters, and running statistics."""
    return [
        (f"{leaf.name}.{key}", array)
        for leaf in model.leaves()
        for key, array in (*leaf.params.items(), *leaf.state.items())
    ]


def _as_shape(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {name: tuple(part) for name, part in shape.items()}
    return tuple(shape)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FormatError(
            f"{path}: there is no such model file. `pellucid train` or `pellucid run` makes one."
        )
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(_KEY)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
    except (SafetensorError, OSError) as error:
        raise FormatError(
            f"{path}: not a whole safetensors file ({error}). It is cut off or of another kind."
        ) from None
    if text is None:
        raise FormatError(
            f"{path}: a safetensors file, but not one of pellucid's: its header has no {_KEY!r} entry."
        )
    try:
        header = json.loads(text)
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise FormatError(f"{path}: its header is not JSON. The file is damaged; save the model again.")
    return header, arrays
