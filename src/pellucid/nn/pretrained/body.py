"""What a preset begins with that was learned elsewhere: its layers are filled and frozen when it is initialized."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid.errors import OptionError, ShapeError
from pellucid.nn import freezing
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.nn.model import copy_arrays, model_from_config
from pellucid.nn.norm import Affine, BatchNorm, LayerNorm
from pellucid.nn.pooling import Resize2D
from pellucid.nn.pretrained import efficientnet_lite
from pellucid.nn.pretrained.network_file import before_head, file_of, network_of, sha256_of
from pellucid.nn.pretrained.pretrained import about, is_published, published_arrays
from pellucid.nn.sequential import Sequential
from pellucid.text import by
from pellucid.types import Shape

NORMS = (Affine, BatchNorm, LayerNorm)
SMALL = 32  # pixels of a side below which a photo has little that a body of large ones looks for


@dataclass(eq=False)
class Body:
    """The pretrained layers of a model.

    Attributes
    ----------
    name : str
        "efficientnet-lite0" and the like, or the path of a file.
    pixels : str or None
        The rule of a file that does not say its own.
    size : tuple of int
        Height and width of the photos that it takes.
    layers, head : list of Layer
        The body's own, and those after it, which are trained; photos of another size or without colour need others
        in front of them.
    """

    name: str
    pixels: str | None
    size: tuple[int, int]
    layers: list[Layer] = field(default_factory=list)
    head: list[Layer] = field(default_factory=list)

    def suit(self, model: Any, shape: Shape) -> None:
        """Have a model, not yet built, take photos of a shape: resized to the body's, grey ones three times."""
        if len(shape) != 3 or shape[2] not in (1, 3):
            raise ShapeError(
                "pretrained: expected photos of (height, width, 3), or grey ones with 1 channel, got samples of "
                f"shape {shape}. Choose another preset."
            )
        front: list[Layer] = [] if shape[:2] == self.size else [Resize2D(self.size)]
        if shape[2] == 1:
            front.append(Conv2D(3, 1, use_bias=False))
        model._take_layers([*front, *self.layers, *self.head])

    def fill(self, model: Any) -> None:
        """Write the weights into a model's layers, and freeze all but those after the body."""
        n_front = len(model.layers) - len(self.layers) - len(self.head)
        for layer in model.layers[:n_front]:
            if isinstance(layer, Conv2D):
                layer.params["W"][...] = 1
        model._n_body = n_front + len(self.layers)
        leaves = [leaf for layer in self.layers for leaf in layer._leaves()]
        if is_published(self.name):
            efficientnet_lite.fill(leaves, published_arrays(self.name))
            known = about(self.name)
        else:
            path = file_of(self.name)
            source = network_of(path, self.pixels)
            copy_arrays(self.layers, before_head(source) or [])
            own = {
                "learned_from": "other photos",
                "source": f"the file {path.name}",
                "licence": "that of the file",
            }
            before = source._summary_of_training.get("body", {})  # of a model with a body of its own
            its = {
                name: before[name]
                for name in ("learned_from", "source", "licence", "notice")
                if name in before
            }
            known = {**own, **its, "name": path.name}
            known["sha256"] = sha256_of(path)
        freezing.freeze(model, leaves[-1].name)
        model._summary_of_training["body"] = {**known, "n_layers": model._n_body}

    def notes(self, shape: Shape) -> tuple[str, ...]:
        """Return what is to be said of photos of a shape: what becomes of small and of grey ones."""
        notes = []
        if min(shape[:2]) < min(SMALL, *self.size):
            notes.append(
                f"The photos, of {by(shape[:2])}, are enlarged to {by(self.size)}: what is smaller than a pixel of "
                "theirs stays lost, and the body looks for such. Compare with cnn-small."
            )
        if shape[2] == 1:
            notes.append("The photos are grey: the body takes their one channel three times.")
        return tuple(notes)


