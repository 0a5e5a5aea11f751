"""Use cases: look at a network, and check its gradients."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.errors import FormatError, OptionError, PellucidError
from pellucid.formats.architecture import Architecture, load_architecture
from pellucid.nn.by_name import as_model
from pellucid.nn.gradient_check import GradientCheck, check_gradients
from pellucid.nn.model import Model
from pellucid.nn.presets import PRESETS
from pellucid.nn.summary import Summary, summarize
from pellucid.types import Shape

PHOTO = (64, 64, 3)  # the default for which a preset is shown
SMALL_PHOTO = (32, 32, 3)  # and checked for, which is slower


def show(source: str | Path | Model, input_shape: Shape | Mapping[str, Shape] | None = None) -> Summary:
    """Return a network as a table: layers, output shapes, parameters, operations and bytes.

    Parameters
    ----------
    source : str, Path or Model
        A preset, a TOML file, a model file or a run folder.
    input_shape : tuple of int, or mapping of str to tuple, optional
        Of one sample. Default: the file's; presets are shown for photos of 64 x 64 pixels.

    Raises
    ------
    OptionError
        If there is no such preset or file, or a model is of another input shape.
    FormatError
        If a file is not right, naming the line of a TOML file; a layer that does not fit is one of its faults.

    Examples
    --------
    >>> table = show("logistic")
    >>> table.n_params, [row.kind for row in table.rows]
    (12289, ['Flatten', 'Dense'])
    """
    model, architecture = _find(source)
    if model._is_initialized:
        if input_shape is not None and _plain(input_shape) != _plain(model.input_shape):
            raise OptionError(
                f"{source}: expected samples of shape {_plain(model.input_shape)}, as the model was trained, got "
                f"{_plain(input_shape)}. Leave the shape out."
            )
    elif architecture is not None:
        given = _plain(architecture.shape(input_shape))
        with architecture.naming_lines():
            model._lay_out(given)
    else:
        shape = input_shape or (PHOTO if source in PRESETS else model.input_shape)
        if not shape:
            raise OptionError("show: the shape of the input is not known. Give one, such as (64, 64, 3).")
        model._lay_out(_plain(shape))
    return summarize(model)


def check(
    source: str | Path | Model,
    input_shape: Shape | Mapping[str, Shape] | None = None,
    seed: int = 1,
) -> GradientCheck:
    """Compare the gradient of every parameter of a network with numerical ones.

    Parameters
    ----------
    source : str, Path or Model
        A preset, a TOML file, a model file or a run folder; its structure is checked at new random weights.
    input_shape : tuple of int, or mapping of str to tuple, optional
        Of one sample. Default: the file's; presets are checked for photos of 32 x 32 pixels.
    seed : int, optional

    Returns
    -------
    GradientCheck
        See :func:`pellucid.nn.gradient_check.check_gradients` for how it is done.

    Raises
    ------
    OptionError, FormatError
        As ``show``.

    Examples
    --------
    >>> check("two-layer", (2, 2, 3)).is_ok
    True
    """
    model, architecture = _find(source)
    options: dict[str, Any] = {"seed": seed}
    if architecture is None:
        default = SMALL_PHOTO if source in PRESETS else None
        return check_gradients(model, _plain(input_shape or default), **options)
    if "loss" in architecture.training:
        options["loss"] = architecture.training["loss"]
    shape = _plain(architecture.shape(input_shape))
    architecture.initialize(shape, seed=seed)  # a layer that does not fit is named with its line
    try:
        return check_gradients(model, shape, **options)
    except FormatError:
        raise
    except PellucidError as error:
        raise FormatError(f"{source}: {error}") from None


def _find(source: str | Path | Model) -> tuple[Model, Architecture | None]:
    if isinstance(source, Model) or not str(source).lower().endswith(".toml"):
        return as_model(source, "model"), None
    architecture = load_architecture(source)
    return architecture.model, architecture


def _plain(shape: Any) -> Any:
    """Return a shape, or several by name, as tuples."""
    if isinstance(shape, Mapping):
        return {name: tuple(one) for name, one in shape.items()}
    return None if shape is None else tuple(shape)
