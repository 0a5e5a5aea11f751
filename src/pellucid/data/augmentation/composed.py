"""Runs of transforms that are applied as one: maps of positions, and maps of colours, are multiplied first."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.data.augmentation.colour import Colour
from pellucid.data.augmentation.geometry import Geometric
from pellucid.data.augmentation.mixing import Blend
from pellucid.data.augmentation.parts import Part, RowsOfStream
from pellucid.data.augmentation.transform import Transform
from pellucid.ops.colour import mean_colours, recolour
from pellucid.ops.sampling import sample
from pellucid.types import Array, map_arrays


def runs_of(transforms: Sequence[Transform]) -> list[list[Transform]]:
    """Split the transforms into runs that are applied as one."""
    runs: list[list[Transform]] = []
    for transform in transforms:
        if runs and all(_fit(transform, other) for other in runs[-1]):
            runs[-1].append(transform)
        else:
            runs.append([transform])
    return runs


def _fit(one: Transform, two: Transform) -> bool:
    if isinstance(one, Geometric) and isinstance(two, Geometric):
        return one.border is None or two.border is None or one.border == two.border
    return isinstance(one, Colour) and isinstance(two, Colour)


def apply_run(
    run: Sequence[Transform],
    X: Array,
    Y: Any,
    rng: np.random.Generator,
    out: Array,
    part: Part | None = None,
) -> Any:
    """Apply one run to X and write the result into out; return the targets; those of a part stay as they are."""
    if part is None:
        draws = [transform.draw(len(X), X.shape[1:], rng) for transform in run]
    else:
        draws = [part.draws(transform, X.shape[1:], rng) for transform in run]
        rng = RowsOfStream(rng, part)  # type: ignore[assignment]
    if len(run) == 1:
        if isinstance(blend := run[0], Blend) and part is None:
            Y = map_arrays(lambda targets: blend.mix_targets(targets, draws[0]), Y)
        run[0].apply(X, draws[0], rng, out=out)
    elif isinstance(run[0], Geometric):
        _move(run, draws, X, out)
    else:
        recolour(X, _colour_maps(run, draws, mean_colours(X)), out=out)
    return Y


def _move(run: Sequence[Transform], draws: Sequence[Array], X: Array, out: Array) -> None:
    border, inverse = None, np.eye(3)
    for transform, values in zip(run, draws, strict=True):
        assert isinstance(transform, Geometric)
        border = border or transform.border
        inverse = inverse @ transform.inverse(values, X.shape[1:])  # the last one is undone first
    edge, fill = border or ("reflect", 0.0)  # of flips, that never sample outside, any
    sample(X, inverse, edge=edge, fill=fill, out=out)


def _colour_maps(run: Sequence[Transform], draws: Sequence[Array], mean: Array) -> Array:
    total = np.eye(mean.shape[1] + 1)
    for transform, values in zip(run, draws, strict=True):
        assert isinstance(transform, Colour)
        maps = transform.maps(values, mean)
        mean = (mean[:, None] @ maps[:, :-1, :-1])[:, 0] + maps[:, -1, :-1]
        total = total @ maps
    return total
