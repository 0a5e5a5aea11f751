"""What the first layer looks for: its weights as pictures, and whether they show more than an untrained layer's."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense
from pellucid.nn.model import Model
from pellucid.rng import stream
from pellucid.text import signed
from pellucid.text_blocks import Block, Result
from pellucid.types import Array

N_DRAWS = 20
CLEARLY = 4.0  # standard deviations from what chance gives


@dataclass(frozen=True, eq=False, repr=False)
class FirstLayer(Result):
    """The weights of the first layer, unit by unit.

    Attributes
    ----------
    name : str
        The layer's.
    kind : {"Dense", "Conv2D"}
    pictures : Array, shape (units, h, w, c)
        A Dense unit's weights for each pixel of the image; of a Conv2D its kernels.
    smoothness : float or None
        How alike neighbouring weights are: the correlation over all horizontal and vertical pairs. None where
        no two are neighbours, or all are 0.
    untrained, spread : float
        Mean and standard deviation of the same for freshly drawn weights.
    """

    name: str
    kind: str
    pictures: Array
    smoothness: float | None
    untrained: float
    spread: float

    @property
    def is_learned(self) -> bool | None:
        """Whether the weights clearly differ from an untrained layer's; None where that is not known."""
        return None if self.distance is None else self.distance > CLEARLY

    @property
    def distance(self) -> float | None:
        """How many standard deviations the smoothness is from an untrained layer's."""
        if self.smoothness is None:
            return None
        away = abs(self.smoothness - self.untrained)
        return away / self.spread if self.spread else math.inf if away else 0.0

    @property
    def headline(self) -> str:
        """Whether the first layer's weights differ from an untrained layer's, and from where on that counts."""
        if self.smoothness is None:
            return f"First layer, {self.name}: no neighbouring weights to compare."
        known = "differ" if self.is_learned else "do not clearly differ"
        chance = f"{signed(self.untrained, 3)} ± {self.spread:.3f}"
        return (
            f"First layer, {self.name}: weights {known} from an untrained layer's. Correlation of neighbouring "
            f"weights {signed(self.smoothness, 3)}, of {N_DRAWS} untrained layers {chance}: {self.distance:.1f} "
            f"standard deviations away, clear from {CLEARLY:g} on."
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one row: what was measured."""
        return [
            {
                "layer": self.name,
                "n_units": len(self.pictures),
                "smoothness": self.smoothness,
                "untrained_smoothness": self.untrained,
                "untrained_spread": self.spread,
                "distance": self.distance,
                "threshold": CLEARLY,
                "is_learned": self.is_learned,
            }
        ]

    def blocks(self) -> list[Block]:
        """Return the headline, which holds the only row."""
        return [self.headline]


def first_layer(model: Model) -> FirstLayer | None:
    """Return the first layer's weights as pictures, or None if its weights do not belong to pixels.

    Parameters
    ----------
    model : Model
        Initialized.

    Notes
    -----
    The check: weights drawn at random have nothing to do with their neighbours, and those of an untrained layer
    are drawn 20 times to see what chance gives. It is the model-randomization check of Adebayo et al. (2018)
    for a picture that needs no photo.

    Examples
    --------
    >>> from pellucid.nn.presets import preset
    >>> model = preset("mlp")
    >>> model.initialize((8, 8, 3))
    >>> found = first_layer(model)
    >>> found.pictures.shape, found.is_learned
    ((20, 8, 8, 3), False)
    """
    leaf = next((leaf for leaf in model._leaves() if isinstance(leaf, Dense | Conv2D)), None)
    shape: Any = model.input_shape
    if leaf is None or not isinstance(shape, tuple) or len(shape) not in (2, 3):
        return None
    W = leaf.params["W"]
    if isinstance(leaf, Conv2D):
        pictures = np.moveaxis(W, -1, 0)
    elif W.shape[0] == math.prod(shape):
        pictures = W.T.reshape(-1, *(shape if len(shape) == 3 else (*shape, 1)))
    else:
        return None
    rng = stream(0, "untrained first layer")
    chance = [_smoothness(rng.standard_normal(pictures.shape, np.float32)) for _ in range(N_DRAWS)]
    known = [value for value in chance if value is not None]
    return FirstLayer(
        leaf.name,
        type(leaf).__name__,
        pictures,
        _smoothness(pictures),
        float(np.mean(known)) if known else 0.0,
        float(np.std(known)) if known else 0.0,
    )


def _smoothness(pictures: Array) -> float | None:
    """Return the correlation, about 0, of weights that are neighbours in their picture."""
    pairs = ((pictures[:, :, 1:], pictures[:, :, :-1]), (pictures[:, 1:], pictures[:, :-1]))
    products = sum(float(np.vdot(one, other)) for one, other in pairs)
    squares = sum(float(np.vdot(one, one) + np.vdot(other, other)) / 2 for one, other in pairs)
    return products / squares if squares else None
