"""What norms run."""

from collections.abc import Callable
from typing import Any

from pellucid.dispatch import twins
from pellucid.ops import batch_norm, layer_norm
from pellucid.types import Array

batch_norm_forward: Callable[..., tuple[Array, Array, Array, Any]] = twins(
    batch_norm.batch_norm_forward, kernel="batch_norm", extra=("workspace",)
)
batch_norm_backward = twins(batch_norm.batch_norm_backward, kernel="batch_norm")
batch_norm_inference_forward = twins(batch_norm.batch_norm_inference_forward, kernel="batch_norm")
batch_norm_inference_backward = twins(batch_norm.batch_norm_inference_backward, kernel="batch_norm")
layer_norm_forward: Callable[..., tuple[Array, Any]] = twins(
    layer_norm.layer_norm_forward, kernel="layer_norm", extra=("workspace",)
)
layer_norm_backward = twins(layer_norm.layer_norm_backward, kernel="layer_norm")
