"""Every operation that is read, in a network of a few nodes, predicts what it does in onnxruntime."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.formats.onnx.graphs import Net, kinds, outputs_of

import pellucid as pl

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from pellucid.formats.onnx.reading.constants import FOLDED  # noqa: E402
from pellucid.formats.onnx.reading.network import ALL_READERS  # noqa: E402

Build = Callable[[Net], str]


def of_image(op: str, *more: Any, dtype: Any = np.int64, c: int = 4, **attributes: Any) -> Build:
    """Return what builds a convolution, an operation on its image of 4 channels, and an end."""

    def build(net: Net) -> str:
        given = [net.array(each, dtype) if each is not None else "" for each in more]
        x = net.add(op, net.conv("x", 4, 3), *given, **attributes)
        return net.flat(net.add("GlobalAveragePool", x), c)

    return build


def of_constant(op: str, values: Any, *, is_second: bool = False) -> Build:
    """Return what builds an operation of an image and a constant."""

    def build(net: Net) -> str:
        given = [net.add("Relu", net.conv("x", 4, 3)), net.array(values)]
        return net.flat(net.add(op, *given[:: -1 if is_second else 1]), 400)

    return build


def of_values(op: str, **attributes: Any) -> Build:
    """Return what builds an operation of two images."""

    def build(net: Net) -> str:
        x = net.add(op, net.conv("x", 4, 3), net.conv("x", 4, 3), **attributes)
        return net.flat(x, 800 if op == "Concat" else 400)

    return build


def computed(net: Net) -> str:
    """Weights and shapes that are computed of constants and shapes alone."""
    kernel = net.add(
        "Constant", value=onnx.numpy_helper.from_array(net.rng.random((4, 27)).astype(np.float32))
    )
    kernel = net.add("Reshape", kernel, net.array([4, 3, 3, 3], np.int64))
    kernel = net.add("Mul", net.add("Transpose", kernel, perm=[0, 1, 3, 2]), net.array(0.1))
    kernel = net.add("Slice", kernel, *(net.array([n], np.int64) for n in (0, 3, 1)))
    bias = net.add("Cast", net.add("Range", *(net.array(n, np.int64) for n in (0, 4, 1))), to=1)
    bias = net.add("Squeeze", net.add("Unsqueeze", bias, net.array([0], np.int64)), net.array([0], np.int64))
    bias = net.add("Add", bias, net.add("ConstantOfShape", net.array([4], np.int64)))
    x = net.add("Conv", "x", kernel, bias)
    m = net.add("Gather", net.add("Shape", x), net.array([0], np.int64), axis=0)
    return net.head(net.add("Reshape", x, net.add("Concat", m, net.array([400], np.int64), axis=0)), 400)


def excited(net: Net) -> str:
    """An image times one number for each of its channels, as squeeze-and-excite blocks have it."""
    x = net.conv("x", 4, 3)
    gate = net.add("HardSigmoid", net.conv(net.add("GlobalAveragePool", x), 4, 4, 1), alpha=1 / 6)
    return net.flat(net.add("Mul", x, gate), 400)


def strided(net: Net) -> str:
    """Means over an image whose channels are last in memory, as PyTorch's exporter writes them."""
    means = net.add("ReduceMean", net.conv("x", 4, 3), axes=[2, 3], keepdims=1)
    flat = net.add("Reshape", means, net.array([-1], np.int64))
    m = net.add("Squeeze", net.add("Shape", "x", start=0, end=1))
    first = net.add("Range", net.array(0, np.int64), m, net.array(1, np.int64))
    first = net.add("Mul", first, net.array(4, np.int64))
    first = net.add("Unsqueeze", first, net.array([1, 2, 3], np.int64))
    places = net.add("Add", first, net.array(np.arange(4).reshape(1, 4, 1, 1), np.int64))
    x = net.add("Gather", flat, places, axis=0)
    return net.head(net.add("Reshape", x, net.array([-1, 4], np.int64), allowzero=1), 4)


def of_parts(op: str, *more: Any, **attributes: Any) -> Build:
    """Return what builds an operation that takes some of the 4 channels of an image, and an end."""

    def build(net: Net) -> str:
        given = [net.array(each, np.int64) for each in more]
        x = net.add(op, net.conv("x", 4, 3), *given, **attributes)
        return net.flat(net.conv(x, 2, 3 if op == "Gather" else given_channels(more)), 128)

    return build


def given_channels(more: Any) -> int:
    """Return how many of 4 channels a Slice takes."""
    starts, ends, axes, *steps = more
    of = {axis: slice(s, e, *d) for s, e, axis, *d in zip(starts, ends, axes, *steps, strict=True)}
    return len(range(4)[of.get(1, slice(None))])


