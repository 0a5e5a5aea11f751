"""What dropout runs."""

from collections.abc import Callable
from typing import Any

from pellucid.dispatch import twins
from pellucid.ops import dropout
from pellucid.types import Array

dropout_forward: Callable[..., tuple[Array, Any]] = twins(
    dropout.dropout_forward, kernel="dropout", extra=("mask",)
)
