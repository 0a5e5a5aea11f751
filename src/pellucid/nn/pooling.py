"""Layers that change the size of images: pooling, upsampling, resizing, padding."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, final

from pellucid.dispatch.ops import (
    average_pool_backward,
    average_pool_forward,
    max_pool_backward,
    max_pool_forward,
)
from pellucid.errors import ShapeError
from pellucid.nn.initializers import StartRandom
from pellucid.nn.windows import (
    Frame,
    ImageLayer,
    PaddingOption,
    Size,
    as_padding,
    frame,
    padding_option,
    pair,
    size_option,
)
from pellucid.ops.conv_geometry import pool_geometry
from pellucid.ops.pool import global_average_backward, global_average_forward
from pellucid.ops.resize import (
    linear_weights,
    reflect_weights,
    resample_backward,
    resample_forward,
    upsample_backward,
    upsample_forward,
    zero_pad_backward,
    zero_pad_forward,
)
from pellucid.registry import option, register
from pellucid.types import Array, Shape


@dataclass(eq=False, repr=False)
class Pooling(ImageLayer):
    """The options and shapes of max and average pooling."""

    size: Size = size_option(2, help="Height and width of a window.")
    stride: Size | None = size_option(None, help="Distance between windows, down and across; None: the size.")
    padding: PaddingOption = padding_option("valid", help="As in Conv2D, and less than the window.")

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Take the shape of the input."""
        h, w, c = self.image_shape(input_shape)
        size, stride = pair(self.size), pair(self.size if self.stride is None else self.stride)
        self.pads = as_padding(self.padding, (h, w), size, stride, (1, 1))
        self.window: dict[str, Any] = {"size": size, "stride": stride, "padding": self.pads}
        geometry = pool_geometry(self._label, (1, h, w, c), **self.window)
        self._scratch = {"workspace": self._workspace}
        self._set_shapes(input_shape, geometry.out_shape[1:], **self.window, **self._forward_options())

    def _forward_options(self) -> dict[str, Any]:
        """Return what the forward takes besides the window."""
        return dict(self._scratch)

    @property
    def _n_operations(self) -> int:
        """One comparison or addition for each entry of each window."""
        (h_out, w_out, c), (height, width) = self.output_shape, pair(self.size)
        return h_out * w_out * c * height * width


@final
@register
@dataclass(eq=False, repr=False)
class MaxPool2D(Pooling):
    """Keep the largest number of each window, channel by channel; padding is never the largest.

    Raises
    ------
    OptionError
        If an option is out of range.
    ShapeError
        When built for samples that are not images or smaller than a window.

    Notes
    -----
    The gradient goes to one pixel per window, to the first of those that tie, as in PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> layer = MaxPool2D()
    >>> layer.build((4, 4, 1), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.arange(16.0).reshape(1, 4, 4, 1)).ravel()
    array([ 5.,  7., 13., 15.])
    """

    _op = max_pool_forward, max_pool_backward


@final
@register
@dataclass(eq=False, repr=False)
class AvgPool2D(Pooling):
    """Keep the mean of each window, channel by channel.

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

    _op = average_pool_forward, average_pool_backward

    _: KW_ONLY
    count_include_pad: bool = option(
        True,
        help="True: padding counts as zeros (PyTorch's default); False: the mean is over the pixels alone "
        "(Keras's way).",
    )

    def _forward_options(self) -> dict[str, Any]:
        """Return what the forward takes besides the window."""
        return {"count_include_pad": self.count_include_pad}


@final
@register
@dataclass(eq=False, repr=False)
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

    _op = global_average_forward, global_average_backward
    _operations_per_value = 1

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Take the shape of the input."""
        self._set_shapes(input_shape, self.image_shape(input_shape)[2:])


@final
@register
@dataclass(eq=False, repr=False)
class UpSample2D(ImageLayer):
    """Repeat each pixel: nearest-neighbour enlargement.

    Examples
    --------
    >>> import numpy as np
    >>> layer = UpSample2D(2)
    >>> layer.build((1, 1, 1), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.ones((1, 1, 1, 1))).shape
    (1, 2, 2, 1)
    """

    _op = upsample_forward, upsample_backward

    factor: Size = size_option(2, help="How many times each pixel is repeated, down and across.")

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Take the shape of the input."""
        (h, w, c), (down, across) = self.image_shape(input_shape), pair(self.factor)
        self._set_shapes(input_shape, (h * down, w * across, c), factor=(down, across))


@final
@register
@dataclass(eq=False, repr=False)
class ZeroPad2D(ImageLayer):
    """Pad images with zeros.

    Examples
    --------
    >>> import numpy as np
    >>> layer = ZeroPad2D(((1, 0), (0, 2)))
    >>> layer.build((4, 4, 3), StartRandom(np.random.PCG64(1)))
    >>> layer.output_shape
    (5, 6, 3)
    """

    _op = zero_pad_forward, zero_pad_backward

    padding: Frame = padding_option(
        1, help="On every side; above and below, left and right; or ((top, bottom), (left, right))."
    )

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Take the shape of the input."""
        (h, w, c), self.pads = self.image_shape(input_shape), frame(self.padding)
        output_shape = h + sum(self.pads[0]), w + sum(self.pads[1]), c
        self._set_shapes(input_shape, output_shape, padding=self.pads)


@dataclass(eq=False, repr=False)
class Resampling(ImageLayer):
    """Rows and columns of images as weighted sums of rows and columns, by weights that are not trained."""

    _op = resample_forward, resample_backward

    def _weigh(self, input_shape: Shape, down: Array, across: Array) -> None:
        """Keep the weights of the rows and of the columns."""
        self._set_shapes(input_shape, (len(down), len(across), input_shape[2]), down=down, across=across)


@final
@register
@dataclass(eq=False, repr=False)
class Resize2D(Resampling):
    """Resize images to a height and width by bilinear interpolation.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Resize2D((1, 4))
    >>> layer.build((1, 2, 1), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.array([0.0, 4.0]).reshape(1, 1, 2, 1)).ravel()
    array([0., 1., 3., 4.])
    """

    size: Size = size_option(help="Height and width of the output.")
    _: KW_ONLY
    align_corners: bool = option(
        False, help="Whether the corners' pixels keep their places (not the corners of the images)."
    )

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Take the shape of the input."""
        h, w, _ = self.image_shape(input_shape)
        height, width = pair(self.size)
        down = linear_weights(h, height, align_corners=self.align_corners)
        self._weigh(input_shape, down, linear_weights(w, width, align_corners=self.align_corners))


@final
@register
@dataclass(eq=False, repr=False)
class ReflectPad2D(Resampling):
    """Pad images with their own pixels, mirrored at the first and the last of each row and column.

    Examples
    --------
    >>> import numpy as np
    >>> layer = ReflectPad2D((0, 1))
    >>> layer.build((1, 3, 1), StartRandom(np.random.PCG64(1)))
    >>> layer.forward(np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)).ravel()
    array([2., 1., 2., 3., 2.])
    """

    padding: Frame = padding_option(1, help="As in ZeroPad2D, and less than the image.")

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Take the shape of the input; ShapeError if it is not larger than the padding."""
        (h, w, _), self.pads = self.image_shape(input_shape), frame(self.padding)
        if max(self.pads[0]) >= h or max(self.pads[1]) >= w:
            raise ShapeError(
                f"{self._label}: expected images larger than the padding {self.padding}, got {h} x {w} pixels. "
                "Pad by less, or with ZeroPad2D."
            )
        self._weigh(input_shape, reflect_weights(h, self.pads[0]), reflect_weights(w, self.pads[1]))
