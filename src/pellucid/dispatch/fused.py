"""Chains of ops: nn/fusion uses these in place of layers that follow one another."""

from collections.abc import Callable
from typing import Any

from pellucid.dispatch import twins
from pellucid.ops import fused

conv_norm_forward: Callable[..., Any] = twins(fused.conv_norm_forward, kernel="fused", extra=("workspace",))
conv_norm_backward: Callable[..., Any] = twins(fused.conv_norm_backward, kernel="fused")
conv_relu_forward: Callable[..., Any] = twins(fused.conv_relu_forward, kernel="fused", extra=("workspace",))
conv_relu_backward: Callable[..., Any] = twins(fused.conv_relu_backward, kernel="fused")
conv_affine: Callable[..., Any] = twins(fused.conv_affine, kernel="conv_affine", extra=("workspace",))
conv_run: Callable[..., Any] = twins(fused.conv_run, kernel="conv_run", extra=("workspace",))
