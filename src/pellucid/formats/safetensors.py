"""Model files: safetensors, whose header holds all that prediction needs; docs/model-format.md has every byte."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.input_spec import seen_from_config, seen_to_config
from pellucid.data.novelty import NoveltyTest, n_looks
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import FormatError, OutputError, PellucidError
from pellucid.nn.model import Model, check_classes, check_trained
from pellucid.nn.rebuild import check_savable, description, named_arrays, rebuild, unregistered
from pellucid.registry import check_option, validate_call
from pellucid.tensors import read_tensors, write_tensors
from pellucid.text import printable
from pellucid.types import Array

FORMAT_VERSION = 1
SUFFIX = ".safetensors"
_KEY = "pellucid"
NOVELTY = ("novelty.looks", "novelty.features")  # arrays of no layer: see :class:`.NoveltyTest`
_MAKE_ONE = "`pellucid train` or `pellucid run` makes one."


@validate_call("model", "path")
def save(model: Model, path: str | Path) -> None:
    """Write a model to a file, whole or not at all.

    Parameters
    ----------
    model : Model
        Initialized.
    path : str or Path
        Ending in ``.safetensors``.

    Raises
    ------
    PellucidError
        If the model has no parameters yet, another model has taken them, or another thread trains it.
    OutputError
        If the name ends otherwise, or the file cannot be written; what was there before is kept.

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
    suffix = Path(path).suffix
    if suffix not in ("", SUFFIX):
        raise OutputError(
            f"save: expected a name that ends in {SUFFIX}, the format of model files, got "
            f"{printable(Path(path).name)!r}. Try {printable(Path(path).with_suffix(SUFFIX).name)!r}."
        )
    check_trained("save", model)
    with model._run_lock:
        model._check_parameters()
        check_savable(model)
        write_tensors(path, _KEY, header_of(model), named_arrays(model) | novelty_arrays(model))


def header_of(model: Model) -> dict[str, Any]:
    """Return all of a model but its arrays, JSON-serializable: what a file has in its header."""
    return {
        "format_version": FORMAT_VERSION,
        **description(model),
        "preprocessing": None if model.preprocessing is None else model.preprocessing.to_config(),
        "inputs": seen_to_config(model.inputs_seen),
        "schema": None if model._schema is None else model._schema.to_config(),
        "classes": list(model.classes),
        "training": model._summary_of_training,
    }


