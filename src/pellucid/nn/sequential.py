"""Layers one after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias, final

from pellucid import dispatch
from pellucid.errors import OptionError
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layer import Layer, gathers_layers
from pellucid.nn.model import Model
from pellucid.nn.sharing import build_place
from pellucid.registry import option, register
from pellucid.types import Array, Shape

Pass: TypeAlias = tuple[list[Layer], list[Layer]]  # the steps before the first trained layer, and the rest


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

    _shares_layers = True

    layers: Sequence[Layer] = option(
        help="The layers, in order. One that stands in several places has one set of parameters."
    )

    if TYPE_CHECKING:

        def __init__(self, *layers: Layer | Sequence[Layer], dtype: str = ...) -> None: ...

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.layers:
            raise OptionError("Sequential: expected at least one layer, got none.")
        self._take_layers(self.layers)

    def _take_layers(self, layers: Sequence[Layer]) -> None:
        """Have these layers, which are yet to be built."""
        self._keep("layers", tuple(layers))
        self._places = self._ran = list(layers)
        ways = product(dispatch.WAYS, (False, True))  # in prediction, in training
        self._passes: dict[tuple[str, bool], Pass] = dict.fromkeys(ways, ([], self._places))

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Build each layer for the output shape of the one before."""
        self.input_shape = shape = input_shape
        for place in self._places:
            build_place(place, shape, rng)
            shape = place.output_shape
        self.output_shape = shape

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the last layer's output, of the layers or, on kernels, of what stands for several of them."""
        before, steps = self._passes[dispatch.current(), training]
        for step in (*before, *steps):
            X = step.forward(X, training=training and not step._is_frozen)
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
        if self._flows:
            self._add_uses()
        return dX if self._ran and self._needs_input_gradient else None

    def _mark_input_gradient(self, needed: bool) -> None:
        """Set for each layer whether its input gradient is used: not before the first trained one."""
        self._needs_input_gradient = needed
        untrained = len(self._places) if any(leaf._is_frozen for leaf in self._leaves()) else 0
        trained = (i for i, place in enumerate(self._places) if place._is_trained)
        first = 0 if needed else next(trained, untrained)
        for i, place in enumerate(self._places):
            place._mark_input_gradient(needed or i > first)
        own = self._places[:first], self._places[first:]
        self._passes = dict.fromkeys(self._passes, own)
        if any(place._starts_chain for place in self._places):
            from pellucid.nn.fusion import fused, fused_for_prediction

            self._passes["numba", True] = fused(own[0]), fused(own[1])
            self._passes["numba", False] = fused_for_prediction(own[0]), fused_for_prediction(own[1])

    def children(self) -> list[Layer]:
        """Return the layers."""
        return list(self.layers)
