"""Random layers and structures of them, each built for the shape that it is fed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

import pellucid as pl
from pellucid.errors import ShapeError
from pellucid.nn.initializers import StartRandom
from pellucid.ops.activations import ACTIVATIONS
from pellucid.types import Shape

MOST_VALUES = 1500  # of a sample anywhere in a network

sizes = st.integers(1, 3) | st.tuples(st.integers(1, 3), st.integers(1, 3))
sides = st.integers(0, 2)
frames = sides | st.tuples(sides, sides) | st.tuples(st.tuples(sides, sides), st.tuples(sides, sides))
paddings = st.sampled_from(["same", "valid"]) | frames
activation_names = st.none() | st.sampled_from(sorted(ACTIVATIONS))


@st.composite
def activations(draw: DrawFn) -> pl.Activation:
    """Draw an activation with options of its own."""
    name = draw(st.sampled_from(sorted(ACTIVATIONS)))
    return pl.Activation(
        name, **{option: draw(st.floats(0.05, 0.95)) for option in ACTIVATIONS[name].options}
    )


def leaves_for(shape: Shape, is_narrow: bool = False) -> SearchStrategy[pl.Layer]:
    """Return a strategy for the layers that take samples of a shape, most of them; half are Conv2D or Dense.

    Narrow ones are a few convolutions and windows: a kernel is compiled again for each size.
    """
    anywhere = [
        activations(),
        st.builds(pl.BatchNorm, momentum=st.floats(0.05, 1)),
        st.builds(pl.LayerNorm),
        st.builds(pl.Affine, shift=st.booleans()),
        st.builds(pl.Dropout, st.sampled_from([0.3, 0.0, 0.7])),
    ]
    if len(shape) != 3:
        dense = st.builds(pl.Dense, st.integers(1, 5), activation=activation_names)
        return _one_of(*anywhere, dense, dense, dense, dense)
    if is_narrow:
        conv = st.builds(pl.Conv2D, st.just(4), st.sampled_from([3, 1]), activation=activation_names)
        return _one_of(conv, conv, conv, *anywhere, st.builds(pl.MaxPool2D), st.builds(pl.AvgPool2D))
    conv = _convolutions(shape[2])
    window = {"stride": st.none() | sizes, "padding": paddings}
    pools = [
        st.builds(pl.MaxPool2D, sizes, **window),
        st.builds(pl.AvgPool2D, sizes, **window, count_include_pad=st.booleans()),
        st.builds(pl.MaxPool2D),
    ]
    others = [st.builds(pl.ZeroPad2D, frames), st.builds(pl.UpSample2D, sizes), st.builds(pl.GlobalAvgPool2D)]
    resized = st.builds(pl.Resize2D, st.tuples(sides, sides).map(_above_0), align_corners=st.booleans())
    others += [st.builds(pl.ReflectPad2D, frames), resized]
    return _one_of(*[conv] * 8, *pools, *others, *anywhere)


def _above_0(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] + 1, 2 * size[1] + 1


def _one_of(*strategies: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Return a strategy that takes each of these as often as it is named: ``st.one_of`` counts it once."""
    return st.sampled_from(strategies).flatmap(lambda strategy: strategy)


@st.composite
def _convolutions(draw: DrawFn, c_in: int) -> pl.Conv2D:
    groups = draw(st.sampled_from([n for n in range(1, c_in + 1) if c_in % n == 0]))
    return pl.Conv2D(
        groups * draw(st.sampled_from([2, 1, 3, 4, 16])),  # from 16 on, NumPy's twin is another
        draw(sizes),
        stride=draw(st.sampled_from([1, 1, 2]) | sizes),
        padding=draw(paddings),
        dilation=draw(st.sampled_from([1, 1, 2]) | sizes),
        groups=groups,
        use_bias=draw(st.booleans()),
        activation=draw(activation_names),
    )


@dataclass
class Pool:
    """The layers drawn so far, by the shape that they take: some are used again."""

    has_ties: bool = False  # one layer may have several places in the network
    is_narrow: bool = False  # convolutions have few sizes
    is_enlarged: bool = False  # pixels were repeated somewhere: a window's largest number has no one place
    layers: list[tuple[Shape, pl.Layer]] = field(default_factory=list)

    def leaf(self, draw: DrawFn, shape: Shape) -> pl.Layer | None:
        """Draw a layer, or one of those before, built for samples of that shape; None where none fits."""
        fitting = [layer for taken, layer in self.layers if self.has_ties and taken == shape]
        if fitting and draw(st.integers(0, 2)) == 0:
            return draw(st.sampled_from(fitting))
        return self.keep(built(draw(leaves_for(shape, self.is_narrow)), shape), shape)

    def keep(self, layer: pl.Layer | None, shape: Shape) -> pl.Layer | None:
        """Return a layer that takes samples of that shape, kept for other places; None if it must not be here."""
        if layer is not None:
            kinds = {type(leaf) for leaf in layer._leaves()}
            if self.is_enlarged and pl.MaxPool2D in kinds:
                return None
            self.is_enlarged |= not kinds.isdisjoint({pl.UpSample2D, pl.ReflectPad2D, pl.Resize2D})
            self.layers.append((shape, layer))
        return layer


