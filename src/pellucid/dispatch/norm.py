"""What norms run."""

from collections.abc import Callable
from typing import Any

from pellucid.dispatch import twins
from pellucid.ops import batch_norm, layer_norm
from pellucid.types import Array

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
