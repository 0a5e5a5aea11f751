"""The network of a pellucid model as a PyTorch user writes it: the same layers with the same parameters.

"same" padding of a strided convolution is one-sided here and two-sided there, as each library's users have it; the
work is the same. Where no layer is padded so, and no Dense follows Flatten, the outputs are equal.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import pellucid as pl

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "gelu": nn.GELU,
    "silu": lambda: nn.SiLU(inplace=True),
}


class Add(nn.Module):
    """body(X) + shortcut(X)."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = self.body(X) + self.shortcut(X)
        return total


class Concatenate(nn.Module):
    """Branches that see the same input, joined at the channels."""

    def __init__(self, branches: list[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(X) for branch in self.branches], dim=1)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of images, as in torchvision's ConvNeXt; free of copies with channels_last."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return super().forward(X.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def to_torch(layer: pl.Layer) -> nn.Module:
    """Return an initialized layer or model as a module."""
    match layer:
        case pl.Sequential():
            return nn.Sequential(*(to_torch(child) for child in layer.layers))
        case pl.Residual():
            around = nn.Identity() if layer.shortcut is None else to_torch(layer.shortcut)
            return Add(to_torch(layer.body), around)
        case pl.Parallel(merge="concat"):
            return Concatenate([*map(to_torch, layer.branches)])
        case pl.Conv2D():
            padding = tuple((before + after + 1) // 2 for before, after in layer.pads)
            conv: Any = nn.Conv2d
            module = conv(
                layer.input_shape[-1],
                layer.filters,
                layer.kernel_size,
                layer.stride,
                padding,
                groups=layer.groups,
                bias=layer.use_bias,
            )
            W = layer.params["W"].transpose(3, 2, 0, 1)
            return _then(_filled(module, W, layer.params.get("b")), layer.activation)
        case pl.Dense():
            dense = nn.Linear(layer.input_shape[0], layer.units)
            return _then(_filled(dense, layer.params["W"].T, layer.params["b"]), layer.activation)
        case pl.BatchNorm():
            kind: Any = nn.BatchNorm2d if len(layer.input_shape) == 3 else nn.BatchNorm1d
            norm = _filled(
                kind(layer.input_shape[-1], layer.epsilon), layer.params["gamma"], layer.params["beta"]
            )
            norm.get_buffer("running_mean").copy_(torch.from_numpy(layer.state["running_mean"]))
            norm.get_buffer("running_var").copy_(torch.from_numpy(layer.state["running_var"]))
            return norm
        case pl.LayerNorm():
            kind = ChannelNorm if len(layer.input_shape) == 3 else nn.LayerNorm
            return _filled(
                kind(layer.input_shape[-1], layer.epsilon), layer.params["gamma"], layer.params["beta"]
            )
        case pl.Activation():
            return ACTIVATIONS[layer.activation]()
        case pl.Dropout():
            return nn.Dropout(layer.rate)
        case pl.MaxPool2D() | pl.AvgPool2D():
            kind = nn.MaxPool2d if isinstance(layer, pl.MaxPool2D) else nn.AvgPool2d
            (top, _), (left, _) = layer.pads
            pool: nn.Module = kind(layer.window["size"], layer.window["stride"], padding=(top, left))
            return pool
        case pl.GlobalAvgPool2D():
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        case pl.Flatten():
            return nn.Flatten()
    raise NotImplementedError(f"{type(layer).__name__} has no counterpart here yet")


def _filled(module: Any, weight: Any, bias: Any) -> nn.Module:
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weight.copy()))
        if bias is not None:
            module.bias.copy_(torch.from_numpy(bias.copy()))
    filled: nn.Module = module
    return filled


def _then(module: nn.Module, activation: str | None) -> nn.Module:
    return module if activation is None else nn.Sequential(module, ACTIVATIONS[activation]())


def in_one_graph(loss: Callable[..., torch.Tensor], parameters: list[torch.Tensor]) -> Callable[..., None]:
    """Return forward, backward and Adam in one compiled graph, which spares small networks most calls."""
    torch._dynamo.config.trace_autograd_ops = True
    first, second = ([torch.zeros_like(theta) for theta in parameters] for _ in range(2))
    t = torch.zeros(())

    @torch.compile(fullgraph=True)
    def step(X: torch.Tensor, y: torch.Tensor) -> None:
        gradients = torch.autograd.grad(loss(X, y), parameters)
        with torch.no_grad():
            t.add_(1)
            rate, root = 0.001 / (1 - 0.9**t), torch.sqrt(1 - 0.999**t)
            for theta, m, v, g in zip(parameters, first, second, gradients, strict=True):
                m.lerp_(g, 0.1)
                v.mul_(0.999).addcmul_(g, g, value=0.001)
                theta.sub_(rate * m / (v.sqrt() / root + 1e-8))

    return step
