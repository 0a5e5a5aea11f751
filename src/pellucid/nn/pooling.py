"""Layers that make images smaller or larger: pooling, upsampling, a frame of zeros."""

from typing import Any, final

from pellucid.errors import OptionError
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layers import Layer
from pellucid.nn.windows import PaddingOption, Size, as_padding, as_pair, image_shape
from pellucid.ops.pool import (
    average_pool_backward,
    average_pool_forward,
    global_average_backward,
    global_average_forward,
    max_pool_backward,
    max_pool_forward,
)
from pellucid.ops.pool_windows import pool_geometry
from pellucid.ops.resize import upsample_backward, upsample_forward, zero_pad_backward, zero_pad_forward
from pellucid.types import Array, Shape


class ImageLayer(Layer):
    """What the layers of this page share: images in, and two arrays written again and again."""

    def _out(self, X: Array) -> Array:
        return self.workspace.take("Z", (len(X), *self.output_shape), X.dtype)

    def _dX(self, dY: Array) -> Array:
        return self.workspace.take("dX", (len(dY), *self.input_shape), dY.dtype)


class Pooling(ImageLayer):
    """What max and average pooling share: their options and shapes."""

    def __init__(self, size: Size = 2, stride: Size | None = None, padding: PaddingOption = "valid") -> None:
        super().__init__()
        kind = type(self).__name__
        self.size = as_pair(kind, "size", size)
        self.stride = self.size if stride is None else as_pair(kind, "stride", stride)
        self.padding = padding
        as_padding(kind, padding, (1, 1), self.size, self.stride, (1, 1))  # refuses a bad one here

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Learn the shape of the input."""
        name = self.name or type(self).__name__
        h, w, c = image_shape(name, input_shape)
        self.pads = as_padding(name, self.padding, (h, w), self.size, self.stride, (1, 1))
        geometry = pool_geometry(name, (1, h, w, c), self.size, self.stride, self.pads)
        self.input_shape, self.output_shape = input_shape, geometry.out_shape[1:]

    def config(self) -> dict[str, Any]:
        """Return the constructor's options."""
        return {
            "type": type(self).__name__,
            "size": list(self.size),
            "stride": list(self.stride),
            "padding": self.padding,
        }

    @property
    def n_operations(self) -> int:
        """One comparison or addition for each entry of each window."""
        h_out, w_out, c = self.output_shape
        return h_out * w_out * c * self.size[0] * self.size[1]


@final
class MaxPool2D(Pooling):
    """Keep the largest number of each window, channel by channel.

    Parameters
    ----------
    size : int or (int, int), optional
        Height and width of a window.
    stride : int or (int, int), optional
        How far windows are apart; default: ``size``.
    padding : "valid", "same", int, (int, int) or ((int, int), (int, int)), optional
        As in :class:`pellucid.nn.conv.Conv2D`, less than the window; padding never wins.

    Raises
    ------
    OptionError
        If an option is out of range.
    ShapeError
        When built for samples that are not images or smaller than a window.

    Notes
    -----
    The gradient goes to one pixel a window, to the first of those that tie, as in PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> layer = MaxPool2D()
    >>> layer.build((4, 4, 1), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.arange(16.0).reshape(1, 4, 4, 1)).ravel()
    array([ 5.,  7., 13., 15.])
    """

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the largest number of each window, shape (m, h_out, w_out, c)."""
        Z, self._cache = max_pool_forward(
            X,
            size=self.size,
            stride=self.stride,
            padding=self.pads,
            out=self._out(X),
            workspace=self.workspace,
        )
        return Z

    def backward(self, dY: Array) -> Array | None:
        """Return dX, or None where nothing needs it."""
        if not self.needs_input_gradient:
            return None
        return max_pool_backward(dY, self._cache, dX=self._dX(dY), workspace=self.workspace)


@final
class AvgPool2D(Pooling):
    """Keep the mean of each window, channel by channel.

    Parameters
    ----------
    size, stride, padding
        As in :class:`MaxPool2D`.
    count_include_pad : bool, optional
        True: padding counts as zeros (PyTorch's default); False: the mean is of the pixels alone (Keras's way).

    Raises
    ------
    OptionError
        If an option is out of range.
    ShapeError
        When built for samples that are not images or smaller than a window.

    Examples
    --------
    >>> import numpy as np
    >>> layer = AvgPool2D()
    >>> layer.build((4, 4, 1), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.arange(16.0).reshape(1, 4, 4, 1)).ravel()
    array([ 2.5,  4.5, 10.5, 12.5])
    """

    def __init__(
        self,
        size: Size = 2,
        stride: Size | None = None,
        padding: PaddingOption = "valid",
        *,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(size, stride, padding)
        self.count_include_pad = count_include_pad

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the mean of each window, shape (m, h_out, w_out, c)."""
        Z, self._cache = average_pool_forward(
            X,
            size=self.size,
            stride=self.stride,
            padding=self.pads,
            count_include_pad=self.count_include_pad,
            out=self._out(X),
        )
        return Z

    def backward(self, dY: Array) -> Array | None:
        """Return dX, or None where nothing needs it."""
        if not self.needs_input_gradient:
            return None
        return average_pool_backward(dY, self._cache, dX=self._dX(dY), workspace=self.workspace)

    def config(self) -> dict[str, Any]:
        """Return the constructor's options."""
        return {**super().config(), "count_include_pad": self.count_include_pad}


