"""The layers for images: PyTorch's numbers, parameters, refusals. Gradients: test_gradient_check.py."""

import copy
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.nn.examples import EXAMPLES, built

import pellucid as pl
from pellucid.errors import OptionError, ShapeError
from pellucid.nn.layer import Layer
from pellucid.nn.windows import ImageLayer
from pellucid.types import Shape

IMAGES = [(layer, shape) for layer, shape in EXAMPLES if isinstance(layer, ImageLayer)]


@every(("layer", "shape"), IMAGES)
def test_no_gradient_for_an_input_that_needs_none_and_no_other_samples(layer: Layer, shape: Shape) -> None:
    layer = built(copy.deepcopy(layer), *shape)
    Z = layer.forward(np.ones((3, *shape)), training=True)
    layer._mark_input_gradient(False)
    assert layer.backward(np.ones_like(Z)) is None
    layer.name = "this_one"
    with pytest.raises(ShapeError, match=r"this_one: expected images .* got samples of shape \(10,\)"):
        built(layer, 10)


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
