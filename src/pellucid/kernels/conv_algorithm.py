"""What the ways of computing a convolution share: each works on a block of images that stays in the cache."""

from typing import Any, Protocol

from pellucid.ops.conv_geometry import Geometry
from pellucid.types import Array


class ConvAlgorithm(Protocol):
    """One convolution of one geometry and dtype, Z = X * W, with scratch memory of its own.

    ``set_weights`` comes before every ``forward``; ``begin_backward``, ``backward`` for each block and
    ``end_backward`` after it. There is no bias here, and no activation: they are passes over the block that follow.

    Attributes
    ----------
    block : int
        How many images to hand over at a time, so that what belongs to them stays in the cache. Fewer are allowed.
    """

    block: int

    def __init__(self, geometry: Geometry, dtype: Any) -> None:
        """Make scratch memory for a block of images; ``geometry.m`` is not looked at."""

    @staticmethod
    def fits(geometry: Geometry) -> bool:
        """Return whether it serves this geometry, and pays."""

    def set_weights(self, W: Array) -> None:
        """Take the kernels, (kh, kw, c_in / groups, c_out)."""

    def forward(self, X: Array, Z: Array) -> None:
        """Z <- X * W for images X (n, h, w, c_in), into Z (n, h_out, w_out, c_out)."""

    def begin_backward(self) -> None:
        """Let the gradient of the kernels be 0."""

    def backward(self, X: Array, dZ: Array, dX: Array | None) -> None:
        """Add these images' part to dW; write their dX, (n, h, w, c_in), unless None. dZ may be overwritten."""

    def end_backward(self, dW: Array) -> None:
        """Write the gradient of the kernels, in the shape of W."""