def split(net: Net, sizes: list[int] | None, *, is_flat: bool = False, **attributes: Any) -> str:
    """An image of 4 channels or a row in parts, of which each goes its own way."""
    x = net.conv("x", 4, 3)
    lengths = sizes or [2, 2]
    if is_flat:
        x, lengths = net.add("Flatten", x), [200, 200]
    outputs = ["part0", "part1"]
    given = [] if sizes is None else [net.array(lengths, np.int64)]
    net.nodes.append(onnx.helper.make_node("Split", [x, *given], outputs, axis=1, **attributes))
    if is_flat:
        return net.add("Add", net.head(outputs[1], 200), net.add("Relu", net.head(outputs[0], 200)))
    rows = [
        net.add("Flatten", net.add("Relu", net.conv(part, 2, c)))
        for part, c in zip(outputs, lengths, strict=True)
    ]
    return net.head(net.add("Concat", *rows, axis=1), 256)


def shuffled(net: Net) -> str:
    """Two groups of channels that are mixed, as in ShuffleNet."""
    x = net.conv("x", 6, 3)
    x = net.add("Reshape", x, net.array([-1, 2, 3, 10, 10], np.int64))
    x = net.add("Reshape", net.add("Transpose", x, perm=[0, 2, 1, 3, 4]), net.array([0, 6, 10, 10], np.int64))
    return net.flat(net.conv(x, 4, 6, group=2), 256)


def flipped(net: Net) -> str:
    """Photos whose channels are blue, green, red."""
    x = net.add("Gather", "x", net.array([2, 1, 0], np.int64), axis=1)
    return net.flat(net.conv(x, 4, 3), 400)


def row(op: str, *more: Any, **attributes: Any) -> Build:
    """Return what builds an operation on the numbers of a flattened image."""

    def build(net: Net) -> str:
        x = net.add("Flatten", net.conv("x", 4, 3))
        return net.head(net.add(op, x, *(net.array(each) for each in more), **attributes), 400)

    return build


def means(net: Net) -> str:
    return net.add("GlobalAveragePool", net.conv("x", 4, 3))


def rows(net: Net) -> str:
    return net.add("Flatten", "x")


