"""Random losses that suit a number of outputs, and targets for them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from pellucid.ops.losses.base import LOSSES, Loss
from pellucid.types import Array

smoothings = st.sampled_from([0.0, 0.0, 0.1, 0.5])


@st.composite
def losses(draw: DrawFn, n_out: int) -> dict[str, Any]:
    """Draw a loss for that many outputs, as ``set_loss`` takes it."""
    name = draw(st.sampled_from(sorted(set(LOSSES) - UNSUITED[min(n_out, 2)])))
    return {"type": name, **draw(st.fixed_dictionaries({}, optional=OPTIONS.get(name, _nothing)(n_out)))}


def _nothing(n_out: int) -> dict[str, Any]:
    return {}


def _alphas(n_out: int) -> dict[str, Any]:
    alpha = st.floats(0.1, 0.9) if n_out == 1 else st.lists(st.floats(0, 2), min_size=n_out, max_size=n_out)
    return {"gamma": st.sampled_from([0.0, 0.5, 1.0, 2.0]), "alpha": alpha}


def _weights(n_out: int) -> dict[str, Any]:
    each = st.lists(st.floats(0, 3), min_size=n_out, max_size=n_out)
    return {"positive_weight": st.floats(0.1, 3) | each, "label_smoothing": smoothings}


# by outputs, 2 for all numbers above
UNSUITED = {1: {"categorical_cross_entropy"}, 2: {"binary_cross_entropy"}}
OPTIONS = {
    "binary_cross_entropy": lambda n_out: {"label_smoothing": smoothings},
    "categorical_cross_entropy": lambda n_out: {"label_smoothing": smoothings},
    "focal": _alphas,
    "hinge": lambda n_out: {"margin": st.floats(0.2, 2)},
    "huber": lambda n_out: {"delta": st.floats(0.2, 2)},
    "multi_label": _weights,
}


def targets(loss: Loss, n_out: int, m: int, rng: np.random.Generator) -> Array:
    """Return labels or quantities for m samples, as data hold them."""
    if loss.kind == "classification":
        return rng.integers(0, max(2, n_out), m)
    if loss.kind == "multi_label":
        return rng.integers(0, 2, (m, n_out))
    Y = np.abs(rng.standard_normal((m, n_out)))  # counts are not negative
    return Y[:, 0] if n_out == 1 else Y
