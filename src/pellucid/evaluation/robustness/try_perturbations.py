"""The accuracy of a model on photos that were changed on purpose, against the strength of the change."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pellucid import dispatch
from pellucid.data.coerce import as_dataset
from pellucid.data.copies.pixels import has_colour
from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, ShapeError
from pellucid.evaluation.robustness.curves import PerturbationCurve, Robustness, StrengthRow
from pellucid.evaluation.robustness.perturbations import Perturbation, check_photos, choose_perturbations
from pellucid.nn.model import Model, check_trained
from pellucid.prediction.predict import Predictions, predict
from pellucid.progress import CountCallback
from pellucid.registry import validate_call
from pellucid.rng import stream
from pellucid.stats.intervals import wilson_interval
from pellucid.stats.paired import mcnemar
from pellucid.types import Array, is_image_shape

PIECE = 1024  # photos changed at a time, so that a large set needs no large buffers
OPERATIONS_PER_VALUE = 100  # that changing a photo takes


@validate_call("model", "seed")
def robustness(
    model: Model,
    data: Dataset | tuple[Any, Any],
    *,
    perturbations: Iterable[str] | None = None,
    strengths: Mapping[str, Iterable[float]] | None = None,
    seed: int = 1,
    predictions: Predictions | None = None,
    progress: CountCallback | None = None,
) -> Robustness:
    """Return a classifier's accuracy on photos that are rotated, recoloured, darkened, covered and so on.

    Parameters
    ----------
    model : Model
        A trained classifier of photos.
    data : Dataset or (X, y)
        Photos of bytes, X of shape (m, h, w, c) or (m, h, w), that the model was not trained on. Classes are
        matched by their names.
    perturbations : iterable of str, optional
        Names out of ``PERTURBATIONS``; default: all.
    strengths : mapping of str to numbers, optional
        Strengths to measure, by a perturbation's name and in its unit; default: the usual ones. 0, the photos as
        they are, is always measured.
    seed : int, optional
        For the direction of a rotation, the place of an occlusion, and so on: the same at every strength.
    predictions : Predictions, optional
        Of the unchanged photos, where they are known already.
    progress : callable, optional
        Called with the number of rounds done and their number: a round is one strength.

    Returns
    -------
    Robustness

    Raises
    ------
    ShapeError, DataError
        If the data are no photos of bytes, or of another size than the model's, or empty, or have classes that
        the model does not know.
    PellucidError
        If the model is not trained.
    OptionError
        If the model is no classifier, or a name or strength is not known, or nothing is left to measure.

    Notes
    -----
    One prediction of the whole data for each strength.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("logistic")
    >>> model.initialize((8, 8, 3))
    >>> photos = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    >>> result = robustness(model, Dataset(photos, np.arange(20) % 2), perturbations=["rotation"])
    >>> [row.label for row in result.curves[0].rows]
    ['0°', '5°', '10°', '20°', '30°', '60°', '90°']
    >>> result.curves[0].rows[0].n_correct == result.n_correct
    True
    """
    check_model(model)
    data = as_dataset(data, "robustness", part="test")
    chosen = choose_perturbations(perturbations, strengths)
    check_photos("robustness", data.X)
    found = predict(model, data) if predictions is None else predictions
    clean, is_right = found.confusion, found.is_correct
    left_out = (
        {} if has_colour(data.X) else {p.name: f"the {data.noun}s are grey" for p in chosen if p.needs_colour}
    )
    chosen = {p: measured for p, measured in chosen.items() if p.name not in left_out}
    if not chosen:
        raise OptionError(
            f"robustness: nothing is left to measure: {', '.join(left_out)} needs colour, and the photos are grey. "
            "Choose another perturbation."
        )
    n_rounds, n_done = sum(map(len, chosen.values())), 0
    curves = []
    with dispatch.use_for(
        float(n_rounds) * len(data) * (model._n_operations + OPERATIONS_PER_VALUE * data.X[0].size)
    ):
        for perturbation, measured in chosen.items():
            rows = [_row(perturbation, 0.0, is_right, is_right)]
            for strength in measured:
                answers = []
                for number, start in enumerate(range(0, len(data), PIECE)):
                    rng = _stream(perturbation, seed, number)
                    answers.append(model.predict(perturbation(data.X[start : start + PIECE], strength, rng)))
                right_now = np.concatenate(answers) == found.y_true
                rows.append(_row(perturbation, strength, is_right, right_now))
                n_done += 1
                if progress is not None:
                    progress(n_done, n_rounds)
            curves.append(PerturbationCurve(perturbation, tuple(rows), round(clean.baseline * len(data))))
    return Robustness(
        n=len(data),
        n_correct=int(is_right.sum()),
        baseline=clean.baseline,
        most_common=clean.majority_class,
        curves=tuple(curves),
        left_out=left_out,
        seed=seed,
        noun=data.noun,
    )


def typical_photo(predictions: Predictions) -> int:
    """Return the correctly classified photo of median probability.

    The first one where none is correct, and the first correct one where the model gives no probabilities.
    """
    right = np.flatnonzero(predictions.is_correct)
    if not len(right):
        return 0
    if not predictions.has_probabilities:
        return int(right[0])
    order = np.argsort(predictions.confidences[right], kind="stable")
    return int(right[order[(len(right) - 1) // 2]])


def change_photo(image: Array, perturbation: Perturbation, strength: float, seed: int, row: int = 0) -> Array:
    """Return a photo as `robustness` changes it where it stands at that row of the data, uint8 of its shape.

    Examples
    --------
    >>> from pellucid.evaluation.robustness.perturbations import PERTURBATIONS
    >>> photo = np.zeros((4, 4, 3), np.uint8)
    >>> bool((change_photo(photo, PERTURBATIONS["mirror"], 1, 0, row=7) == photo).all())
    True
    """
    piece, at = divmod(row, PIECE)
    images = np.broadcast_to(image, (at + 1, *image.shape))  # the random draws of those before it, too
    return perturbation(images, strength, _stream(perturbation, seed, piece))[at]


def _stream(perturbation: Perturbation, seed: int, piece: int) -> np.random.Generator:
    """Return the random numbers of the changes to a piece of the data."""
    return stream(seed, f"perturbation {perturbation.name}", piece)


def check_model(model: Model) -> None:
    """Raise PellucidError, OptionError or ShapeError unless this is a trained classifier of photos."""
    check_trained("robustness", model)
    if model._loss.kind != "classification":
        raise OptionError(
            f"robustness: expected a classifier, got a model trained on {model.loss}. "
            "Correct predictions are counted here; a regression has errors instead."
        )
    shape: Any = model.input_shape  # of several inputs, a dictionary
    if not is_image_shape(shape) or shape[2:] == (4,):
        raise ShapeError(
            f"robustness: expected a model of photos, (height, width, 3) or grey, got one that takes {shape}. "
            "Only photos can be rotated, darkened or covered."
        )


def _row(perturbation: Perturbation, strength: float, is_right: Array, right_now: Array) -> StrengthRow:
    n_correct, n = int(right_now.sum()), len(right_now)
    low, high = wilson_interval(n_correct, n)
    return StrengthRow(
        strength=strength,
        label=perturbation.label(strength),
        n_correct=n_correct,
        n=n,
        accuracy=n_correct / n,
        low=low,
        high=high,
        n_lost=int((is_right & ~right_now).sum()),
        n_gained=int((right_now & ~is_right).sum()),
        p_value=mcnemar(is_right, right_now).p_value,
    )
