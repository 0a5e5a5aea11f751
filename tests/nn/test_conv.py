"""The layers for images: shapes, gradients through a model, PyTorch's numbers, configurations, refusals."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import OptionError, ShapeError
from pellucid.nn.gradient_check import check_gradients
from pellucid.nn.initializers import StartRandom


def built(layer: pl.Layer, *shape: int) -> Any:
    layer.build(shape, StartRandom(np.random.PCG64(0)))
    layer.grads = {key: np.empty_like(array) for key, array in layer.params.items()}
    return layer


LAYERS: dict[str, Any] = {
    "affine": pl.Affine,
    "conv": lambda: pl.Conv2D(4),
    "conv, stride": lambda: pl.Conv2D(4, (3, 2), stride=2, padding="valid"),
    "conv, dilation": lambda: pl.Conv2D(4, 3, dilation=2, padding=((0, 1), (2, 0))),
    "conv, groups": lambda: pl.Conv2D(6, 3, groups=3, padding=1),
    "conv, 1x1, no bias": lambda: pl.Conv2D(5, 1, use_bias=False),
    "conv, winograd": lambda: pl.Conv2D(17, activation="tanh"),
    "max pool": pl.MaxPool2D,
    "max pool, same": lambda: pl.MaxPool2D(3, stride=2, padding="same"),
    "average pool": lambda: pl.AvgPool2D((2, 3)),
    "average pool, same": lambda: pl.AvgPool2D(3, stride=1, padding="same", count_include_pad=False),
    "global average": pl.GlobalAvgPool2D,
    "upsample": lambda: pl.UpSample2D((2, 1)),
    "reflect pad": lambda: pl.ReflectPad2D(((1, 2), (0, 3))),
    "resize": lambda: pl.Resize2D((4, 9)),
    "resize, corners": lambda: pl.Resize2D((9, 1), align_corners=True),
    "zero pad": lambda: pl.ZeroPad2D((1, 2)),
}


@every("make", LAYERS.values(), ids=[*LAYERS])
def test_gradients_and_shapes(make: Any) -> None:
    for before in ([], [pl.Conv2D(18, 2, activation="tanh")]):
        result = check_gradients(pl.Sequential([*before, make(), pl.Flatten(), pl.Dense(1)]), (6, 6, 18))
        assert result.is_ok, result
    layer = built(make(), 6, 6, 18)
    Z = layer.forward(np.ones((3, 6, 6, 18)), training=True)
    assert Z.shape == (3, *layer.output_shape)
    layer._mark_input_gradient(False)
    assert layer.backward(np.ones_like(Z)) is None


@every(("h", "kernel", "stride", "dilation"), [(7, 3, 2, 1), (8, 4, 3, 1), (9, 3, 1, 2), (5, 2, 5, 1)])
def test_same_padding_gives_one_window_for_each_stride(
    h: int, kernel: int, stride: int, dilation: int
) -> None:
    options: Any = {"stride": stride, "dilation": dilation}
    layer = built(pl.Conv2D(2, kernel, **options), h, h + 1, 1)
    assert layer.output_shape == (-(-h // stride), -(-(h + 1) // stride), 2)
    valid = built(pl.Conv2D(2, kernel, **options, padding="valid"), 20, 20, 1)
    assert valid.output_shape[0] == (20 - dilation * (kernel - 1) - 1) // stride + 1


def test_same_padding_equals_pytorch(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle of this test")
    layer = built(pl.Conv2D(6, (4, 3), dilation=(1, 2), groups=2), 7, 9, 4)
    theirs = torch.nn.Conv2d(4, 6, (4, 3), dilation=(1, 2), groups=2, padding="same", dtype=torch.float64)
    with torch.no_grad():
        theirs.weight[...] = torch.tensor(layer.params["W"].transpose(3, 2, 0, 1).copy())
        theirs.bias.zero_()
    X = rng.standard_normal((2, 7, 9, 4))
    with pytest.warns(UserWarning, match="padding='same'"):
        expected = theirs(torch.tensor(X.transpose(0, 3, 1, 2).copy())).detach().numpy()
    np.testing.assert_allclose(layer.forward(X), expected.transpose(0, 2, 3, 1), rtol=0, atol=1e-12)


def test_average_pool_counts_padding_or_does_not() -> None:
    for counts, corner in ((True, 4 / 9), (False, 1.0)):
        layer = built(pl.AvgPool2D(3, stride=1, padding="same", count_include_pad=counts), 4, 4, 1)
        assert layer.forward(np.ones((1, 4, 4, 1)))[0, 0, 0, 0] == pytest.approx(corner, rel=1e-15)
        assert layer.config()["count_include_pad"] is counts


def test_parameters_operations_and_starts() -> None:
    layer = built(pl.Conv2D(8, 3, stride=2, groups=2, activation="relu"), 8, 8, 4)
    assert layer.params["W"].shape == (3, 3, 2, 8)
    assert layer.params["b"].tolist() == [0.0] * 8
    assert layer._n_operations == 2 * 4 * 4 * 3 * 3 * 2 * 8
    assert set(built(pl.Conv2D(8, use_bias=False), 8, 8, 4).params) == {"W"}
    wide = built(pl.Conv2D(64, 3, activation="relu"), 8, 8, 64)
    assert abs(wide.params["W"].std() / (2 / (9 * 64)) ** 0.5 - 1) < 0.02


BAD_OPTIONS: list[tuple[Any, str]] = [
    (lambda: pl.Conv2D(4, groups=3), "multiple of groups"),
    (lambda: pl.Conv2D(4, padding="smae"), "padding to be 'same' or 'valid'"),
    (lambda: pl.Conv2D(4, padding=((1, 2), 3)), "at least 0"),  # type: ignore[arg-type]
    (lambda: pl.ZeroPad2D("same"), "ZeroPad2D: expected padding"),
]


@every(("make", "message"), BAD_OPTIONS)
def test_bad_options_are_named(make: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        make()


@every("name", sorted(LAYERS.keys() - {"affine"}))  # which takes rows, too
def test_samples_that_are_not_images_are_named(name: str) -> None:
    layer = LAYERS[name]()
    layer.name = "this_one"
    with pytest.raises(ShapeError, match=r"this_one: expected images .* got samples of shape \(10,\)"):
        built(layer, 10)


BAD_SHAPES: list[tuple[Any, str]] = [
    (lambda: pl.Conv2D(4, 5, padding="valid"), "that: a 5x5 window .* does not fit into images of 4x4"),
    (lambda: pl.Conv2D(4, 3, groups=2), "that: expected images whose channels split into 2 groups, got .*3"),
    (lambda: pl.MaxPool2D(5), "that: a 5x5 window .* does not fit into images of 4x4"),
    (lambda: pl.AvgPool2D(2, padding=2), "that: expected padding less than the 2x2 window"),
]


@every(("make", "message"), BAD_SHAPES)
def test_images_that_do_not_fit_are_named(make: Any, message: str) -> None:
    layer = make()
    layer.name = "that"
    with pytest.raises(ShapeError, match=message):
        built(layer, 4, 4, 3)
