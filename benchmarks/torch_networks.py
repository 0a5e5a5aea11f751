"""Networks of PyTorch's model zoo as plain modules, untrained, for files that are imported."""

from collections.abc import Callable

import torch
from torch import nn


def norm_of(channels: int, act: type[nn.Module] | None) -> list[nn.Module]:
    """Return a batch norm whose statistics are not those of a start, and an activation."""
    norm = nn.BatchNorm2d(channels)
    nn.init.uniform_(norm.weight, 0.5, 1.5)
    nn.init.normal_(norm.bias, std=0.1)
    return [norm] if act is None else [norm, act()]


def conv(
    c_in: int,
    c_out: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    act: type[nn.Module] | None = nn.ReLU,
) -> list[nn.Module]:
    """Return a convolution without a bias, its norm and its activation."""
    layer = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [layer, *norm_of(c_out, act)]


class Shortcut(nn.Module):
    """body(X) + shortcut(X), and an activation."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, act: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut, self.act = body, shortcut, act

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = self.act(self.body(X) + self.shortcut(X))
        return total


class SqueezeAndExcite(nn.Module):
    """X times a weight for each channel, computed of all channels' means (Hu et al., 2018)."""

    def __init__(self, channels: int, between: int) -> None:
        super().__init__()
        self.weights = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, between, 1),
            nn.ReLU(),
            nn.Conv2d(between, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        scaled: torch.Tensor = X * self.weights(X)
        return scaled


def resnet_18() -> nn.Module:
    """He et al. (2016), with 18 layers: 11.7 million weights, 1.8 G multiplications a photo of 224 x 224."""
    layers, c = [*conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for n, first in ((64, 1), (128, 2), (256, 2), (512, 2)):
        for stride in (first, 1):
            body = nn.Sequential(*conv(c, n, 3, stride), *conv(n, n, 3, act=None))
            around = (
                nn.Identity() if (c, stride) == (n, 1) else nn.Sequential(*conv(c, n, 1, stride, act=None))
            )
            layers.append(Shortcut(body, around, nn.ReLU()))
            c = n
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, 1000))


MOBILE_BLOCKS = (  # kernel, expanded channels, channels, squeeze and excite, hard swish, stride
    (3, 16, 16, False, False, 1), (3, 64, 24, False, False, 2), (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2), (5, 120, 40, True, False, 1), (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2), (3, 200, 80, False, True, 1), (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1), (3, 480, 112, True, True, 1), (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2), (5, 960, 160, True, True, 1), (5, 960, 160, True, True, 1),
)  # fmt: skip


def mobilenet_v3() -> nn.Module:
    """Howard et al. (2019), "large": 5.5 million weights, 0.22 G multiplications a photo of 224 x 224."""
    layers, c = conv(3, 16, 3, 2, act=nn.Hardswish), 16
    for kernel, wide, n, squeezes, is_swish, stride in MOBILE_BLOCKS:
        act: type[nn.Module] = nn.Hardswish if is_swish else nn.ReLU
        body = [] if wide == c else conv(c, wide, 1, act=act)
        body += conv(wide, wide, kernel, stride, groups=wide, act=act)
        body += [SqueezeAndExcite(wide, (wide // 4 + 4) // 8 * 8)] if squeezes else []
        body += conv(wide, n, 1, act=None)
        is_residual = (c, stride) == (n, 1)
        layers += [Shortcut(nn.Sequential(*body), nn.Identity(), nn.Identity())] if is_residual else body
        c = n
    head = [
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(960, 1280),
        nn.Hardswish(),
        nn.Linear(1280, 1000),
    ]
    return nn.Sequential(*layers, *conv(c, 960, 1, act=nn.Hardswish), *head)


NETWORKS: dict[str, Callable[[], nn.Module]] = {"mobilenet-v3": mobilenet_v3, "resnet-18": resnet_18}
