"""What a file stores of a network, and the network rebuilt from it."""

from collections.abc import Iterator, Mapping
from typing import Any

from pellucid.errors import FormatError, OptionError
from pellucid.nn.freezing import frozen_names, mark_frozen
from pellucid.nn.layer import LAYERS
from pellucid.nn.model import Model, model_from_config
from pellucid.ops.losses.base import LOSSES
from pellucid.text import shown
from pellucid.types import Array, map_arrays


def description(model: Model) -> dict[str, Any]:
    """Return what rebuilds the same network with the same loss, without its arrays, JSON-serializable."""
    described = {
        "architecture": model.config(),
        "dtype": model.dtype,
        "input_shape": model.input_shape,
        "loss": model.loss_config,
    }
    frozen = frozen_names(model)
    return {**described, "frozen": frozen} if frozen else described


def named_arrays(model: Model) -> dict[str, Array]:
    """Return every array that is stored, by name, such as "dense_1.W": parameters, and running statistics."""
    return {
        f"{leaf.name}.{key}": array
        for leaf in model._leaves()
        for key, array in (*leaf.params.items(), *leaf.state.items())
    }


def rebuild(described: Mapping[str, Any], arrays: Mapping[str, Array]) -> Model:
    """Return the network of a description, with these values in its arrays.

    Parameters
    ----------
    described : mapping
        What :func:`description` returned.
    arrays : mapping of str to Array
        What :func:`named_arrays` returned.

    Raises
    ------
    FormatError
        If it describes no model, or one with other arrays or dtypes. Nothing is allocated then.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((4,))
    >>> bool((rebuild(description(model), named_arrays(model)).theta == model.theta).all())
    True
    """
    try:
        model = model_from_config(described["architecture"], dtype=described["dtype"])
        model._lay_out(map_arrays(tuple, described["input_shape"]))
        model.set_loss(described["loss"])
    except Exception as error:  # of many kinds, for headers that are damaged
        raise FormatError(f"its header does not describe a model ({error})") from None
    _check_arrays({name: array.shape for name, array in named_arrays(model).items()}, arrays, model.dtype)
    for leaf in model._leaves():
        for kept in (leaf.params, leaf.state):
            kept.update({key: arrays[f"{leaf.name}.{key}"] for key in kept})
    mark_frozen(model, _as_names(described.get("frozen", []), model))  # which copies them into theta
    return model


def check_savable(model: Model) -> None:
    """Raise OptionError where the class of a layer or of the loss is not registered: no file can name it."""
    from pellucid.ops.losses.joint import Joint

    loss = model._loss
    kinds: list[type] = [type(place) for part in model._structures() for place in (part, *part.children())]
    kinds += [type(one) for one in (loss.losses.values() if isinstance(loss, Joint) else [loss])]
    unknown = sorted({kind.__name__ for kind in kinds if not vars(kind).get("_registered_as")})
    if unknown:
        raise OptionError(
            f"save: {unknown[0]} is not registered, so that its file could not be loaded. Write @pl.register above "
            "the class."
        )


def unregistered(described: Mapping[str, Any]) -> str:
    """Return the layer or loss of a description that is not registered, "" where there is none.

    Examples
    --------
    >>> unregistered({"architecture": {"type": "Sequential", "layers": [{"type": "Blur"}]}})
    "the layer 'Blur'"
    """
    for kind, table, part in (("layer", LAYERS, "architecture"), ("loss", LOSSES, "loss")):
        for name in _types(described.get(part)):
            if isinstance(name, str) and name not in table and name != "joint":
                return f"the {kind} {shown(name)}"
    return ""


def _types(described: Any) -> Iterator[Any]:
    """Yield every "type" of a nested description."""
    if isinstance(described, Mapping):
        if "type" in described:
            yield described["type"]
        described = list(described.values())
    if isinstance(described, list | tuple):
        for part in described:
            yield from _types(part)


def _check_arrays(wanted: Mapping[str, Any], arrays: Mapping[str, Array], dtype: str) -> None:
    if unequal := sorted(wanted.keys() ^ arrays.keys()):
        fault = "is missing" if unequal[0] in wanted else "belongs to no layer"
        raise FormatError(f"its arrays do not fit its own header: {unequal[0]!r} {fault}")
    for name, array in arrays.items():
        if array.shape != wanted[name]:
            raise FormatError(
                f"its arrays do not fit its own header: {name!r} has shape {array.shape}, expected {wanted[name]}"
            )
        if array.dtype != dtype:
            raise FormatError(f"its array {name!r} is of {array.dtype}, expected {dtype} as its header says")


def _as_names(frozen: Any, model: Model) -> list[str]:
    known = {leaf.name for leaf in model._leaves()}
    if not isinstance(frozen, list) or not known.issuperset(map(str, frozen)):
        raise FormatError(f"its frozen layers are {shown(frozen)}, and not all are layers of its own")
    return [str(name) for name in frozen]
