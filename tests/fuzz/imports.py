"""Networks of others, and our own exports, as models: each predicts what its source does, for floats and bytes."""

import importlib.util
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from tests.fuzz.networks import Network, images, networks, rows
from tests.fuzz.search import Subject

from pellucid.data.preprocess import Preprocessing
from pellucid.formats.fitted import import_sklearn
from pellucid.formats.onnx.export import export_onnx
from pellucid.formats.onnx.importing import import_onnx
from pellucid.nn.affine import Affine
from pellucid.nn.sequential import Sequential
from pellucid.types import Array

LIMIT = 1e-4  # of a difference in float32, relative to the largest number
SIDE = 12


def check_near(what: str, ours: Array, theirs: Array) -> None:
    """Compare the outputs of a model with those of its source."""
    error = np.abs(ours.reshape(theirs.shape) - theirs).max() / max(1.0, np.abs(theirs).max())
    assert error <= LIMIT, f"{what}: the outputs differ by {error:.2g}"


@dataclass
class Fitted:
    """A pipeline of scikit-learn: the options of its scaler, None without one, and of its network."""

    scaler: dict[str, bool] | None
    network: dict[str, Any]
    target: str
    dtype: str
    seed: int


NETWORK = {"hidden_layer_sizes": st.lists(st.integers(1, 6), max_size=2).map(tuple)}
NETWORK |= {"activation": st.sampled_from(["relu", "tanh", "logistic", "identity"])}
fitted = st.builds(
    Fitted,
    st.none() | st.fixed_dictionaries({"with_mean": st.booleans(), "with_std": st.booleans()}),
    st.fixed_dictionaries(NETWORK),
    st.sampled_from(["classes", "two", "questions", "quantity", "quantities"]),
    st.sampled_from(["float64", "float32"]),
    st.integers(0, 10**6),
)


