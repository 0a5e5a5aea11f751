"""Operations on images as layers: convolutions, pools, padding, enlarging."""

import math
from typing import Any

import numpy as np

from pellucid.errors import OptionError, ShapeError
from pellucid.formats.onnx.reading.layers import dense
from pellucid.formats.onnx.reading.moves import moved
from pellucid.formats.onnx.reading.source import Node
from pellucid.formats.onnx.reading.values import (
    MOST_VALUES,
    TRIAL,
    Add,
    Given,
    Reader,
    Value,
    array_at,
    checked,
    value_at,
    weights_at,
)
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Flatten
from pellucid.nn.pooling import (
    AvgPool2D,
    GlobalAvgPool2D,
    MaxPool2D,
    ReflectPad2D,
    Resize2D,
    UpSample2D,
    ZeroPad2D,
)
from pellucid.nn.windows import as_padding
from pellucid.ops.conv_geometry import Padding, Pair, output_length
from pellucid.ops.resize import hats, linear_weights
from pellucid.types import Array


def image_at(node: Node, given: Given) -> Value:
    """Return the first input, which must be an image with its channels at axis 1."""
    value = value_at(node, given, 0)
    if value.axes != (1, 2, 0):
        what = "a row" if len(value.axes) == 1 else "the layout of other axes"
        raise OptionError(f"{node.label}: expected images (m, c, h, w), got {what}, samples {value.shape}.")
    return value


def _pair(node: Node, key: str, default: Pair | None = None) -> Pair:
    given = node.attributes.get(key, default)
    if given is None or len(given) != 2 or min(given) < 1 or max(given) > 2**20:
        raise OptionError(f"{node.label}: expected {key} to be two numbers above 0, got {given}.")
    return int(given[0]), int(given[1])


def _pads(node: Node, size: Pair, kernel: Pair, stride: Pair, dilation: Pair) -> Padding:
    """Return the padding that a window's node asks for, with what rounding up adds below and at the right."""
    how = node.attributes.get("auto_pad", "NOTSET") or "NOTSET"
    if how == "VALID":
        return (0, 0), (0, 0)
    if how in ("SAME_UPPER", "SAME_LOWER"):
        vertical, horizontal = as_padding("same", size, kernel, stride, dilation)
        return (vertical, horizontal) if how == "SAME_UPPER" else (vertical[::-1], horizontal[::-1])
    pads = [int(n) for n in node.attributes.get("pads", [0, 0, 0, 0])]
    if len(pads) != 4 or min(pads) < 0:
        raise OptionError(f"{node.label}: expected pads of four numbers of 0 or more, got {pads}.")
    top, left, bottom, right = pads
    if node.attributes.get("ceil_mode", 0):
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
        bottom += _rounding(size[0] + top + bottom, reach[0], stride[0], size[0] + top)
        right += _rounding(size[1] + left + right, reach[1], stride[1], size[1] + left)
    return (top, bottom), (left, right)


def _rounding(padded: int, reach: int, stride: int, last: int) -> int:
    """Return how much more padding gives the window of rounding up, if that begins within the image."""
    n = math.ceil((padded - reach) / stride) + 1
    n -= (n - 1) * stride >= last
    return max(0, (n - 1) * stride + reach - padded)


def _window(
    node: Node, value: Value, kernel: Pair, stride: Pair, dilation: Pair = (1, 1), c: int | None = None
) -> tuple[Value, Padding, Any]:
    """Return the value of a layer with a window, checked, its padding, and that as it is written by hand."""
    h, w, _ = value.own_shape
    pads = _pads(node, (h, w), kernel, stride, dilation)
    if (h + sum(pads[0])) * (w + sum(pads[1])) * value.n_channels > MOST_VALUES:  # the padded image
        raise OptionError(f"{node.label}: with its padding {pads} the image is too large.")
    size = [
        output_length(n, k, s, p, d)
        for n, k, s, p, d in zip((h, w), kernel, stride, pads, dilation, strict=True)
    ]
    is_same = pads == as_padding("same", (h, w), kernel, stride, dilation)
    written = "valid" if pads == ((0, 0), (0, 0)) else "same" if is_same else _short(pads)
    return checked(value.with_size(size[0], size[1], "", c), node.label), pads, written