def built(layer: pl.Layer, shape: Shape) -> pl.Layer | None:
    """Return a layer built for samples of that shape; None where they do not fit, or too much comes out."""
    try:
        layer.build(shape, StartRandom(np.random.PCG64(0)))
    except ShapeError:
        return None
    return layer if np.prod(layer.output_shape) <= MOST_VALUES else None


@st.composite
def chains(draw: DrawFn, shape: Shape, pool: Pool, depth: int = 2, most: int = 4) -> list[pl.Layer]:
    """Draw up to ``most`` layers and structures that follow one another."""
    layers: list[pl.Layer] = []
    for _ in range(draw(st.integers(1, most))):
        structure = draw(st.sampled_from([None, None, *STRUCTURES])) if depth else None
        if structure:
            layer = pool.keep(draw(STRUCTURES[structure](shape, pool, depth - 1)), shape)
        else:
            layer = pool.leaf(draw, shape)
        if layer is not None:
            layers.append(layer)
            shape = layer.output_shape
    return layers


def after(layers: list[pl.Layer], shape: Shape) -> Shape:
    """Return the shape of what comes out of layers that are fed samples of a shape."""
    return layers[-1].output_shape if layers else shape


@st.composite
def sequentials(draw: DrawFn, shape: Shape, pool: Pool, depth: int) -> pl.Layer | None:
    """Draw a Sequential."""
    layers = draw(chains(shape, pool, depth, 3))
    return built(pl.Sequential(layers), shape) if layers else None


@st.composite
def residuals(draw: DrawFn, shape: Shape, pool: Pool, depth: int) -> pl.Layer | None:
    """Draw a body with a shortcut: the input itself, or a layer that gives the body's shape."""
    body = draw(sequentials(shape, pool, depth)) if depth and draw(st.booleans()) else pool.leaf(draw, shape)
    if body is None:
        return None
    out = body.output_shape
    if out == shape and draw(st.booleans()):
        return built(pl.Residual(body), shape)
    if len(shape) == 1 and len(out) == 1:
        return built(pl.Residual(body, pl.Dense(out[0], activation=draw(activation_names))), shape)
    if len(shape) == 3 and out[:-1] == shape[:-1]:
        return built(pl.Residual(body, pl.Conv2D(out[-1], 1)), shape)
    return body


@st.composite
def parallels(draw: DrawFn, shape: Shape, pool: Pool, depth: int) -> pl.Layer | None:
    """Draw branches, joined in a way that their shapes allow."""
    branches = [draw(chains(shape, pool, depth, 2)) for _ in range(draw(st.integers(1, 3)))]
    branches = [layers for layers in branches if layers]
    if not branches:
        return None
    shapes = [after(layers, shape) for layers in branches]
    fitting = [layers for layers, own in zip(branches, shapes, strict=True) if own[:-1] == shapes[0][:-1]]
    ends = {after(layers, shape) for layers in fitting}
    merge = draw(st.sampled_from(["add", "concat"])) if len(ends) == 1 else "concat"
    each = [layers[0] if len(layers) == 1 else pl.Sequential(layers) for layers in fitting]
    return built(pl.Parallel(each, merge=merge), shape)


@st.composite
def graphs(draw: DrawFn, shape: Shape, pool: Pool, depth: int) -> pl.Layer | None:
    """Draw a graph of one input and one output."""
    nodes, _ = draw(nodes_of({"in": shape}, pool, depth))
    return built(pl.Graph(["in"], nodes, draw(st.sampled_from(sorted(nodes)))), shape) if nodes else None


@st.composite
def nodes_of(
    draw: DrawFn, inputs: dict[str, Shape], pool: Pool, depth: int
) -> tuple[dict[str, Any], dict[str, Shape]]:
    """Draw nodes by name, each fed by inputs or by nodes before it, and the shape of each."""
    nodes: dict[str, Any] = {}
    shapes = dict(inputs)
    for i in range(draw(st.integers(1, 5))):
        source = draw(st.sampled_from(sorted(shapes)))
        shape, name = shapes[source], f"n{i}"
        alike = [other for other, own in shapes.items() if own[:-1] == shape[:-1]]
        if draw(st.integers(0, 2)) == 0:
            several = draw(st.lists(st.sampled_from(alike), min_size=1, max_size=3))
            same = {shapes[other] for other in several}
            merge = draw(st.sampled_from(["add", "concat"])) if len(same) == 1 else "concat"
            width = shapes[several[0]][-1] if merge == "add" else sum(shapes[other][-1] for other in several)
            nodes[name], shapes[name] = (merge, several), (*shape[:-1], width)
            continue
        layers = draw(chains(shape, pool, depth, 2))
        if layers:
            layer = layers[0] if len(layers) == 1 else pl.Sequential(layers)
            nodes[name], shapes[name] = (layer, source), layers[-1].output_shape
    return nodes, shapes


STRUCTURES: dict[str, Callable[..., SearchStrategy[pl.Layer | None]]] = {
    "sequential": sequentials,
    "residual": residuals,
    "parallel": parallels,
    "graph": graphs,
}
