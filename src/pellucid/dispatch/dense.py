"""What dense layers and activations run."""

from collections.abc import Callable
from typing import Any

from pellucid.dispatch import twins
from pellucid.ops import bias_activation, linear
from pellucid.types import Array

linear_backward = twins(linear.linear_backward, kernel="linear")
bias_activation_forward: Callable[..., tuple[Array, Any]] = twins(
    bias_activation.bias_activation_forward, kernel="activations", extra=("workspace",)
)
bias_activation_backward: Callable[..., tuple[Array, Any]] = twins(
    bias_activation.bias_activation_backward, kernel="activations"
)