def check_fitted(case: Fitted) -> None:
    """A fitted pipeline predicts the same as its import, near its samples and away from them."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(case.seed)
    X = (rng.uniform(0.2, 5, 4) * rng.standard_normal((40, 4)) + rng.uniform(-9, 9, 4)).astype(case.dtype)
    y = {
        "classes": np.arange(40) % 3,
        "two": np.arange(40) % 2,
        "questions": rng.integers(0, 2, (40, 3)),
        "quantity": X[:, 0],
        "quantities": X[:, :2],
    }[case.target]
    kind = MLPRegressor if case.target.startswith("quantit") else MLPClassifier
    network = kind(solver="lbfgs", max_iter=5, random_state=case.seed, **case.network)
    pipeline = make_pipeline("passthrough" if case.scaler is None else StandardScaler(**case.scaler), network)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        pipeline.fit(X, y)
        model = import_sklearn(pipeline)
        predict = "predict" if kind is MLPRegressor else "predict_proba"
        pixels = rng.integers(0, 256, (9, 4), np.uint8)
        for what, samples in [("floats", X), ("far", 3 * X), ("bytes", pixels)]:
            check_near(what, getattr(model, predict)(samples), getattr(pipeline, predict)(samples))


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
        model = Sequential([Affine(), *case.network.model.layers])
        model.initialize(case.network.input_shape, seed=case.network.seed, dtype="float32")
        model._leaves()[0].params["gamma"][...] = case.factors[0]
    model.preprocessing = None if case.divisor is None else Preprocessing("divide", case.divisor)
    rng = np.random.default_rng(case.network.seed)
    pixels = rng.integers(0, 256, (3, *case.network.input_shape), np.uint8)
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        export_onnx(model, Path(folder) / "a.onnx")
        again = import_onnx(Path(folder) / "a.onnx")
        for what, X in [("bytes", pixels), ("floats", rng.random(pixels.shape)), ("divided", pixels / 255)]:
            check_near(what, again.decision_function(X), model.decision_function(X))


@dataclass
class OfTorch:
    """A network of PyTorch: how it begins, the names of its layers, and the version of the file."""

    begins: str
    takes_bytes: bool
    layers: list[str]
    opset: int
    seed: int


BEGINNINGS = {  # what is done with the input, and whether the file then takes pixels from 0 to 255
    "as it is": (lambda x: x, False),
    "x * 0.5": (lambda x: x * 0.5, True),
    "x / 3": (lambda x: x / 3, True),
    "x / 255": (lambda x: x / 255, True),
    "x * 3": (lambda x: x * 3, False),
    "2 x - 1": (lambda x: 2 * x - 1, False),
}
LAYERS = {
    "conv": lambda nn: nn.Conv2d(4, 4, 3, padding=1),
    "reflected": lambda nn: nn.Conv2d(4, 4, 3, padding=(1, 2), padding_mode="reflect"),
    "stride": lambda nn: nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=2, bias=False),
    "batch norm": lambda nn: nn.BatchNorm2d(4),
    "layer norm": lambda nn: _last_norm(nn),
    "max pool": lambda nn: nn.MaxPool2d(3, 1, 1),
    "average pool": lambda nn: nn.AvgPool2d(3, 1, 1),
    "nearest": lambda nn: nn.Upsample(scale_factor=2),
    "bilinear": lambda nn: nn.Upsample((7, 9), mode="bilinear"),
    "corners": lambda nn: nn.Upsample(scale_factor=1.5, mode="bilinear", align_corners=True),
    **{
        name: lambda nn, name=name: getattr(nn, name)()
        for name in ("ReLU", "LeakyReLU", "ELU", "SELU", "SiLU", "GELU", "Softplus", "Hardswish", "Sigmoid")
    },
}


def _last_norm(nn: Any) -> Any:
    """Return a layer norm of the channels of an image."""

    class LastNorm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.LayerNorm(4)

        def forward(self, x: Any) -> Any:
            return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    return LastNorm()


@st.composite
def of_torch(draw: DrawFn) -> OfTorch:
    """Draw a network of PyTorch."""
    return OfTorch(
        draw(st.sampled_from(sorted(BEGINNINGS))),
        draw(st.booleans()),
        draw(st.lists(st.sampled_from(sorted(LAYERS)), max_size=5)),
        draw(st.integers(13, 20)),
        draw(st.integers(0, 10**6)),
    )


def check_of_torch(case: OfTorch) -> None:
    """A network of PyTorch and what is read of its ONNX file predict the same."""
    import torch
    from torch import nn

    torch.manual_seed(case.seed)
    begin, takes_pixels = BEGINNINGS[case.begins]

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            body = [nn.Conv2d(3, 4, 3), *(LAYERS[name](nn) for name in case.layers)]
            self.body = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))

        def forward(self, x: Any) -> Any:
            return self.body(begin(x.float()))

    net = Whole().eval()
    for name, buffer in net.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            nn.init.uniform_(buffer, 0.5, 1.5)
    rng = np.random.default_rng(case.seed)
    pixels = rng.integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    floats = rng.random(pixels.shape, np.float32)
    dtype = np.uint8 if case.takes_bytes else np.float32

    def theirs(X: Any) -> Array:
        with torch.no_grad():
            return net(torch.from_numpy(np.ascontiguousarray(X.transpose(0, 3, 1, 2), dtype))).numpy()

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        path = Path(folder) / "a.onnx"
        x = torch.from_numpy(np.zeros((2, 3, SIDE, SIDE), dtype))
        axes = {"x": {0: "n"}}
        options = {"input_names": ["x"], "dynamic_axes": axes, "opset_version": case.opset}
        torch.onnx.export(net, (x,), str(path), dynamo=False, **options)
        model = import_onnx(path)
        pairs = [("bytes", pixels, pixels), ("divided", pixels / 255, pixels)]
        if not case.takes_bytes:
            pairs = [("bytes", pixels, pixels if takes_pixels else pixels / 255), ("floats", floats, floats)]
            pairs.append(("large floats", 12 * floats, 12 * floats))
        for what, ours, source in pairs:
            check_near(what, model.decision_function(ours), theirs(source))


def _has(*names: str) -> bool:
    return all(importlib.util.find_spec(name) is not None for name in names)


SUBJECTS: dict[str, Subject] = {"imports of scikit-learn": Subject(fitted, check_fitted, 40)}
if _has("onnx", "onnxruntime"):
    SUBJECTS["ONNX there and back"] = Subject(exported, check_exported, 40, cost=3)
if _has("onnx", "onnxruntime", "torch"):  # PyTorch is the oracle
    SUBJECTS["imports of PyTorch"] = Subject(of_torch(), check_of_torch, 30, cost=5)
