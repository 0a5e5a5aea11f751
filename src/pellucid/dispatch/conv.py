"""What convolutions run."""

from pellucid.dispatch import twins
from pellucid.kernels.uncompiled import conv as fast
from pellucid.ops import conv

conv2d_forward = twins(
    conv.conv2d_forward, fast.conv2d_forward, kernel="conv", extra=("workspace", "keep", "algorithm")
)
conv2d_backward = twins(conv.conv2d_backward, fast.conv2d_backward, kernel="conv", extra=("workspace",))