def _short(pads: Padding) -> Any:
    """Return padding as it is written by hand."""
    (top, bottom), (left, right) = pads
    if top == bottom == left == right:
        return top
    return (top, left) if (top, left) == (bottom, right) else pads


def _conv(node: Node, given: Given, add: Add) -> Value:
    value = value_at(node, given, 0)
    W = weights_at(node, given, 1, None, None, None, None)
    n_out, per_group, *size = W.shape
    bias = array_at(node, given, 2)
    if bias is not None and bias.shape != (n_out,):
        raise ShapeError(f"{node.label}: expected {n_out} biases, got the shape {bias.shape}.")
    groups = int(node.attributes.get("group", 1))
    if groups < 1 or not n_out or n_out % groups or per_group * groups != value.n_channels or value.axes[-1]:
        raise ShapeError(
            f"{node.label}: weights of the shape {W.shape} in {groups} groups do not fit samples {value.shape}."
        )
    kernel = (size[0], size[1])
    if _pair(node, "kernel_shape", kernel) != kernel:
        raise ShapeError(f"{node.label}: kernel_shape is not that of its weights, {kernel}.")
    stride, dilation = _pair(node, "strides", (1, 1)), _pair(node, "dilations", (1, 1))
    if len(value.axes) == 1 and len(value.shape) == 3 and groups == 1 and kernel == (1, 1):
        made = dense(value, W[:, :, 0, 0].T, bias, add, node.label)  # on means of channels
        return made._replace(shape=(n_out, 1, 1), axes=(0,))
    value = image_at(node, given)
    made, _, padding = _window(node, value, kernel, stride, dilation, n_out)
    layer = Conv2D(
        n_out,
        kernel[0] if kernel[0] == kernel[1] else kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        use_bias=bias is not None,
    )
    arrays = {"W": W.transpose(2, 3, 1, 0)} | ({} if bias is None else {"b": bias})
    return made._replace(step=add(layer, [value.step], arrays))


def _pool(node: Node, given: Given, add: Add) -> Value:
    value, of = image_at(node, given), node.attributes
    kernel, stride = _pair(node, "kernel_shape"), _pair(node, "strides", (1, 1))
    if _pair(node, "dilations", (1, 1)) != (1, 1) or of.get("storage_order", 0):
        raise OptionError(f"{node.label}: pools with dilation are not read.")
    made, pads, padding = _window(node, value, kernel, stride)
    options: dict[str, Any] = {"stride": stride, "padding": padding}
    if node.op == "MaxPool":
        return made._replace(step=add(MaxPool2D(kernel, **options), [value.step], {}))
    is_padded, counts = pads != ((0, 0), (0, 0)), bool(of.get("count_include_pad", 0))
    if is_padded and counts and of.get("ceil_mode", 0):
        raise OptionError(f"{node.label}: a mean over padding whose windows are rounded up is not read.")
    counts = counts or not is_padded
    return made._replace(step=add(AvgPool2D(kernel, **options, count_include_pad=counts), [value.step], {}))


def _pooled(value: Value, is_mean: bool, add: Add) -> Value:
    """Add the mean, or the largest number, of each channel."""
    step, (h, w, _) = value.step, value.own_shape
    for layer in [GlobalAvgPool2D()] if is_mean else [MaxPool2D((h, w)), Flatten()]:
        step = add(layer, [step], {})
    return value.with_size(1, 1, step)._replace(axes=value.axes[-1:])


def _global_pool(node: Node, given: Given, add: Add) -> Value:
    value = value_at(node, given, 0)
    if value.axes == (0,) and len(value.shape) == 3:
        return value
    return _pooled(image_at(node, given), node.op == "GlobalAveragePool", add)


