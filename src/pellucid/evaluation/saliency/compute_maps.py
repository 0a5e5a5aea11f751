"""Which pixels a prediction depends on: several maps of one photo, each checked against untrained networks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pellucid.errors import OptionError, unknown_name
from pellucid.evaluation.saliency.grad_cam import grad_cam
from pellucid.evaluation.saliency.maps import Attribution, SaliencyMap, SaliencyMaps
from pellucid.evaluation.saliency.methods import (
    gradient_x_input,
    integrated_gradients,
    occlusion,
    plain_gradient,
    smooth_grad,
)
from pellucid.evaluation.saliency.sanity import MapToCheck, check_maps
from pellucid.evaluation.saliency.scoring import Scorer, Target, prepared_image, read_photo, target_of
from pellucid.nn.by_name import ModelLike, as_model
from pellucid.nn.model import Model
from pellucid.registry import validate_call
from pellucid.types import Array


class Method(NamedTuple):
    """What figures call it, how it is done, and how many untrained networks its map is compared with."""

    title: str
    run: Callable[[Scorer, Array], Attribution]
    n_draws: int  # many where a map costs little
    n_passes: int  # of a map, about, in forward passes: a gradient takes three


MOST_OPERATIONS = 1.8e11  # of the maps of untrained networks by one method
METHODS: dict[str, Method] = {
    "gradient": Method("Input gradient", plain_gradient, 8, 3),
    "gradient_x_input": Method("Gradient × input", gradient_x_input, 8, 3),
    "smoothgrad": Method("SmoothGrad", smooth_grad, 2, 75),
    "integrated_gradients": Method("Integrated gradients", integrated_gradients, 2, 300),
    "grad_cam": Method("Grad-CAM", grad_cam, 8, 3),
    "occlusion": Method("Occlusion", occlusion, 2, 225),
}


@validate_call("target", "methods", "sanity_check", "n_draws", "seed")
def saliency(
    model: ModelLike,
    image: str | Path | bytes | Array,
    *,
    target: int | str | None = None,
    methods: Sequence[str] = tuple(METHODS),
    sanity_check: bool = True,
    n_draws: int | None = None,
    seed: int = 1,
) -> SaliencyMaps:
    """Return maps of the pixels that a model's prediction for one photo depends on.

    What is explained is the logit of a class; where one logit tells two classes apart, it or its negative.

    Parameters
    ----------
    model : Model, str or Path
        Initialized, of one image input and outputs of shape (n_out,). Its ``grad`` is overwritten.
    image : str, Path, bytes or Array
        An array of shape input_shape as the data has them: uint8 (h, w, c) or (h, w), or floats that were
        prepared; or the file of a photo of any size, or its content.
    target : int or str, optional
        The class; default: the predicted one.
    methods : sequence of str, optional
        Of ``gradient``, ``gradient_x_input``, ``smoothgrad``, ``integrated_gradients``, ``grad_cam``,
        ``occlusion``; default: all.
    sanity_check : bool, optional
        False leaves the check against untrained networks out, and with it most of the time.
    n_draws : int, optional
        How many untrained networks each map is compared with; default: 8, or 2 where a map is much work.
    seed : int, optional
        Random seed of those networks.

    Returns
    -------
    SaliencyMaps
        A mapping from the methods' names, in the order asked for. A method that does not apply (Grad-CAM
        without a convolution) is there, and its note says why.

    Raises
    ------
    OptionError
        If a method or the class is not known; the nearest is named.
    ShapeError
        If the model does not take one image, or this one does not fit it.
    DataError
        If the file cannot be read, or it is neither a file nor an array.

    Notes
    -----
    For each network: 1 gradient for each of three methods, 25 for SmoothGrad, 9 to 300 for integrated gradients,
    and some 225 forward passes for occlusion.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> maps = saliency(model, np.full((8, 8, 3), 0.5), methods=["gradient", "grad_cam"])
    >>> maps["gradient"].heat.shape, maps["grad_cam"].heat is None
    ((8, 8), True)
    """
    check_methods(methods)
    model = as_model(model, "saliency")
    if not isinstance(image, np.ndarray):
        _, image = read_photo("saliency", model, image)
    x = prepared_image(model, image)
    chosen = target_of(model, model._raw_outputs(x[None])[0], target)
    one = ImageToExplain(image, x, chosen)
    checked = methods if sanity_check else ()
    return maps_of(model, [one], methods, checked=checked, n_draws=n_draws, seed=seed)[0]


class ImageToExplain(NamedTuple):
    """An image as the data have it, as the model takes it, and what is to be explained of it."""

    image: Array
    prepared: Array
    target: Target


def maps_of(
    model: Model,
    images: Sequence[ImageToExplain],
    methods: Sequence[str] = tuple(METHODS),
    *,
    checked: Sequence[str] = tuple(METHODS),
    n_draws: int | None = None,
    seed: int = 1,
) -> list[SaliencyMaps]:
    """Return what :func:`saliency` returns for each image; untrained networks are drawn once for all.

    ``checked`` are the methods whose maps are compared with those of untrained networks.
    """
    scorers = [Scorer(model, one.target.weights) for one in images]
    made = [
        (i, name, METHODS[name].run(scorers[i], one.prepared))
        for i, one in enumerate(images)
        for name in methods
    ]
    to_check = [
        MapToCheck(
            scorers[i], images[i].prepared, METHODS[name].run, one.heat, n_draws or METHODS[name].n_draws
        )
        for i, name, one in made
        if name in checked and one.heat is not None
    ]
    checks = iter(check_maps(model, to_check, seed=seed))
    found = [SaliencyMaps(one.image, one.target.name, {}) for one in images]
    for i, name, one in made:
        found[i].maps[name] = SaliencyMap(
            **vars(one),
            method=name,
            title=METHODS[name].title,
            target=images[i].target.name,
            sanity=next(checks) if name in checked and one.heat is not None else None,
        )
    return found


def saliency_of_samples(model: Model, X: Array, targets: Sequence[int]) -> list[SaliencyMaps]:
    """Return the maps of several images for a class each, as :func:`saliency` does those of one.

    Parameters
    ----------
    model : Model
    X : Array, shape (m, *input_shape)
        As the data have them.
    targets : sequence of int
    """
    outputs = np.zeros(model.output_shape)
    return maps_of(
        model,
        [
            ImageToExplain(x, prepared_image(model, x), target_of(model, outputs, target))
            for x, target in zip(X, targets, strict=True)
        ],
        checked=affordable(model, list(METHODS)),
    )


def affordable(model: Model, methods: Sequence[str]) -> list[str]:
    """Return the methods whose maps of untrained networks take some seconds at most.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("cnn-small")
    >>> model.initialize((64, 64, 3))
    >>> len(affordable(model, list(METHODS))) == len(METHODS)
    True
    """
    n_passes = {name: METHODS[name].n_draws * METHODS[name].n_passes for name in methods}
    return [name for name, n in n_passes.items() if n * model._n_operations <= MOST_OPERATIONS]


def check_methods(methods: Sequence[str]) -> None:
    """Raise OptionError unless these are names of methods; the nearest is named."""
    for name in methods:
        if name not in METHODS:
            raise OptionError(f"saliency: {unknown_name('method', name, METHODS)}")
    if not methods:
        raise OptionError(f"saliency: expected at least one method, got none. Known: {', '.join(METHODS)}.")
