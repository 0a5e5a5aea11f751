"""Networks of PyTorch, by both of its exporters, come in whole."""

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.formats.onnx.graphs import kinds

import pellucid as pl
from pellucid.errors import OptionError

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

needs_onnxscript = pytest.mark.skipif(
    importlib.util.find_spec("onnxscript") is None, reason="PyTorch's newer exporter needs onnxscript"
)


class Excite(nn.Module):
    """Squeeze and excitation, as in MobileNetV3."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.pool, self.a, self.b = nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, 4, 1), nn.Conv2d(4, c, 1)

    def forward(self, x: Any) -> Any:
        return x * F.hardsigmoid(self.b(F.relu(self.a(self.pool(x)))))


class Inverted(nn.Module):
    """An inverted residual: wide, depthwise, narrow."""

    def __init__(self, c_in: int, c_out: int, stride: int, act: Any, *, excites: bool = False) -> None:
        super().__init__()
        wide = 2 * c_in
        self.body = nn.Sequential(
            *(nn.Conv2d(c_in, wide, 1, bias=False), nn.BatchNorm2d(wide), act()),
            *(nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False), nn.BatchNorm2d(wide), act()),
            *([Excite(wide)] if excites else []),
            *(nn.Conv2d(wide, c_out, 1, bias=False), nn.BatchNorm2d(c_out)),
        )
        self.is_around = stride == 1 and c_in == c_out

    def forward(self, x: Any) -> Any:
        return x + self.body(x) if self.is_around else self.body(x)


class View(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.view(x.size(0), -1)


def mobilenet_v3() -> Any:
    swish = nn.Hardswish
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), swish()),
        *(Inverted(8, 8, 1, nn.ReLU, excites=True), Inverted(8, 12, 2, swish)),
        *(Inverted(12, 12, 1, swish, excites=True), nn.Conv2d(12, 32, 1), swish()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 16), swish(), nn.Linear(16, 5), nn.Softmax(1)),
    )


def plain() -> Any:
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 5), nn.GELU(), nn.AvgPool2d(2), nn.Conv2d(4, 6, 3), nn.SiLU()),
        *(nn.MaxPool2d(2, ceil_mode=True), View(), nn.Linear(6 * 6 * 6, 10), nn.GELU("tanh")),
        *(nn.BatchNorm1d(10), nn.LayerNorm(10), nn.Linear(10, 1), nn.Sigmoid()),
    )


class Bytes(nn.Module):
    """Photos as they are, channels last, which the newer exporter then has in memory throughout."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            *(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1)),
            *(nn.Flatten(), nn.Linear(8, 3), nn.Softmax(1)),
        )

    def forward(self, x: Any) -> Any:
        return self.net(x.permute(0, 3, 1, 2).float() / 255)


@pytest.mark.slow
@needs_onnxscript
def test_photos_of_bytes_with_their_channels_last(tmp_path: Path, capfd: Any) -> None:
    torch.manual_seed(1)
    X = np.random.default_rng(0).integers(0, 256, (4, 20, 24, 3), dtype=np.uint8)
    net = exported(Bytes(), tmp_path / "net.onnx", "dynamo", x=torch.from_numpy(X[:2]))
    capfd.readouterr()
    model = pl.import_onnx(tmp_path / "net.onnx")
    np.testing.assert_allclose(model.predict_proba(X), outputs_of(net, X), atol=1e-5)