def _reduced(node: Node, given: Given, add: Add) -> Value:
    """Return the mean or the largest number over height and width."""
    value, axes = value_at(node, given, 0), array_at(node, given, 1)
    chosen = node.attributes.get("axes") if axes is None else axes.reshape(-1)
    n = len(value.shape) + 1
    at = sorted({int(i) % n for i in (range(1, n) if chosen is None else chosen)})
    keeps, is_mean = node.attributes.get("keepdims", 1), node.op == "ReduceMean"
    large = [i for i in at if i == 0 or value.shape[i - 1] > 1]
    if len(value.axes) == 3 and {i - 1 for i in at} == set(value.axes[:2]):
        value = _pooled(value, is_mean, add)
    elif large:
        what = "a mean" if is_mean else "a maximum"
        raise OptionError(
            f"{node.label}: {what} over the axes {at} of {n}. One over height and width is read."
        )
    shape = tuple(m for i, m in enumerate(value.shape, 1) if keeps or i not in at)
    return moved(value, value.places.reshape(TRIAL, *shape), node.label, add)


def _pad(node: Node, given: Given, add: Add) -> Value:
    value = value_at(node, given, 0)
    pads, fill = array_at(node, given, 1), array_at(node, given, 2)
    axes = array_at(node, given, 3)
    amounts = [int(n) for n in (node.attributes.get("pads", []) if pads is None else pads.reshape(-1))]
    n = len(value.shape) + 1
    at = list(range(n)) if axes is None else [int(i) % n for i in axes.reshape(-1)]
    if len(amounts) != 2 * len(at):
        raise ShapeError(f"{node.label}: expected two numbers for each axis, got {len(amounts)}.")
    before, after = [0] * n, [0] * n
    for i, axis in enumerate(at):
        before[axis], after[axis] = amounts[i], amounts[i + len(at)]
    if not any(before) and not any(after):
        return value
    number = float(
        node.attributes.get("value", 0.0) if fill is None or not fill.size else fill.reshape(-1)[0]
    )
    mode = node.attributes.get("mode", "constant")
    if mode not in ("constant", "reflect") or (mode == "constant" and number != 0):
        raise OptionError(f"{node.label}: only padding with zeros or by reflection is read.")
    if len(value.axes) != 3 or min(*before, *after) < 0:
        raise OptionError(f"{node.label}: only images are padded, by 0 or more on each side.")
    own = [(before[axis + 1], after[axis + 1]) for axis in value.axes]
    if own[2] != (0, 0) or before[0] or after[0]:
        raise OptionError(f"{node.label}: only height and width are padded.")
    h, w, _ = value.own_shape
    made = checked(value.with_size(h + sum(own[0]), w + sum(own[1]), ""), node.label)
    if mode == "reflect" and (max(own[0]) >= h or max(own[1]) >= w):
        raise ShapeError(f"{node.label}: it pads images of {h} x {w} pixels by reflection of more.")
    layer = ReflectPad2D if mode == "reflect" else ZeroPad2D
    return made._replace(step=add(layer(_short((own[0], own[1]))), [value.step], {}))


def _resize(node: Node, given: Given, add: Add) -> Value:
    value, of = value_at(node, given, 0), node.attributes
    mode = of.get("mode", "nearest")
    if len(value.axes) != 3 or mode not in ("nearest", "linear") or of.get("antialias", 0):
        raise OptionError(
            f"{node.label}: only resizing images by repeated pixels or bilinear interpolation is read: modes "
            "nearest and linear, without antialias."
        )
    is_old = node.op == "Upsample" or node.opset < 11
    scales = array_at(node, given, 1 if is_old else 2)
    sizes = None if is_old else array_at(node, given, 3)
    if scales is None or not scales.size:
        scales = np.array(of["scales"]) if "scales" in of else None
    lengths = [1, *value.shape]
    if sizes is not None and sizes.size == len(lengths):
        factors = [float(n) / m for n, m in zip(sizes[1:], value.shape, strict=True)]
    elif scales is not None and scales.size == len(lengths):
        factors = [float(n) for n in scales.reshape(-1)[1:]]
    else:
        raise OptionError(f"{node.label}: expected a factor for each of {len(lengths)} axes.")
    own = [factors[axis] for axis in value.axes]
    if mode == "linear" and own[2] == 1:
        return _interpolated(node, value, (own[0], own[1]), sizes is None or not sizes.size, is_old, add)
    if own[2] != 1 or any(not n.is_integer() or not 1 <= n < 2**16 for n in own[:2]):
        raise OptionError(f"{node.label}: only height and width are enlarged, by whole numbers; got {own}.")
    down, across = int(own[0]), int(own[1])
    h, w, _ = value.own_shape
    for n, factor in ((h, down), (w, across)):
        if not is_old and not _repeats(n, factor, of):
            raise OptionError(f"{node.label}: it does not repeat each pixel {factor} times.")
    made = checked(value.with_size(h * down, w * across, ""), node.label)
    return made._replace(step=add(UpSample2D((down, across)), [value.step], {}))


