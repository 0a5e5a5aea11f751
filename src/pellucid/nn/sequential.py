"""Layers one after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from pellucid.errors import OptionError
from pellucid.nn.dense_chain import chained
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layer import Layer, gathers_layers
from pellucid.nn.model import Model
from pellucid.nn.sharing import build_place
from pellucid.registry import option, register
from pellucid.types import Array, Shape


@final
@register
@gathers_layers
@dataclass(eq=False, repr=False)
class Sequential(Model):
    """Layers one after another.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense, Flatten
    >>> model = Sequential(Flatten(), Dense(3, activation="relu"), Dense(1))  # or as one list
    >>> model.initialize((8, 8, 3))
    >>> model.theta.shape
    (583,)
    >>> model
    Sequential(layers=[Flatten(), Dense(units=3, activation='relu'), Dense(units=1)])
    """

    shares_layers = True

    layers: Sequence[Layer] = option(
        help="The layers, in order. One that stands in several places has one set of parameters."
    )

    if TYPE_CHECKING:

        def __init__(self, *layers: Layer | Sequence[Layer], dtype: str = ...) -> None: ...

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.layers:
            raise OptionError("Sequential: expected at least one layer, got none.")
        self.is_fused = True
        self._first = 0
        self.places = self._steps = self._ran = list(self.layers)
        self._before: list[Layer] = []
        self._predicting: tuple[list[Layer], list[Layer]] = ([], self._steps)  # the two in prediction

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Build each layer for the output shape of the one before."""
        self.input_shape = shape = input_shape
        for place in self.places:
            build_place(place, shape, rng)
            shape = place.output_shape
        self.output_shape = shape

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the last layer's output; with fused steps, unless ``is_fused`` is False."""
        if not self.is_fused:
            before, steps = self.places[: self._first], self.places[self._first :]
        else:
            before, steps = (self._before, self._steps) if training else self._predicting
        for step in before:
            X = step.forward(X, training=training and not step.is_frozen)
        for step in steps:
            X = step.forward(X, training=training and not step.is_frozen)
        self._ran = steps
        return X

    def backward(self, dY: Array) -> Array | None:
        """Write every gradient; stop at the first trained layer where the input gradient is not needed."""
        dX: Array | None = dY
        for step in reversed(self._ran):
            dX = step.backward(dY)
            if dX is None:
                break
            dY = dX
        if self.flows:
            self.add_uses()
        return dX if self._ran else None

    def mark_input_gradient(self, needed: bool) -> None:
        """Set for each layer whether its input gradient is used: not before the first trained one."""
        self.needs_input_gradient = needed
        untrained = len(self.places) if any(leaf.is_frozen for leaf in self.leaves()) else 0
        trained = (i for i, place in enumerate(self.places) if place.is_trained)
        self._first = 0 if needed else next(trained, untrained)
        for i, place in enumerate(self.places):
            place.mark_input_gradient(needed or i > self._first)
        self._before, self._steps = self.places[: self._first], self.places[self._first :]
        if any(place.starts_chain for place in self.places):
            from pellucid.nn.fusion import fused

            self._before, self._steps = fused(self._before), fused(self._steps)
        self._predicting = chained(self._before), chained(self._steps)

    def children(self) -> list[Layer]:
        """Return the layers."""
        return list(self.layers)