def outputs_of(net: Any, X: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        found: np.ndarray = net(torch.from_numpy(np.ascontiguousarray(X))).numpy()
    return found


def exported(
    net: Any, path: Path, exporter: str, *, is_free: bool = True, x: Any = None, **options: Any
) -> Any:
    """Write a network as a file, its norms with statistics of their own, and return it."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    x = (torch.rand(2, 3, 32, 32) if x is None else x,)
    options |= {"dynamo": exporter == "dynamo", "input_names": ["x"]}
    if is_free:
        free = {"dynamic_shapes": ({0: "n"},)} if exporter == "dynamo" else {"dynamic_axes": {"x": {0: "n"}}}
        options |= free
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        torch.onnx.export(net.eval(), x, str(path), **options)
    return net


@pytest.mark.parametrize(
    ("make", "exporter"),
    [
        *((make, "torchscript") for make in (mobilenet_v3, plain)),
        pytest.param(mobilenet_v3, "dynamo", marks=[needs_onnxscript, pytest.mark.slow]),
    ],
)
def test_whole_networks(make: Any, exporter: str, tmp_path: Path, capfd: Any) -> None:
    torch.manual_seed(1)
    net = exported(make(), tmp_path / "net.onnx", exporter, is_free=make is not plain)
    capfd.readouterr()
    model = pl.import_onnx(tmp_path / "net.onnx")
    X = np.random.default_rng(0).random((4, 32, 32, 3), np.float32)
    theirs = outputs_of(net, X.transpose(0, 3, 1, 2))
    ours = model.predict_proba(X)[:, -theirs.shape[1] :]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    wanted = {mobilenet_v3: "hard_sigmoid", plain: "gelu_tanh"}
    assert wanted[make] in {row.activation for row in model.summary().layers}


class LastNorm(nn.Module):
    """A layer norm of the channels of an image."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(c, eps=1e-4)

    def forward(self, x: Any) -> Any:
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def test_networks_in_every_version_of_the_format(tmp_path: Path, capfd: Any) -> None:
    """Layer norms are one operation from opset 17 on; axes are inputs from 18 on, or 13."""
    torch.manual_seed(1)
    net = nn.Sequential(
        *(nn.Upsample((33, 40), mode="bilinear"), nn.Conv2d(3, 6, 4, 4, padding=2, padding_mode="reflect")),
        *(LastNorm(6), nn.SELU(), nn.Upsample(scale_factor=1.5, mode="bilinear", align_corners=True)),
        *(nn.Conv2d(6, 4, 3), nn.Softplus()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(4), nn.Softplus(3.0), nn.Linear(4, 5)),
        *(nn.LayerNorm(5, elementwise_affine=False), nn.Linear(5, 3)),
    )
    for parameter in net.parameters():
        nn.init.uniform_(parameter, -0.5, 0.8)
    X = np.random.default_rng(0).random((4, 32, 32, 3), np.float32)
    for opset in (13, 17, 20):
        exported(net, tmp_path / "net.onnx", "torchscript", opset_version=opset)
        model = pl.import_onnx(tmp_path / "net.onnx")
        theirs = outputs_of(net, X.transpose(0, 3, 1, 2))
        np.testing.assert_allclose(model.decision_function(X), theirs, atol=1e-5, err_msg=f"opset {opset}")
        layers = kinds(model)
        assert layers.count("LayerNorm") == 3, opset
        assert {"Resize2D", "ReflectPad2D", "selu", "softplus"} <= set(layers), opset


def test_a_layer_norm_of_whole_images_is_refused(tmp_path: Path, capfd: Any) -> None:
    net = nn.Sequential(nn.LayerNorm([3, 8, 8]), nn.Flatten(), nn.Linear(192, 3))
    for opset in (16, 17):
        exported(net, tmp_path / "net.onnx", "torchscript", x=torch.rand(2, 3, 8, 8), opset_version=opset)
        with pytest.raises(OptionError, match="normalizes over other axes than the channels"):
            pl.import_onnx(tmp_path / "net.onnx")


def test_a_body_under_a_new_head(tmp_path: Path, capfd: Any) -> None:
    torch.manual_seed(1)
    net = mobilenet_v3()
    for module in net.modules():
        if isinstance(module, nn.Conv2d):  # as a training leaves them: by PyTorch's start small networks fade
            nn.init.kaiming_normal_(module.weight)
    exported(net, tmp_path / "net.onnx", "torchscript")
    capfd.readouterr()
    body = pl.import_onnx(tmp_path / "net.onnx")
    rng = np.random.default_rng(0)
    X = rng.integers(0, 100, (24, 32, 32, 3), dtype=np.uint8)
    X[::2, :16] += 120
    own = pl.transfer(body, (X, ["top", "plain"] * 12), freeze="globalavgpool2d_3")
    history = pl.train(own, (X, ["top", "plain"] * 12), n_epochs=60, learning_rate=0.1)
    assert (own.classes, own.output_shape) == (("plain", "top"), (1,))
    assert history.losses[-1] < 0.5 * history.losses[0]
    np.testing.assert_array_equal(own._leaves()[0].params["W"], body._leaves()[0].params["W"])
