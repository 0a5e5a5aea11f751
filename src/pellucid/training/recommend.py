"""Which preset suits a data set, and how to train it there: the rule behind ``--model auto``."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.coerce import as_dataset
from pellucid.data.copies.pixels import has_colour
from pellucid.data.dataset import Dataset, Split
from pellucid.data.stored.base import ends
from pellucid.errors import DataError
from pellucid.nn.presets import BODY_SIZE, PRETRAINED, n_outputs_for, preset
from pellucid.nn.pretrained.pretrained import is_there
from pellucid.registry import explain_call
from pellucid.text import by, plural
from pellucid.training.recipes import recipe
from pellucid.types import Shape

AUTO = "auto"  # in place of a preset's name
SMALLEST = 8  # pixels of the shorter side of a picture
NETWORKS = (  # the least such side, the network, and what it is called
    (128, "cnn-large", "a convolutional network that first halves them"),
    (32, "cnn", "a convolutional network"),
    (SMALLEST, "cnn-small", "a small convolutional network"),
)
# Multiplications and additions of one training at most: a minute and a half of compiled kernels on two cores.
MOST_OPERATIONS = 1.5e13
SMALL_TABLE = 1000  # rows: below it a smaller network, trained for less long, predicts better
SMALL_TABLE_STEPS = 500  # chosen on folds of five small tables
TABLE_STEPS, FEWEST_TABLE_EPOCHS = 1500, 5  # to aim at for a larger table, and what a very large one gets
SMALL_STEPS = 450  # at least, for small pictures: as many as digits take in 20 epochs
MOST_EPOCHS = 100  # where the number of steps decides
MOST_LOOKED_AT = 100  # photos, for whether they have colours
FIRST_EPOCHS = 12  # of drawn-cats: so few that nothing is compiled for them
MANY_EPOCHS = 60  # from which CutMix pays; with fewer a network does not memorize what it sees


@dataclass(frozen=True)
class Recommendation:
    """A preset and a recipe for a data set, with the reason.

    Attributes
    ----------
    model : str
        The name of a preset.
    recipe : dict
        Arguments of :func:`pellucid.training.fit.train`.
    reason : str
        Why, in a few words.
    """

    model: str
    recipe: dict[str, Any]
    reason: str

    def __str__(self) -> str:
        return f"{self.model}, {plural(self.recipe['n_epochs'], 'epoch')}: {self.reason}"


@explain_call
def recommend(data: Split | Dataset | tuple[Any, Any]) -> Recommendation:
    """Return the preset and the recipe that suit a data set; ``--model auto`` and ``ImageClassifier`` take them.

    Parameters
    ----------
    data : Split, Dataset or (X, y)
        Of a Split the training part decides.

    Returns
    -------
    Recommendation

    Raises
    ------
    DataError
        If the data has several inputs or outputs, for which there is no preset.

    Notes
    -----
    The first line that applies:

    ====================================================  ============  =========================================
    data                                                  preset        trained
    ====================================================  ============  =========================================
    "catvnoncat", the published photos                    mlp           as the tutorial does
    "drawn-cats", of the first command                    cnn           for 12 epochs: some seconds
    colour photos of a folder, read at 224 x 224, where   pretrained    its last layer alone
    the extra ``photos`` is installed
    pictures with a shorter side of 128 pixels or more    cnn-large     by its recipe
    of 32 or more                                         cnn           by its recipe
    of 8 or more                                          cnn-small     by its recipe, but 450 steps at least
    tables and all else, of under 1,000 rows              mlp-small     for about 500 steps
    of more                                               mlp-wide      for about 1,500 steps, 5 to 100 epochs
    ====================================================  ============  =========================================

    A recipe's epochs become fewer where the training would take more than 1.5e13 multiplications and additions, a
    minute and a half on two cores; below 60 epochs photos are not mixed (CutMix), and pictures with other than 1 or
    3 channels, or other floats than 0 to 1, are not augmented.

    Examples
    --------
    >>> from pellucid.data.source import load_data
    >>> print(recommend(load_data("digits")))
    cnn-small, 20 epochs: a small convolutional network for 1,437 grey pictures of 8 × 8
    """
    name = data.name if isinstance(data, Split) else ""
    part = data.train if isinstance(data, Split) else as_dataset(data, "recommend")
    if isinstance(part.X, dict) or isinstance(part.y, dict):
        raise DataError(
            "recommend: expected one array of inputs and one of targets, got several by name. Build a Graph: see "
            "examples/two_inputs.py."
        )
    m, shape = len(part), part.X.shape[1:]
    if name == "catvnoncat":
        return Recommendation("mlp", recipe("mlp"), "the tutorial's network for its photos")
    # Pictures have rows, columns and one to four channels, and enough of them for two poolings.
    if len(shape) != 3 or min(shape[:2]) < SMALLEST or not 1 <= shape[2] <= 4:
        return _for_table(m, shape)
    is_photo = part.files is not None and shape == (*BODY_SIZE, 3) and part.X.dtype == np.uint8
    if is_photo and is_there() and has_colour(part.X[:MOST_LOOKED_AT]):
        why = (
            f"what a network has learned from ImageNet, and a new last layer for {plural(m, 'colour photo')}"
        )
        return Recommendation(PRETRAINED, recipe(PRETRAINED), why)
    model, why = next((model, why) for side, model, why in NETWORKS if min(shape[:2]) >= side)
    chosen, quick = recipe(model), ""
    if name == "drawn-cats":
        chosen["n_epochs"], quick = FIRST_EPOCHS, ", with few epochs"
    else:
        if model == "cnn-small":
            chosen["n_epochs"] = max(chosen["n_epochs"], _epochs(SMALL_STEPS, m, chosen))
        chosen["n_epochs"] = min(chosen["n_epochs"], _affordable_epochs(model, m, shape, n_outputs_for(part)))
    if "augment" in chosen:
        chosen["augment"] = _augmentation(part, chosen["augment"], chosen["n_epochs"])
    colour = {1: "grey ", 3: "colour "}.get(shape[2], "")
    reason = f"{why} for {plural(m, f'{colour}picture')} of {by(shape[:2])}{quick}"
    if part.files is not None and shape[2] == 3 and not is_there():
        reason += "; with pip install 'pellucid[photos]' it would be one that has seen a million photos"
    return Recommendation(model, chosen, reason)


def _for_table(m: int, shape: Shape) -> Recommendation:
    what = f"{plural(m, 'row')} of {plural(math.prod(shape), 'number')}"
    if m < SMALL_TABLE:
        chosen = recipe("mlp-small")
        chosen["n_epochs"] = round(SMALL_TABLE_STEPS / _steps(m, chosen))
        return Recommendation("mlp-small", chosen, f"two narrow hidden layers for {what}")
    chosen = recipe("mlp-wide")
    chosen["n_epochs"] = max(FEWEST_TABLE_EPOCHS, _epochs(TABLE_STEPS, m, chosen))
    return Recommendation("mlp-wide", chosen, f"two wide hidden layers for {what}")


def _epochs(n_steps: int, m: int, chosen: Mapping[str, Any]) -> int:
    """Return how many epochs make about so many steps, 100 at most."""
    return min(MOST_EPOCHS, round(n_steps / _steps(m, chosen)))


def _steps(m: int, chosen: Mapping[str, Any]) -> int:
    """Return the steps of an epoch."""
    return math.ceil(max(1, m) / chosen["batch_size"])


def _affordable_epochs(model: str, m: int, shape: Shape, n_outputs: int) -> int:
    network = preset(model, n_outputs=n_outputs)
    network.initialize(shape)
    return max(1, int(MOST_OPERATIONS / (3 * max(1, m) * network._n_operations)))


def _augmentation(part: Dataset, augment: str, n_epochs: int) -> str:
    X = part.X
    is_in_range = X.dtype == np.uint8
    if X.dtype.kind == "f" and X.size:
        low, high = ends(X)
        is_in_range = low >= 0 and high <= 1
    if X.shape[3] not in (1, 3) or not is_in_range:
        return "none"
    return "photo" if n_epochs < MANY_EPOCHS else augment
