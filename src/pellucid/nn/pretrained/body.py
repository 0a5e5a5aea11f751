"""What a preset begins with that was learned elsewhere: its layers are filled and frozen when it is initialized."""

from dataclasses import dataclass, field
from typing import Any

from pellucid.errors import ShapeError
from pellucid.nn import freezing
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.nn.pooling import Resize2D
from pellucid.nn.pretrained import efficientnet_lite
from pellucid.nn.pretrained.pretrained import about, published_arrays, variant_of
from pellucid.nn.sequential import Sequential
from pellucid.types import Shape


@dataclass(eq=False)
class Body:
    """The pretrained layers of a model.

    Attributes
    ----------
    name : str
        "efficientnet-lite0" and the like.
    layers : list of Layer
        The body's own and the last one, without those in front of them that photos of another size or without
        colour need.
    """

    name: str
    layers: list[Layer] = field(default_factory=list)

    def suit(self, model: Any, shape: Shape) -> None:
        """Have a model, not yet built, take photos of a shape: resized to the body's, grey ones three times."""
        if len(shape) != 3 or shape[2] not in (1, 3):
            raise ShapeError(
                "pretrained: expected photos of (height, width, 3), or grey ones with 1 channel, got samples of "
                f"shape {shape}. Choose another preset."
            )
        side = variant_of(self.name).side
        front: list[Layer] = [] if shape[:2] == (side, side) else [Resize2D((side, side))]
        if shape[2] == 1:
            front.append(Conv2D(3, 1, use_bias=False))
        model._take_layers([*front, *self.layers])

    def fill(self, model: Any) -> None:
        """Write the published weights into a model's layers, and freeze all but the last."""
        leaves = model._leaves()
        n_front = len(model.layers) - len(self.layers)
        for leaf in leaves[:n_front]:
            if isinstance(leaf, Conv2D):
                leaf.params["W"][...] = 1
        efficientnet_lite.fill(leaves[n_front:-1], published_arrays(self.name))
        freezing.freeze(model, leaves[-2].name)
        model._n_body = len(model.layers) - 1
        model._summary_of_training["body"] = {"n_layers": model._n_body, **about(self.name)}


def with_new_head(name: str, units: int) -> Sequential:
    """Return a network that begins as a pretrained one and ends in a new Dense layer, not yet initialized.

    Examples
    --------
    >>> len(with_new_head("efficientnet-lite0", 1).layers)
    71
    """
    layers: list[Layer] = [*efficientnet_lite.features(variant_of(name)), Dense(units)]
    model = Sequential(layers)
    model._body = Body(name, layers)
    return model