LINEAR: dict[str, Any] = {"dtype": np.float32, "mode": "linear"}
PER_CHANNEL = np.random.default_rng(0).random((4, 1, 1)) + 0.5
OPERATIONS: dict[str, list[Build]] = {
    "Add": [of_values("Add"), of_constant("Add", 3), of_constant("Add", PER_CHANNEL)],
    "AveragePool": [
        of_image("AveragePool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1], count_include_pad=n)
        for n in (0, 1)
    ]
    + [of_image("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 1], ceil_mode=1)],
    "BatchNormalization": [lambda net: net.flat(net.norm(net.conv("x", 4, 3), 4), 400)],
    "Cast": [of_image("Cast", to=1)],
    "Concat": [of_values("Concat", axis=1), of_values("Concat", axis=-3)],
    "Conv": [
        lambda net: net.flat(net.conv("x", 6, 3, group=3, strides=[2, 3]), 120),
        lambda net: net.flat(net.conv("x", 2, 3, dilations=[2, 1], pads=[0, 1, 2, 0]), 220),
        excited,
    ],
    "Div": [of_constant("Div", PER_CHANNEL)],
    "Dropout": [of_image("Dropout"), of_image("Dropout", 0.3, dtype=np.float32)],
    "Flatten": [row("Flatten"), row("Flatten", axis=-1)],
    "Gather": [computed, strided, of_parts("Gather", [2, 0, -1], axis=1), flipped],
    "Gemm": [lambda net: net.add("Gemm", rows(net), net.weight(432, 3), net.array(2), alpha=0.1, beta=0.5)],
    "GlobalAveragePool": [of_image("Identity")],
    "GlobalMaxPool": [lambda net: net.flat(net.add("GlobalMaxPool", net.conv("x", 4, 3)), 4)],
    "Identity": [of_image("Identity")],
    "LayerNormalization": [
        lambda net: net.head(net.add("LayerNormalization", net.flat("x", 432, 5), net.weight(5)), 5)
    ],
    "MatMul": [lambda net: net.add("MatMul", rows(net), net.weight(432, 3))],
    "MaxPool": [
        of_image("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        *(
            of_image("MaxPool", kernel_shape=[3, 3], auto_pad=how, strides=[2, 2])
            for how in ("SAME_UPPER", "SAME_LOWER")
        ),
    ],
    "Mul": [of_values("Mul"), of_constant("Mul", PER_CHANNEL), excited],
    "Pad": [
        of_image("Pad", [0, 0, 1, 2, 0, 0, 0, 1]),
        of_image("Pad", [0, 0, 0, 0, 0, 0, 0, 0]),
        of_image("Pad", [0, 0, 1, 2, 0, 0, 0, 9], mode="reflect"),
    ],
    "ReduceMax": [
        lambda net: net.head(net.add("ReduceMax", net.conv("x", 4, 3), axes=[3, 2], keepdims=0), 4),
        lambda net: net.flat(net.add("ReduceMax", net.conv("x", 4, 3), axes=[2, 3]), 4),
    ],
    "ReduceMean": [
        lambda net: net.head(net.add("ReduceMean", net.conv("x", 4, 3), axes=[-1, -2], keepdims=0), 4)
    ],
    "Reshape": [computed, strided, shuffled],
    "Resize": [
        of_image("Resize", None, [1, 1, 2, 3], dtype=np.float32, mode="nearest"),
        *(
            of_image("Resize", None, scales, **LINEAR, coordinate_transformation_mode=how)
            for scales in ([1, 1, 2, 1.5], [1, 1, 0.5, 0.7], [1, 1, 0.2, 3])
            for how in ("half_pixel", "pytorch_half_pixel", "align_corners")
        ),
    ],
    "Scaler": [row("Scaler", domain="ai.onnx.ml", offset=[0.5], scale=[2.0])],
    "Slice": [
        of_parts("Slice", [1], [3], [1]),
        of_parts("Slice", [0, -1], [9999, -4], [2, 1], [1, -1]),
        of_parts("Slice", [0], [2**63 - 1], [3]),
    ],
    "Softmax": [
        of_image("Softmax", axis=1),
        lambda net: net.add("Softmax", net.flat("x", 432)),
    ],
    "Split": [
        lambda net: split(net, [1, 3]),
        lambda net: split(net, None),
        lambda net: split(net, [2, 2], is_flat=True),
    ],
    "Squeeze": [lambda net: net.head(net.add("Squeeze", means(net), net.array([2, 3], np.int64)), 4)],
    "Sub": [of_constant("Sub", PER_CHANNEL), of_constant("Sub", PER_CHANNEL, is_second=True)],
    "Mean": [of_values("Mean")],
    "Sum": [of_values("Sum")],
    "Transpose": [lambda net: net.flat(net.add("Transpose", net.conv("x", 4, 3), perm=[0, 2, 3, 1]), 400)],
    "Unsqueeze": [
        lambda net: net.flat(net.add("Unsqueeze", net.flat("x", 432, 5), net.array([2], np.int64)), 5)
    ],
    "Upsample": [],  # of earlier opsets: below
}
CASES = [(op, i) for op, builds in OPERATIONS.items() for i in range(len(builds))]


def test_every_operation_has_a_case() -> None:
    computed_of_constants = {"Constant", "ConstantOfShape", "Range", "Shape"}
    assert set(OPERATIONS) == set(ALL_READERS) | (set(FOLDED) - computed_of_constants)


@every(("op", "i"), CASES)
def test_an_operation_predicts_the_same(op: str, i: int, tmp_path: Path) -> None:
    net = Net()
    path = net.file(tmp_path / "a.onnx", OPERATIONS[op][i](net))
    assert op in {node.op_type for node in net.nodes}
    check(path)


def check(path: Path) -> pl.Model:
    model = pl.import_onnx(path)
    X = np.random.default_rng(3).random((4, 12, 12, 3), np.float32)
    theirs = outputs_of(path, X.transpose(0, 3, 1, 2))
    ours = (
        model.predict_proba(X)
        if theirs.min() >= 0 and np.allclose(theirs.sum(1), 1)
        else model.decision_function(X)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    return model


def test_what_earlier_versions_of_the_format_have(tmp_path: Path) -> None:
    net = Net()
    x = net.add("Upsample", net.conv("x", 4, 3), net.array([1, 1, 2, 2]), mode="nearest")
    x = net.add("Clip", x, min=0.0, max=6.0)
    x = net.add("Squeeze", net.add("GlobalAveragePool", x), axes=[2, 3])
    path = net.file(tmp_path / "a.onnx", net.add("Softmax", net.head(x, 4), axis=1), opset=9)
    assert kinds(check(path)) == ["Conv2D", "UpSample2D", "relu6", "GlobalAvgPool2D", "Dense"]


def test_what_later_versions_of_the_format_have(tmp_path: Path) -> None:
    net = Net()
    x = split(net, None, num_outputs=2)
    check(net.file(tmp_path / "a.onnx", x, opset=18))