def _interpolated(
    node: Node, value: Value, factors: tuple[float, float], has_scales: bool, is_old: bool, add: Add
) -> Value:
    """Return an image that is resized by bilinear interpolation."""
    h, w, _ = value.own_shape
    # a scale is float32, and the length is rounded down
    lengths = [
        math.floor(np.float32(n) * np.float32(f)) if has_scales else round(n * f)
        for n, f in zip((h, w), factors, strict=True)
    ]
    made = checked(value.with_size(lengths[0], lengths[1], ""), node.label)
    how = "asymmetric" if is_old else node.attributes.get("coordinate_transformation_mode", "half_pixel")
    for align_corners in (False, True):
        if all(
            _is_linear(n, n_out, f, how, align_corners=align_corners)
            for n, n_out, f in zip((h, w), lengths, factors, strict=True)
        ):
            layer = Resize2D((lengths[0], lengths[1]), align_corners=align_corners)
            return made._replace(step=add(layer, [value.step], {}))
    raise OptionError(
        f"{node.label}: bilinear interpolation from {h} x {w} to {lengths[0]} x {lengths[1]} pixels is read where "
        f"pixels have half_pixel or align_corners places, not {how} with the factors {factors}."
    )


def _places(n: int, n_out: int, factor: float, how: str) -> Array:
    """Return the places among n pixels that an axis of ``n_out`` pixels takes them from; none for other ways."""
    i = np.arange(n_out)
    if how == "align_corners":
        return i * (n - 1) / max(n_out - 1, 1)
    if how == "asymmetric":
        return i / factor
    is_known = how == "half_pixel" or (how == "pytorch_half_pixel" and n_out > 1)
    return (i + 0.5) / factor - 0.5 if is_known else np.zeros(n_out if how == "pytorch_half_pixel" else 0)


def _is_linear(n: int, n_out: int, factor: float, how: str, *, align_corners: bool) -> bool:
    """Return whether interpolation at the places of the file is what Resize2D does along an axis."""
    if n * n_out > MOST_VALUES or not (places := _places(n, n_out, factor, how)).size:
        return False
    wanted = linear_weights(n, n_out, align_corners=align_corners)
    return bool(np.allclose(hats(places, n), wanted, rtol=0, atol=1e-4))


def _repeats(n: int, factor: int, of: Any) -> bool:
    """Return whether the pixels that are nearest by these rules are each pixel, so many times."""
    if n * factor > 2**24:
        return False
    places = _places(n, n * factor, factor, of.get("coordinate_transformation_mode", "half_pixel"))
    nearest = {
        "round_prefer_floor": np.ceil(places - 0.5),
        "round_prefer_ceil": np.floor(places + 0.5),
        "floor": np.floor(places),
        "ceil": np.ceil(places),
    }.get(of.get("nearest_mode", "round_prefer_floor"), places[:0])
    return np.array_equal(np.clip(nearest, 0, n - 1), np.arange(n * factor) // factor)


IMAGE_READERS: dict[str, Reader] = {
    "Conv": _conv,
    "Pad": _pad,
    **dict.fromkeys(("AveragePool", "MaxPool"), _pool),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), _global_pool),
    **dict.fromkeys(("ReduceMax", "ReduceMean"), _reduced),
    **dict.fromkeys(("Resize", "Upsample"), _resize),
}