@final
class GlobalAvgPool2D(ImageLayer):
    """Keep the mean of each channel over the whole image: (m, h, w, c) becomes (m, c).

    Examples
    --------
    >>> import numpy as np
    >>> layer = GlobalAvgPool2D()
    >>> layer.build((2, 2, 1), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.arange(4.0).reshape(1, 2, 2, 1))
    array([[1.5]])
    """

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Learn the shape of the input."""
        c = image_shape(self.name or "GlobalAvgPool2D", input_shape)[2]
        self.input_shape, self.output_shape = input_shape, (c,)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the means, shape (m, c)."""
        Z, self._cache = global_average_forward(X, out=self._out(X))
        return Z

    def backward(self, dY: Array) -> Array | None:
        """Return dX, or None where nothing needs it."""
        if not self.needs_input_gradient:
            return None
        return global_average_backward(dY, self._cache, dX=self._dX(dY))

    @property
    def n_operations(self) -> int:
        """One addition for each number of the input."""
        h, w, c = self.input_shape
        return h * w * c


@final
class UpSample2D(ImageLayer):
    """Repeat each pixel: nearest-neighbour enlargement.

    Parameters
    ----------
    factor : int or (int, int), optional
        How many times, down and across.

    Examples
    --------
    >>> import numpy as np
    >>> layer = UpSample2D(2)
    >>> layer.build((1, 1, 1), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.ones((1, 1, 1, 1))).shape
    (1, 2, 2, 1)
    """

    def __init__(self, factor: Size = 2) -> None:
        super().__init__()
        self.factor = as_pair("UpSample2D", "factor", factor)

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Learn the shape of the input."""
        h, w, c = image_shape(self.name or "UpSample2D", input_shape)
        self.input_shape, self.output_shape = input_shape, (h * self.factor[0], w * self.factor[1], c)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return X enlarged."""
        Z, self._cache = upsample_forward(X, self.factor, out=self._out(X))
        return Z

    def backward(self, dY: Array) -> Array | None:
        """Return dX, or None where nothing needs it."""
        return upsample_backward(dY, self._cache, dX=self._dX(dY)) if self.needs_input_gradient else None

    def config(self) -> dict[str, Any]:
        """Return the constructor's options."""
        return {"type": "UpSample2D", "factor": list(self.factor)}


@final
class ZeroPad2D(ImageLayer):
    """Put a frame of zeros around images.

    Parameters
    ----------
    padding : int, (int, int) or ((int, int), (int, int)), optional
        On every side; above and below, left and right; or ((top, bottom), (left, right)).

    Examples
    --------
    >>> import numpy as np
    >>> layer = ZeroPad2D(((1, 0), (0, 2)))
    >>> layer.build((4, 4, 3), StartRandom(np.random.PCG64(1)))
    >>> layer.output_shape
    (5, 6, 3)
    """

    def __init__(self, padding: PaddingOption = 1) -> None:
        super().__init__()
        if isinstance(padding, str):
            raise OptionError(f"ZeroPad2D: expected padding as one, two or four numbers, got {padding!r}.")
        self.padding = padding
        self.pads = as_padding("ZeroPad2D", padding, (1, 1), (1, 1), (1, 1), (1, 1))

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Learn the shape of the input."""
        h, w, c = image_shape(self.name or "ZeroPad2D", input_shape)
        self.input_shape, self.output_shape = input_shape, (h + sum(self.pads[0]), w + sum(self.pads[1]), c)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return X in its frame."""
        Z, self._cache = zero_pad_forward(X, self.pads, out=self._out(X))
        return Z

    def backward(self, dY: Array) -> Array | None:
        """Return dX, or None where nothing needs it."""
        return zero_pad_backward(dY, self._cache, dX=self._dX(dY)) if self.needs_input_gradient else None

    def config(self) -> dict[str, Any]:
        """Return the constructor's options."""
        return {"type": "ZeroPad2D", "padding": self.padding}