def with_new_head(name: str, units: int, pixels: str | None = None) -> Sequential:
    """Return a network that begins as a pretrained one and ends in a new Dense layer, not yet initialized.

    Examples
    --------
    >>> len(with_new_head("efficientnet-lite0", 1).layers)
    25
    """
    return after_body([Dense(units)], name, pixels)


def after_body(head: Sequence[Layer], name: str, pixels: str | None = None) -> Sequential:
    """Return a network that begins as a pretrained one and goes on with new layers, not yet initialized.

    Parameters
    ----------
    head : sequence of Layer
    name : str
        A published network, or the path of a file.
    pixels : str, optional
        The rule of a file that does not say its own.

    Raises
    ------
    OptionError
        If the network of a file does not end in a Dense layer, whose place the new ones take.
    """
    if is_published(name, pixels):
        variant = efficientnet_lite.VARIANTS[name]
        layers, size = efficientnet_lite.features(variant), (variant.side, variant.side)
        rule = None  # bytes are divided by 255, floats are taken as they are
    else:
        path = file_of(name)
        source = network_of(path, pixels)
        made = model_from_config(source.config())
        made._lay_out(source.input_shape)
        found = before_head(made)
        if not found:
            raise OptionError(
                f"pretrained: {path.name} does not end in a Dense layer after others, whose place new ones could "
                "take. Name a network that gives numbers for classes."
            )
        height, width, _ = source.input_shape
        name, layers, size, rule = str(path.resolve()), found, (height, width), source.preprocessing
    model = Sequential([*layers, *head])
    model._body = Body(name, pixels, size, layers, list(head))
    model.preprocessing = rule
    return model


def _blocks(model: Any) -> list[int]:
    """Return where the blocks of a model's body begin among its layers; the last one reaches to the body's end.

    Each layer with parameters begins one, but for normalizations, which belong to the layer before. Where there are
    structures, such as inverted residual blocks, what follows the last of them belongs to it.
    """
    body = model._body
    n_front = len(model.layers) - len(body.layers) - len(body.head)
    begins = [
        n_front + i
        for i, layer in enumerate(body.layers)
        if any(leaf.params for leaf in layer._leaves()) and not isinstance(layer, NORMS)
    ]
    structures = [i for i in begins if model.layers[i].children()]
    return [i for i in begins if i <= structures[-1]] if structures else begins


def check_n_blocks(n: int, name: str, pixels: str | None = None) -> None:
    """Raise OptionError for a number of blocks to be trained on that a body does not have."""
    model = with_new_head(name, 1, pixels)
    model._lay_out((*body_size(name, pixels), 3))
    n_blocks = len(_blocks(model))
    if not 1 <= n <= n_blocks:
        raise OptionError(f"--unfreeze: expected 1 to {n_blocks}, as many blocks as the body has, got {n}.")


def unfreeze_last(model: Any, n: int) -> None:
    """Let the last n blocks of a model's body be trained on, but for their batch norms.

    Those go on by their running statistics, with the factors and shifts that they have: few photos tell little of
    either (benchmarks/pretrained.py).

    Raises
    ------
    OptionError
        If the body has no n blocks.
    """
    first = _blocks(model)[-n]
    kept = [leaf for layer in model.layers[:first] for leaf in layer._leaves()]
    rest = [leaf for layer in model.layers[first:] for leaf in layer._leaves()]
    freezing.mark_frozen(
        model, [leaf.name for leaf in (*kept, *(one for one in rest if isinstance(one, NORMS)))]
    )
    model._n_body, model._novelty, model._body_part = 0, None, None
    model._summary_of_training["body"] |= {"n_layers": 0, "n_unfrozen": n}


def body_size(name: str, pixels: str | None = None) -> tuple[int, int]:
    """Return height and width of the photos that a body takes."""
    if is_published(name, pixels):
        return (efficientnet_lite.VARIANTS[name].side,) * 2
    height, width, _ = network_of(file_of(name), pixels).input_shape
    return height, width
