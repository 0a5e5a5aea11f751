"""EfficientNet-Lite as layers of ours: inverted residual blocks with relu6 (Tan and Le, 2019; Liu, 2020).

EfficientNet-Lite is EfficientNet without squeeze-and-excitation, with relu6 for swish, and with a stem and a head
that do not grow with the others (https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html).
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pellucid.errors import FormatError
from pellucid.nn.activation import Activation
from pellucid.nn.blocks import Residual
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense
from pellucid.nn.layer import Layer
from pellucid.nn.norm import Affine, BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D
from pellucid.nn.pretrained.pixels import PIXELS
from pellucid.nn.sequential import Sequential
from pellucid.types import Array

STEM, HEAD, N_CLASSES = 32, 1280, 1000


class Variant(NamedTuple):
    """How a network of the family is scaled: side of its photos, factors of channels and of repeats."""

    side: int
    width: float
    depth: float


class Stage(NamedTuple):
    """Equal blocks one after another, the first with the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


VARIANTS = {
    "efficientnet-lite0": Variant(224, 1.0, 1.0),
    "efficientnet-lite1": Variant(240, 1.0, 1.1),
    "efficientnet-lite2": Variant(260, 1.1, 1.2),
}
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def features(variant: Variant) -> list[Layer]:
    """Return the layers from pixels of 0 to 1 to 1,280 features, not yet built.

    Examples
    --------
    >>> model = Sequential(features(VARIANTS["efficientnet-lite0"]))
    >>> model.initialize((224, 224, 3))
    >>> model.n_params, model.output_shape
    (3371014, (1280,))
    """
    stem = [*_conv(STEM, 3, stride=2), Activation("relu6")]
    head = [*_conv(HEAD, 1), Activation("relu6"), GlobalAvgPool2D()]
    return [Affine(), *stem, *_blocks(variant), *head]


def _conv(filters: int, kernel: int, *, stride: int = 1, groups: int = 1) -> list[Layer]:
    convolution = Conv2D(filters, kernel, stride=stride, groups=groups, use_bias=False)
    return [convolution, BatchNorm(momentum=0.01, epsilon=1e-3)]


def _blocks(variant: Variant) -> Iterator[Layer]:
    """Yield the inverted residual blocks, each one layer: expand, depthwise, project."""
    c_in = STEM
    for i, stage in enumerate(STAGES):
        is_outer = i in (0, len(STAGES) - 1)
        c_out = _rounded(stage.channels * variant.width)
        for k in range(stage.repeats if is_outer else math.ceil(stage.repeats * variant.depth)):
            wide = c_in * stage.expansion
            layers = [] if stage.expansion == 1 else [*_conv(wide, 1), Activation("relu6")]
            stride = stage.stride if k == 0 else 1
            layers += [*_conv(wide, stage.kernel, stride=stride, groups=wide), Activation("relu6")]
            layers += _conv(c_out, 1)
            block = Sequential(layers)
            yield Residual(block) if k else block
            c_in = c_out


def _rounded(channels: float) -> int:
    """Return the nearest multiple of 8, but never 10 % fewer."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def fill(leaves: Iterable[Layer], arrays: Mapping[str, Array]) -> None:
    """Write PyTorch's arrays of the published weights into built layers, each in its place.

    Parameters
    ----------
    leaves : iterable of Layer
        Those of :func:`features`, perhaps with the Dense of 1,000 classes after them.
    arrays : mapping of str to Array

    Raises
    ------
    FormatError
        If they are those of another network.
    """
    names = iter([name for name in arrays if not name.endswith("num_batches_tracked")])

    def next_array(ending: str, shape: tuple[int, ...]) -> Array:
        name = next(names, "")
        if not name.endswith(ending) or arrays[name].shape != shape:
            raise FormatError(f"expected an array *{ending} of shape {shape}, got {name or 'no more'}")
        return arrays[name]

    for leaf in leaves:
        if isinstance(leaf, Affine):
            leaf.params["gamma"][...], leaf.params["beta"][...] = PIXELS["lite"].factor, PIXELS["lite"].shift
        elif isinstance(leaf, Conv2D):
            W = leaf.params["W"]  # (kh, kw, c_in, c_out); PyTorch's is (c_out, c_in, kh, kw)
            W[...] = next_array(".weight", (W.shape[3], W.shape[2], *W.shape[:2])).transpose(2, 3, 1, 0)
        elif isinstance(leaf, BatchNorm):
            own = [*leaf.params.values(), *leaf.state.values()]
            for array, ending in zip(own, (".weight", ".bias", ".running_mean", ".running_var"), strict=True):
                array[...] = next_array(ending, array.shape)
        elif isinstance(leaf, Dense):
            W = leaf.params["W"]
            W[...] = next_array(".weight", W.shape[::-1]).T
            leaf.params["b"][...] = next_array(".bias", leaf.params["b"].shape)
    if (more := next(names, None)) is not None and not more.startswith("_fc."):
        raise FormatError(f"it has an array {more} that the network has no place for")
