"""The convolution layer."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import numpy as np

from pellucid.dispatch.ops import (
    bias_activation_backward,
    bias_activation_forward,
    conv2d_backward,
    conv2d_forward,
)
from pellucid.errors import OptionError, ShapeError
from pellucid.nn.initializers import StartRandom, activation_option, default_initializer, initializer_option
from pellucid.nn.windows import ImageLayer, PaddingOption, Size, as_padding, padding_option, pair, size_option
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.conv_geometry import window_geometry
from pellucid.registry import option, register
from pellucid.types import Array, Shape


@final
@register
@dataclass(eq=False, repr=False)
class Conv2D(ImageLayer):
    """Slide small kernels over an image: every output pixel is a weighted sum of the pixels around it.

    Raises
    ------
    OptionError
        If an option is unknown or out of range.
    ShapeError
        When built for samples that are not images, are smaller than the kernel, or whose channels do not split
        into the groups.

    Examples
    --------
    >>> layer = Conv2D(8, 3, stride=2, activation="relu")
    >>> layer
    Conv2D(filters=8, stride=(2, 2), activation='relu')
    >>> layer.build((64, 64, 3), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.ones((2, 64, 64, 3))).shape
    (2, 32, 32, 8)
    """

    _starts_chain = True

    filters: int = option(at_least=1, help="Number of kernels, hence of output channels.")
    kernel_size: Size = size_option(3, help="Height and width of a kernel.")
    _: KW_ONLY
    stride: Size = size_option(1, help="Distance between windows, down and across.")
    padding: PaddingOption = padding_option(
        "same",
        help='Zeros around the image. "same": as many as give ceil(h / stride) rows, the odd one below and at the '
        'right; "valid": none; one number: that many on every side; two: above and below, left and right; four: '
        "((top, bottom), (left, right)).",
    )
    dilation: Size = size_option(1, help="Distance between the taps of a kernel.")
    groups: int = option(
        1,
        at_least=1,
        help="Number of groups that the channels are split into; a group sees its own channels only. As many as "
        "there are channels make a depthwise convolution.",
    )
    use_bias: bool = option(
        True,
        help="Whether to add a bias to each output channel. Leave it out before BatchNorm, which subtracts it.",
    )
    activation: str | None = activation_option()
    initializer: str | None = initializer_option()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.filters % self.groups:
            raise OptionError(
                f"Conv2D: expected filters to be a multiple of groups, got {self.filters} filters and "
                f"{self.groups} groups."
            )
        self.activation_op = ACTIVATIONS[self.activation] if self.activation else None

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Draw W (kh, kw, c_in / groups, filters); b is zero."""
        h, w, c_in = self.image_shape(input_shape)
        if c_in % self.groups:
            raise ShapeError(
                f"{self._label}: expected images whose channels split into {self.groups} groups, got "
                f"{input_shape}, {c_in} channels."
            )
        kernel, stride, dilation = pair(self.kernel_size), pair(self.stride), pair(self.dilation)
        self.pads = as_padding(self.padding, (h, w), kernel, stride, dilation)
        self.window: dict[str, Any] = {
            "stride": stride,
            "padding": self.pads,
            "dilation": dilation,
            "groups": self.groups,
        }
        geometry = window_geometry(self._label, (1, h, w, c_in), kernel, c_out=self.filters, **self.window)
        self.input_shape, self.output_shape = input_shape, geometry.out_shape[1:]
        initializer = self.initializer or default_initializer(self.activation)
        W = rng.draw(initializer, (*kernel, c_in // self.groups, self.filters))
        self.params = {"W": W, "b": np.zeros(self.filters)} if self.use_bias else {"W": W}

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return activation(X * W + b), shape (m, h_out, w_out, filters)."""
        b, op = self.params.get("b"), self.activation_op
        Z, self._cache = conv2d_forward(
            X,
            self.params["W"],
            b if op is None else None,
            **self.window,
            out=self._workspace.take("Z", (len(X), *self.output_shape), X.dtype),
            workspace=self._workspace,
            keep=training,
        )
        if op is None:
            return Z
        A, self._activation_cache = bias_activation_forward(Z, b, op, out=Z, workspace=self._workspace)
        return A

    def backward(self, dY: Array) -> Array | None:
        """Write dW and db; return dX, shape (m, h, w, c_in), or None where it is not needed."""
        dZ, db = dY, self.grads.get("b")
        if self.activation_op is not None:
            dZ, _ = bias_activation_backward(dY, self._activation_cache, dZ=dY, db=db)
        needs_dX, dX = self._needs_input_gradient, None
        if needs_dX:
            dX = self._workspace.take("dX", (len(dZ), *self.input_shape), dZ.dtype)
        conv2d_backward(
            dZ,
            self._cache,
            dX=dX,
            dW=self.grads["W"],
            db=None if self.activation_op else db,
            needs_dX=needs_dX,
            workspace=self._workspace,
        )
        return dX

    @property
    def _n_operations(self) -> int:
        """2 h_out w_out kh kw c_in filters / groups, by the plain algorithm."""
        h_out, w_out, _ = self.output_shape
        kh, kw = pair(self.kernel_size)
        return 2 * h_out * w_out * kh * kw * self.input_shape[2] // self.groups * self.filters
