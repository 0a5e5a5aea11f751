"""Our own exports, read again as models: each predicts what its source does, for floats and bytes."""

import importlib.util
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from tests.fuzz.networks import Network, images, networks, rows
from tests.fuzz.search import Subject

import pellucid as pl
from pellucid.types import Array

LIMIT = 1e-4  # of a difference in float32, relative to the largest number


def check_near(what: str, ours: Array, theirs: Array) -> None:
    """Compare the outputs of a model with those of its source."""
    error = np.abs(ours.reshape(theirs.shape) - theirs).max() / max(1.0, np.abs(theirs).max())
    assert error <= LIMIT, f"{what}: the outputs differ by {error:.2g}"


@dataclass
class Exported:
    """A network, whether factors come first, and how its samples are prepared."""

    network: Network
    factors: tuple[float, ...] | None
    divisor: float | None


factors = st.none() | st.lists(st.floats(-2, 2).filter(lambda n: abs(n) > 0.1), min_size=1, max_size=1)
exported = st.builds(Exported, networks(rows | images), factors, st.sampled_from([None, 255.0, 128.0]))


def check_exported(case: Exported) -> None:
    """A model and what is read of its ONNX file predict the same."""
    model = case.network.ready()
    if case.factors is not None:
        model = pl.Sequential([pl.Affine(), *case.network.model.layers])
        model.initialize(case.network.input_shape, seed=case.network.seed, dtype="float32")
        model._leaves()[0].params["gamma"][...] = case.factors[0]
    model.preprocessing = None if case.divisor is None else pl.Preprocessing("divide", case.divisor)
    rng = np.random.default_rng(case.network.seed)
    pixels = rng.integers(0, 256, (3, *case.network.input_shape), np.uint8)
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        pl.export_onnx(model, Path(folder) / "a.onnx")
        again = pl.import_onnx(Path(folder) / "a.onnx")
        for what, X in [("bytes", pixels), ("floats", rng.random(pixels.shape)), ("divided", pixels / 255)]:
            check_near(what, again.decision_function(X), model.decision_function(X))


SUBJECTS: dict[str, Subject] = {}
if all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime")):
    SUBJECTS["ONNX there and back"] = Subject(exported, check_exported, 24)
