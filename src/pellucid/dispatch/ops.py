"""The ops that have twins: what layers, training and prediction call in their place."""

from collections.abc import Callable
from typing import Any

from pellucid.dispatch.twins import TWINS as TWINS
from pellucid.dispatch.twins import twins
from pellucid.kernels.uncompiled import conv as fast_conv
from pellucid.kernels.uncompiled import pool as fast_pool
from pellucid.ops import batch_norm, bias_activation, conv, fused, layer_norm, pool
from pellucid.types import Array

conv2d_forward = twins(
    conv.conv2d_forward, fast_conv.conv2d_forward, kernel="conv", extra=("workspace", "keep", "algorithm")
)
conv2d_backward = twins(conv.conv2d_backward, fast_conv.conv2d_backward, kernel="conv", extra=("workspace",))

max_pool_forward = twins(
    pool.max_pool_forward, fast_pool.max_pool_forward, kernel="pool", extra=("workspace",)
)
max_pool_backward = twins(
    pool.max_pool_backward, fast_pool.max_pool_backward, kernel="pool", extra=("workspace",)
)
average_pool_forward = twins(pool.average_pool_forward, fast_pool.average_pool_forward, kernel="pool")
average_pool_backward = twins(
    pool.average_pool_backward, fast_pool.average_pool_backward, kernel="pool", extra=("workspace",)
)

bias_activation_forward: Callable[..., tuple[Array, Any]] = twins(
    bias_activation.bias_activation_forward, kernel="activations", extra=("workspace",)
)
bias_activation_backward: Callable[..., tuple[Array, Any]] = twins(
    bias_activation.bias_activation_backward, kernel="activations"
)

batch_moments = twins(batch_norm.batch_moments, kernel="batch_norm")
batch_norm_forward = twins(batch_norm.batch_norm_forward, kernel="batch_norm")
gradient_sums = twins(batch_norm.gradient_sums, kernel="batch_norm")
batch_norm_backward = twins(batch_norm.batch_norm_backward, kernel="batch_norm")
batch_norm_inference_forward = twins(batch_norm.batch_norm_inference_forward, kernel="batch_norm")
batch_norm_inference_backward = twins(batch_norm.batch_norm_inference_backward, kernel="batch_norm")

layer_norm_forward: Callable[..., tuple[Array, Any]] = twins(
    layer_norm.layer_norm_forward, kernel="layer_norm", extra=("workspace",)
)
layer_norm_backward = twins(layer_norm.layer_norm_backward, kernel="layer_norm")

# Chains of ops: nn/fusion uses these in place of layers that follow one another.
conv_norm_forward: Callable[..., Any] = twins(fused.conv_norm_forward, kernel="fused", extra=("workspace",))
conv_norm_backward: Callable[..., Any] = twins(fused.conv_norm_backward, kernel="fused")
conv_relu_forward: Callable[..., Any] = twins(fused.conv_relu_forward, kernel="fused", extra=("workspace",))
conv_relu_backward: Callable[..., Any] = twins(fused.conv_relu_backward, kernel="fused")
conv_affine: Callable[..., Any] = twins(fused.conv_affine, kernel="conv_affine", extra=("workspace",))
conv_run: Callable[..., Any] = twins(fused.conv_run, kernel="conv_run", extra=("workspace",))