def model_of(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> Model:
    """Return the model of a header and its arrays; an error of many kinds where they describe none."""
    model = rebuild(header, {name: array for name, array in arrays.items() if name not in NOVELTY})
    rule, schema = header["preprocessing"], header["schema"]
    model.preprocessing = None if rule is None else Preprocessing.from_config(rule)
    model.inputs_seen = seen_from_config(header.get("inputs"))
    if schema is not None:
        from pellucid.data.readers.table_schema import TableSchema

        model._schema = TableSchema.from_config(schema)
    model.classes = check_option("model file", "classes", header["classes"], tuple[str, ...])
    check_classes(model, model.classes)
    model._summary_of_training = _training_of(header["training"])
    model._n_body = n = model._summary_of_training.get("body", {}).get("n_layers", 0)
    if type(n) is not int or not 0 <= n < len(model._places):
        raise FormatError(f"its body has {n!r} layers of {len(model._places)}")
    model._novelty = _novelty_of(model, {name: arrays[name] for name in NOVELTY if name in arrays})
    return model


@validate_call("path", "allow_nonfinite")
def load(path: str | Path, *, allow_nonfinite: bool = False) -> Model:
    """Return the model of a file that :func:`save` wrote.

    Parameters
    ----------
    path : str or Path
        The file, or a run folder that holds ``model.safetensors``; of a ``.toml`` file the network that it
        describes, not yet initialized, without its [training].
    allow_nonfinite : bool, optional
        Whether to load a model with NaN or infinite numbers in its arrays, to look at it: it predicts NaN.

    Raises
    ------
    FormatError
        If there is no such file, it is truncated, is not a file of pellucid, has a later format version, or holds
        arrays of another dtype or with NaN or infinite numbers.
    """
    if Path(path).suffix.lower() == ".toml":
        from pellucid.formats.architecture import load_architecture

        return load_architecture(path).model
    path = model_file(Path(path))
    header, arrays = read_tensors(path, _KEY, kind="model file", advice=_how_to_get_one(path))
    version = header.get("format_version")
    if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
        raise FormatError(
            f"{path}: expected model format {FORMAT_VERSION} or earlier, got {version}. "
            "It was written by a later pellucid; update with: pip install -U pellucid"
        )
    floats = ((name, array) for name, array in arrays.items() if array.dtype.kind == "f")
    broken = next((name for name, array in floats if not np.isfinite(array).all()), None)
    if broken is not None and not allow_nonfinite:
        raise FormatError(
            f"{path}: {broken!r} holds NaN or infinite numbers, so that the model cannot predict. Train it again; "
            "to look at it as it is, load it with allow_nonfinite=True."
        )
    try:
        missing = unregistered(header)
    except RecursionError:
        missing = ""
    if missing:
        raise FormatError(
            f"{path}: it has {missing}, which is not registered here. Import the module that registers it first, "
            "or update pellucid if it came with a later version."
        )
    try:
        return model_of(header, arrays)
    except FormatError as error:
        raise FormatError(f"{path}: {error}. The file is damaged; save the model again.") from None
    except (PellucidError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FormatError(
            f"{path}: its header does not describe a model ({error}). Save the model again."
        ) from None


def _how_to_get_one(path: Path) -> str:
    """Return where a model file comes from, for whoever named something else."""
    if path.suffix.lower() == SUFFIX:
        return _MAKE_ONE
    from pellucid.data.source import PICTURES
    from pellucid.nn.presets import PRESETS

    if path.name in PRESETS:
        return f"{path.name} is a preset, not a trained model: `pellucid train DATA --model {path.name}` makes one."
    if path.suffix.lower() == ".onnx":
        return f"`pellucid import {path.name}` makes a model file of it."
    if path.suffix.lower() in PICTURES:
        return "It is a picture: the model comes first, as in `pellucid predict MODEL IMAGE`."
    return _MAKE_ONE


def model_file(path: Path) -> Path:
    """Return a model's file where a run folder is named, else what is named."""
    return path / "model.safetensors" if path.is_dir() else path


def novelty_arrays(model: Model) -> dict[str, Array]:
    """Return what a model with a pretrained body keeps of its training photos, by which others are judged."""
    test = model._novelty
    if test is None or test.features is None:
        return {}
    return dict(zip(NOVELTY, (test.looks, test.features), strict=True))


def _novelty_of(model: Model, arrays: Mapping[str, Array]) -> NoveltyTest | None:
    if not arrays:
        return None
    shapes = {name: (array.dtype.str, *array.shape[1:]) for name, array in arrays.items()}
    wide = model._places[model._n_body].input_shape
    if shapes != dict(zip(NOVELTY, (("<f8", n_looks(model.input_shape[-1])), ("<f2", *wide)), strict=True)):
        raise FormatError("what it keeps of its training photos does not fit its body")
    looks, features = (arrays[name] for name in NOVELTY)
    if not 2 <= len(looks) == len(features):
        raise FormatError(f"it keeps {len(looks)} and {len(features)} of its training photos")
    return NoveltyTest(model.input_shape, looks, features)


def _training_of(summary: Any) -> dict[str, Any]:
    """Return what is recorded of the training; OptionError where what others read of it is of another kind."""
    recorded: dict[str, Any] = check_option("model file", "training", summary, dict[str, Any])
    kinds = {
        "options": dict[str, Any],
        "reading": dict[str, Any],
        "body": dict[str, Any],
        "data_sha256": str,
        "class_counts": list[int],
    }
    for key, kind in kinds.items():
        if key in recorded:
            check_option("model file", f"training.{key}", recorded[key], kind)
    return recorded
