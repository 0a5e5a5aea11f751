"""What biases and activations run."""

from collections.abc import Callable
from typing import Any

from pellucid.dispatch import twins
from pellucid.ops import bias_activation
from pellucid.types import Array

bias_activation_forward: Callable[..., tuple[Array, Any]] = twins(
    bias_activation.bias_activation_forward, kernel="activations", extra=("workspace",)
)
bias_activation_backward: Callable[..., tuple[Array, Any]] = twins(
    bias_activation.bias_activation_backward, kernel="activations"
)
