"""Grad-CAM: where the last convolution's feature maps speak for a class."""

import numpy as np

from pellucid.evaluation.saliency.maps import Attribution
from pellucid.evaluation.saliency.scoring import Scorer
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.conv import Conv2D
from pellucid.nn.graph import Graph
from pellucid.nn.hooks import record
from pellucid.nn.layer import Layer
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm, LayerNorm
from pellucid.nn.sequential import Sequential
from pellucid.types import Array

NO_CONVOLUTION = (
    "Grad-CAM looks at the feature maps of the last convolution, and this network has none: its first layer sees "
    "all pixels at once, so no place in it is a place in the picture."
)
IN_PLACE = (Activation, BatchNorm, Dropout, LayerNorm)  # they change numbers, not where these are


def feature_layer(model: Model) -> Layer | None:
    """Return the layer whose output are the last convolution's feature maps, activated; None without one.

    Behind the last convolution, or the residual or parallel block that holds it, normalization and activation
    belong to it. A block whose output is no picture any more is looked into.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("cnn")
    >>> model.initialize((64, 64, 3))
    >>> feature_layer(model).name, feature_layer(model).output_shape
    ('activation_4', (8, 8, 96))
    """
    chain = _chain(model)
    has_one = [any(isinstance(leaf, Conv2D) for leaf in layer._leaves()) for layer in chain]
    if not any(has_one):
        return None
    last = len(chain) - 1 - has_one[::-1].index(True)
    found = chain[last]
    if len(found.output_shape) != 3 and isinstance(found, Model):
        return feature_layer(found)
    if isinstance(model, Graph):
        return _behind_in_graph(model, found)
    for layer in chain[last + 1 :]:
        if not isinstance(layer, IN_PLACE):
            break
        found = layer
    return found


def _chain(model: Model) -> list[Layer]:
    """Return a structure's parts in order, those of nested sequences one by one."""
    parts: list[Layer] = []
    for place in model._places:
        parts += _chain(place) if isinstance(place, Sequential) else [place]
    return parts


def _behind_in_graph(graph: Graph, found: Layer) -> Layer:
    """Return the last of the nodes that only normalize or activate the output of the found layer."""
    name = next(name for name, step, _ in graph.steps if isinstance(step, Layer) and _holds(step, found))
    while True:
        users = [(user, step) for user, step, sources in graph.steps if name in sources]
        user, step = users[0] if len(users) == 1 else ("", None)
        if not isinstance(step, IN_PLACE):
            return found
        name, found = user, step


def _holds(layer: Layer, wanted: Layer) -> bool:
    return layer is wanted or (
        isinstance(layer, Model) and any(_holds(place, wanted) for place in layer._places)
    )


def grad_cam(scorer: Scorer, x: Array) -> Attribution:
    """Return where the last convolution's feature maps speak for the class, enlarged to the photo.

    Parameters
    ----------
    scorer : Scorer
    x : Array, shape (h, w, c) or (h, w)
        A prepared image.

    Returns
    -------
    Attribution
        ``values`` (h, w, 1) is the weighted sum of the maps, enlarged bilinearly; ``heat`` what of it is above 0.
        Both None for a network without a convolution, and the note says so.

    Notes
    -----
    Selvaraju et al., 2017, "Grad-CAM", equations 1 and 2: each map's weight is the mean of the score's gradient
    over it, ``heat = relu(sum over k of weight_k A_k)``. One forward and one backward pass.
    """
    layer = feature_layer(scorer.model)
    if layer is None:
        return Attribution(None, None, False, NO_CONVOLUTION)
    with record(layer) as watch:
        scorer.gradients(x[None])
    assert watch.output is not None
    A = watch.output[0]
    weights = np.zeros(A.shape[2]) if watch.gradient is None else watch.gradient[0].mean(axis=(0, 1))
    cam = A @ weights
    h, w = A.shape[:2]
    where = f"Where the {A.shape[2]} feature maps of the last convolution ({h} × {w} places, enlarged)"
    note = f"{where} speak for it." if (cam > 0).any() else f"{where} speak for it: nowhere."
    return Attribution(
        enlarged(cam, x.shape[:2])[..., None], enlarged(np.maximum(cam, 0), x.shape[:2]), False, note
    )


def enlarged(plane: Array, size: tuple[int, ...]) -> Array:
    """Return a plane of numbers at another size, (height, width), interpolated linearly between their centres.

    Examples
    --------
    >>> enlarged(np.array([[0.0, 1.0]]), (1, 4))
    array([[0.  , 0.25, 0.75, 1.  ]])
    """
    from scipy.ndimage import zoom

    factors = [wanted / n for wanted, n in zip(size, plane.shape, strict=True)]
    return np.asarray(zoom(plane, factors, order=1, mode="nearest", grid_mode=True))
