"""Which pixels a verdict hangs on: several maps of one photo, each checked against untrained networks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pellucid.errors import OptionError, unknown_name
from pellucid.evaluation.saliency.grad_cam import grad_cam
from pellucid.evaluation.saliency.gradients import gradient_x_input, plain_gradient, smooth_grad
from pellucid.evaluation.saliency.integrated import integrated_gradients
from pellucid.evaluation.saliency.occlusion import occlusion
from pellucid.evaluation.saliency.records import Attribution
from pellucid.evaluation.saliency.sanity import MapToCheck, SanityCheck, check_cascade, check_maps
from pellucid.evaluation.saliency.scoring import Scorer, prepared_image, target_of
from pellucid.nn.model import Model
from pellucid.types import Array


class Way(NamedTuple):
    """A method: what figures call it, how it is done, and how many untrained networks it is compared with."""

    title: str
    run: Callable[[Scorer, Array], Attribution]
    n_draws: int  # many where a map costs little


METHODS: dict[str, Way] = {
    "gradient": Way("Input gradient", plain_gradient, 8),
    "gradient_x_input": Way("Gradient × input", gradient_x_input, 8),
    "smoothgrad": Way("SmoothGrad", smooth_grad, 2),
    "integrated_gradients": Way("Integrated gradients", integrated_gradients, 2),
    "grad_cam": Way("Grad-CAM", grad_cam, 8),
    "occlusion": Way("Occlusion", occlusion, 2),
}
KINDS = ("full", "cascade")  # of the check


@dataclass(frozen=True, eq=False)
class SaliencyMap:
    """One method's map of one photo.

    Attributes
    ----------
    method : str
        A name of ``METHODS``.
    title : str
        The same, as a figure calls it.
    target : str
        The class that it is about.
    values : Array, shape (h, w, c), or None
        Signed, for prepared pixels: above 0 speaks for the class. c is 1 where colours are not told apart. None
        where the method does not apply to this network: the note says why.
    heat : Array, shape (h, w), or None
        One number a pixel.
    is_signed : bool
        Whether ``heat`` may be below 0.
    note : str
        How to read it, and what was measured.
    sanity : SanityCheck or None
        Whether the map depends on what was learned.
    completeness_error : float or None
        Of integrated gradients, relative.
    """

    method: str
    title: str
    target: str
    values: Array | None
    heat: Array | None
    is_signed: bool
    note: str
    sanity: SanityCheck | None = None
    completeness_error: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what was measured, without the pixels, as JSON can hold it."""
        check = self.sanity
        return {
            "method": self.method,
            "target": self.target,
            "applies": self.heat is not None,
            "note": self.note,
            "completeness_error": self.completeness_error,
            "sanity": None
            if check is None
            else {
                "rank_correlation": check.correlation,
                "rank_correlations": list(check.correlations),
                "verdict": check.verdict,
                "words": check.words,
            },
        }


def saliency_maps(
    model: Model,
    image: Array,
    target: int | str | None = None,
    methods: Sequence[str] = tuple(METHODS),
    *,
    has_sanity: bool = True,
    n_draws: int | None = None,
    seed: int = 0,
) -> dict[str, SaliencyMap]:
    """Return maps of which pixels a model's verdict on one photo hangs on.

    What is explained is the logit of a class; where one logit tells two classes apart, it or its negative.

    Parameters
    ----------
    model : Model
        Initialized, of one image input and outputs of shape (n_out,). Its ``grad`` is overwritten.
    image : Array, shape input_shape
        As the data has them: uint8 (h, w, c) or (h, w), or floats that were prepared.
    target : int or str, optional
        The class; default: the predicted one.
    methods : sequence of str, optional
        Of ``gradient``, ``gradient_x_input``, ``smoothgrad``, ``integrated_gradients``, ``grad_cam``,
        ``occlusion``; default: all.
    has_sanity : bool, optional
        False leaves the check against untrained networks out, and with it most of the time.
    n_draws : int, optional
        How many untrained networks each map is compared with; default: 8, or 2 where a map is much work.
    seed : int, optional
        Of those networks.

    Returns
    -------
    dict of str to SaliencyMap
        In the order asked for. A method that does not apply (Grad-CAM without a convolution) is there and says so.

    Raises
    ------
    OptionError
        If a method or the class is not known; the nearest is named.
    ShapeError
        If the model does not take one image, or this one does not fit it.

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
    >>> maps = saliency_maps(model, np.full((8, 8, 3), 0.5), methods=["gradient", "grad_cam"])
    >>> maps["gradient"].heat.shape, maps["grad_cam"].heat is None
    ((8, 8), True)
    """
    for name in methods:
        if name not in METHODS:
            raise OptionError(f"saliency: {unknown_name('method', name, METHODS)}")
    x = prepared_image(model, image)
    chosen = target_of(model, x, target)
    scorer = Scorer(model, chosen.weights)
    made = {name: METHODS[name].run(scorer, x) for name in methods}
    checks = {}
    if has_sanity:
        entries = {
            name: MapToCheck(METHODS[name].run, found.heat, n_draws or METHODS[name].n_draws)
            for name, found in made.items()
            if found.heat is not None
        }
        checks = check_maps(scorer, x, entries, seed=seed)
    return {
        name: SaliencyMap(
            method=name,
            title=METHODS[name].title,
            target=chosen.name,
            values=found.values,
            heat=found.heat,
            is_signed=found.is_signed,
            note=found.note,
            sanity=checks.get(name),
            completeness_error=found.completeness_error,
        )
        for name, found in made.items()
    }


def sanity_check(
    model: Model,
    image: Array,
    method: str,
    target: int | str | None = None,
    *,
    kind: str = "full",
    n_draws: int | None = None,
    seed: int = 0,
) -> SanityCheck:
    """Return whether one method's map of a photo depends on what the model has learned.

    Parameters
    ----------
    model, image, target
        As for :func:`saliency_maps`.
    method : str
    kind : {"full", "cascade"}, optional
        Compare with wholly untrained networks; or make the layers untrained one after another, from the output
        down, and compare after each.
    n_draws, seed : int, optional

    Raises
    ------
    OptionError
        If the method or kind is not known, or the method does not apply to this network.

    Notes
    -----
    Adebayo et al., 2018: see :func:`pellucid.evaluation.saliency.sanity.check_maps`.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> check = sanity_check(model, np.full((8, 8, 3), 0.5), "gradient", kind="cascade")
    >>> check.layers
    ('dense_4', 'dense_3', 'dense_2', 'dense_1')
    """
    if kind not in KINDS:
        raise OptionError(f"sanity check: {unknown_name('kind', kind, KINDS)}")
    found = saliency_maps(model, image, target, [method], has_sanity=False)[method]
    if found.heat is None:
        raise OptionError(f"sanity check: {found.note}")
    x = prepared_image(model, image)
    scorer = Scorer(model, target_of(model, x, target).weights)
    entry = MapToCheck(METHODS[method].run, found.heat, n_draws or METHODS[method].n_draws)
    if kind == "cascade":
        return check_cascade(scorer, x, entry, seed=seed)
    return check_maps(scorer, x, {method: entry}, seed=seed)[method]
