"""The convolution layer, and the names of the other layers for images."""

from typing import Any, final

from pellucid.errors import OptionError, ShapeError, unknown_name
from pellucid.nn.initializers import StartRandom, get_initializer
from pellucid.nn.layers import Layer
from pellucid.nn.pooling import AvgPool2D, GlobalAvgPool2D, MaxPool2D, UpSample2D, ZeroPad2D
from pellucid.nn.windows import PaddingOption, Size, as_padding, as_pair, image_shape
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.conv import conv2d_backward, conv2d_forward
from pellucid.ops.conv_geometry import window_geometry
from pellucid.types import Array, Shape

__all__ = ["AvgPool2D", "Conv2D", "GlobalAvgPool2D", "MaxPool2D", "UpSample2D", "ZeroPad2D"]


@final
class Conv2D(Layer):
    """Slide small kernels over an image: every output pixel is a weighted sum of the pixels around it.

    Parameters
    ----------
    filters : int
        How many kernels, and so output channels.
    kernel_size : int or (int, int), optional
        Height and width.
    stride : int or (int, int), optional
        How far windows are apart, down and across.
    padding : "same", "valid", int, (int, int) or ((int, int), (int, int)), optional
        Zeros around the image. ``"same"``: as many as give ceil(h / stride) rows, the odd one below and at the
        right; ``"valid"``: none; a number: so many on every side; two: above and below, left and right; four:
        ((top, bottom), (left, right)).
    dilation : int or (int, int), optional
        How far the taps of a kernel are apart.
    groups : int, optional
        Channels are split into so many parts that do not see each other; as many as there are channels make a
        depthwise convolution.
    use_bias : bool, optional
        Whether a number is added to each output channel. Leave it out before BatchNorm, which takes it away.
    activation : str, optional
        A name of :data:`pellucid.ops.activations.ACTIVATIONS`; default: none.
    initializer : str, optional
        Of the kernels; default: ``"he"`` before relu, else ``"glorot"``. Biases start at zero.

    Raises
    ------
    OptionError
        If an option is unknown or out of range.
    ShapeError
        When built for samples that are not images, are smaller than the kernel, or whose channels do not split
        into the groups.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Conv2D(8, 3, stride=2, activation="relu")
    >>> layer.build((64, 64, 3), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.ones((2, 64, 64, 3))).shape
    (2, 32, 32, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Size = 3,
        *,
        stride: Size = 1,
        padding: PaddingOption = "same",
        dilation: Size = 1,
        groups: int = 1,
        use_bias: bool = True,
        activation: str | None = None,
        initializer: str | None = None,
    ) -> None:
        super().__init__()
        if filters < 1 or groups < 1 or filters % groups:
            raise OptionError(
                f"Conv2D: expected filters of 1 or more, a multiple of groups, got {filters} filters and {groups} "
                "groups."
            )
        if activation is not None and activation not in ACTIVATIONS:
            raise OptionError(f"Conv2D: {unknown_name('activation', activation, ACTIVATIONS)}")
        self.filters, self.groups, self.use_bias = filters, groups, use_bias
        self.kernel_size = as_pair("Conv2D", "kernel_size", kernel_size)
        self.stride = as_pair("Conv2D", "stride", stride)
        self.dilation = as_pair("Conv2D", "dilation", dilation)
        self.padding = padding
        as_padding(
            "Conv2D", padding, (1, 1), self.kernel_size, self.stride, self.dilation
        )  # refuses it early
        self.activation = activation
        self.initializer = initializer or ("he" if activation == "relu" else "glorot")
        self._draw = get_initializer(self.initializer)
        self.bend = ACTIVATIONS[activation] if activation else None

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Draw W (kh, kw, c_in / groups, filters); b is zero."""
        name = self.name or "Conv2D"
        h, w, c_in = image_shape(name, input_shape)
        if c_in % self.groups:
            raise ShapeError(
                f"{name}: expected images whose channels split into {self.groups} groups, got {input_shape}, "
                f"{c_in} channels."
            )
        kernel, stride, dilation = self.kernel_size, self.stride, self.dilation
        self.pads = as_padding(name, self.padding, (h, w), kernel, stride, dilation)
        geometry = window_geometry(
            name,
            (1, h, w, c_in),
            kernel,
            c_out=self.filters,
            stride=stride,
            padding=self.pads,
            dilation=dilation,
            groups=self.groups,
        )
        self.input_shape, self.output_shape = input_shape, geometry.out_shape[1:]
        W = self._draw(rng, (*kernel, c_in // self.groups, self.filters))
        self.params = {"W": W, "b": W[0, 0, 0] * 0} if self.use_bias else {"W": W}

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return activation(X * W + b), shape (m, h_out, w_out, filters)."""
        Z, self._cache = conv2d_forward(
            X,
            self.params["W"],
            self.params.get("b"),
            stride=self.stride,
            padding=self.pads,
            dilation=self.dilation,
            groups=self.groups,
            out=self.workspace.take("Z", (len(X), *self.output_shape), X.dtype),
            workspace=self.workspace,
            keep=training,
        )
        if self.bend is None:
            return Z
        A, self._bend_cache = self.bend.forward(Z, out=Z)
        return A

    def backward(self, dY: Array) -> Array | None:
        """Write dW and db; return dX, shape (m, h, w, c_in), or None where nothing needs it."""
        dZ = dY if self.bend is None else self.bend.backward(dY, self._bend_cache, dZ=dY)
        needs_dX = self.needs_input_gradient
        dX = self.workspace.take("dX", self._cache.X.shape, dZ.dtype) if needs_dX else None
        conv2d_backward(
            dZ,
            self._cache,
            dX=dX,
            dW=self.grads["W"],
            db=self.grads.get("b"),
            needs_dX=needs_dX,
            workspace=self.workspace,
        )
        return dX

    def config(self) -> dict[str, Any]:
        """Return the constructor's options."""
        return {
            "type": "Conv2D",
            "filters": self.filters,
            "kernel_size": list(self.kernel_size),
            "stride": list(self.stride),
            "padding": self.padding,
            "dilation": list(self.dilation),
            "groups": self.groups,
            "use_bias": self.use_bias,
            "activation": self.activation,
            "initializer": self.initializer,
        }

    @property
    def n_operations(self) -> int:
        """2 h_out w_out kh kw c_in filters / groups, by the plain algorithm."""
        h_out, w_out, _ = self.output_shape
        kh, kw = self.kernel_size
        return 2 * h_out * w_out * kh * kw * self.input_shape[2] // self.groups * self.filters
