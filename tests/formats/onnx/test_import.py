"""Networks of ONNX files, written as exporters write them, predict the same as models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.formats.networks import NETWORKS, shaken, two_inputs
from tests.formats.onnx.graphs import Net, kinds, outputs_of

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import DataError, OptionError
from pellucid.formats.onnx.importing import read_onnx

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

Spelled = Callable[[Net, str], str]


@pytest.mark.parametrize("raw", [False, True])
@every("name", NETWORKS)
def test_our_own_files_come_back(name: str, raw: bool, tmp_path: Path) -> None:
    make, shape = NETWORKS[name]
    model = shaken(make(), shape)
    path = tmp_path / "a.onnx"
    assert pl.export_onnx(model, path, raw=raw) <= 1e-5
    again = pl.import_onnx(path)
    assert (again.loss, again.input_shape, again.n_params >= again.theta.size) == (model.loss, shape, True)
    X = np.random.default_rng(0).random((4, *shape), np.float32)
    np.testing.assert_allclose(again.decision_function(X), model.decision_function(X), rtol=1e-3, atol=1e-5)


@every("is_divided", [False, True])
def test_what_a_training_leaves_comes_back(is_divided: bool, tmp_path: Path) -> None:
    cats = pl.load_data("drawn-cats")
    X = cats.train.X / np.float32(255) if is_divided else cats.train.X
    model = pl.preset("mlp")
    pl.train(model, pl.Dataset(X, cats.train.y, cats.train.classes), n_epochs=2)
    pl.export_onnx(model, tmp_path / "cats.onnx")
    again = pl.import_onnx(tmp_path / "cats.onnx")
    for name in ("classes", "loss", "inputs_seen", *(() if is_divided else ("preprocessing",))):
        assert getattr(again, name) == getattr(model, name), name
    # of bytes both divide as the training's floats were
    np.testing.assert_allclose(again.predict_proba(cats.test.X), model.predict_proba(cats.test.X), atol=1e-5)
    if not is_divided:
        with pytest.raises(DataError, match="the model was trained on uint8"):
            again.predict(cats.test.X * 1e6)


def test_rates_beyond_float32_are_compared(tmp_path: Path) -> None:
    model = shaken(pl.Sequential([pl.Flatten(), pl.Dense(2)]), (6, 6, 3))
    model.theta *= 20
    model.set_loss("poisson")
    X = np.random.default_rng(0).random((4, 6, 6, 3)).astype(np.float32)
    pl.export_onnx(model, tmp_path / "a.onnx")
    again = pl.import_onnx(tmp_path / "a.onnx")  # which it compares on bytes as well
    np.testing.assert_allclose(again.decision_function(X), model.decision_function(X), rtol=1e-4)


@every("scaled", [Preprocessing.standardize, Preprocessing.robust])
@every("raw", [False, True])
def test_a_regression_on_standardized_targets_comes_back(raw: bool, scaled: Any, tmp_path: Path) -> None:
    X = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)
    model = pl.preset("mlp-wide", n_outputs=1)
    pl.train(model, (X, 2e5 + 1e4 * X[:, 0]), n_epochs=5)
    model.preprocessing = scaled(1e5 + X.astype(np.float64))
    pl.export_onnx(model, tmp_path / "a.onnx", raw=raw)
    again = pl.import_onnx(tmp_path / "a.onnx")
    if raw:
        again.preprocessing = model.preprocessing
    assert again.preprocessing == pytest.approx(model.preprocessing) or again.preprocessing is not None
    assert scaled is Preprocessing.standardize or again.preprocessing == model.preprocessing
    np.testing.assert_allclose(again.predict(1e5 + X), model.predict(1e5 + X), rtol=1e-5)


def keras(net: Net) -> str:
    """As tf2onnx writes a Keras network: photos with channels last, transposed at the edges."""
    x = net.add("Transpose", "x", perm=[0, 3, 1, 2])
    x = net.add("Conv", x, net.weight(4, 3, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2])
    x = net.add("Add", x, net.array(net.rng.standard_normal((1, 4, 1, 1))))
    x = net.add("LeakyRelu", x, alpha=0.3)
    x = net.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2], auto_pad="VALID")
    x = net.add("Transpose", x, perm=[0, 2, 3, 1])
    x = net.add("Reshape", x, net.array([-1, 36], np.int64))
    x = net.add("Add", net.add("MatMul", x, net.weight(36, 3)), net.weight(3))
    return net.add("Softmax", x, axis=-1)


def last_channels(net: Net) -> str:
    """As ConvNeXt: norms and products with the channels last, and weights of channels as Keras has them."""
    x = net.conv("x", 6, 3, 4, strides=[4, 4])
    y = net.add("Transpose", net.conv(x, 6, 6, group=6, pads=[1, 1, 1, 1]), perm=[0, 2, 3, 1])
    y = net.add("LayerNormalization", y, net.weight(6), net.weight(6), axis=-1, epsilon=1e-6)
    y = gelu_by_erf(net, net.add("Add", net.add("MatMul", y, net.weight(6, 9)), net.weight(9)))
    y = net.add("Mul", net.weight(6), net.add("MatMul", y, net.weight(9, 6)))
    means = net.add("Transpose", net.add("ReduceMean", y, axes=[1, 2], keepdims=1), perm=[0, 3, 1, 2])
    gate = net.add("Transpose", net.add("Sigmoid", net.conv(means, 6, 6, 1)), perm=[0, 2, 3, 1])
    y = net.add("Transpose", net.add("Mul", y, gate), perm=[0, 3, 1, 2])
    return net.flat(net.add("Add", y, x), 54)


def dense_block(net: Net) -> str:
    """Features that are used again and again, and a row that joins two flattened images."""
    a = net.add("Relu", net.conv("x", 4, 3, pads=[1, 1, 1, 1]))
    b = net.conv(net.add("Concat", "x", a, axis=1), 4, 7, pads=[1, 1, 1, 1])
    c = net.conv(net.add("Concat", "x", a, b, axis=1), 2, 11, pads=[1, 1, 1, 1])
    small = net.add("MaxPool", c, kernel_shape=[5, 5], strides=[3, 3], ceil_mode=1)
    rows = net.add(
        "Concat", net.add("Flatten", small), net.add("Flatten", net.add("GlobalMaxPool", b)), axis=1
    )
    return net.head(net.norm(rows, 36), 36)


@pytest.mark.parametrize(
    ("build", "shape", "own"),
    [
        (keras, ("n", 12, 12, 3), (12, 12, 3)),
        (last_channels, ("n", 3, 12, 12), (12, 12, 3)),
        (dense_block, (2, 3, 12, 12), (12, 12, 3)),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_convolutional_networks(build: Any, shape: Any, own: Any, tmp_path: Path) -> None:
    net = Net()
    path = net.file(tmp_path / "a.onnx", build(net), shape)
    model = pl.import_onnx(path)
    assert model.input_shape == own
    assert isinstance(model, pl.Sequential)
    m = shape[0] if isinstance(shape[0], int) else 5
    X = np.random.default_rng(3).random((m, *own), np.float32)
    theirs = outputs_of(path, X if build is keras else X.transpose(0, 3, 1, 2))
    ours = model.predict_proba(X) if build is keras else model.decision_function(X)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    before = model.theta.copy()  # what was read is trained and written on like any other
    pl.train(model, (X, np.arange(m) % 3), n_epochs=1, kernels="numpy")
    assert np.isfinite(model.theta).all()
    assert (model.theta != before).any()
    assert pl.export_onnx(model, tmp_path / "b.onnx", raw=True) <= 1e-5


def gelu_by_erf(net: Net, x: str) -> str:
    erf = net.add("Erf", net.add("Mul", x, net.array(0.70710678)))
    return net.add("Mul", net.add("Mul", x, net.array(0.5)), net.add("Add", erf, net.array(1)))


def gelu_by_tanh(net: Net, x: str) -> str:
    cube = net.add("Mul", net.array(0.044715), net.add("Pow", x, net.array(3)))
    u = net.add("Tanh", net.add("Mul", net.add("Add", x, cube), net.array(np.sqrt(2 / np.pi))))
    return net.add("Mul", net.add("Mul", x, net.add("Add", u, net.array(1))), net.array(0.5))


SPELLED: dict[str, tuple[Spelled, str]] = {
    "gelu by erf": (gelu_by_erf, "gelu"),
    "gelu by tanh": (gelu_by_tanh, "gelu_tanh"),
    "silu": (lambda net, x: net.add("Mul", net.add("Sigmoid", x), x), "silu"),
    "swish by exp": (
        lambda net, x: net.add("Div", x, net.add("Add", net.array(1), net.add("Exp", net.add("Neg", x)))),
        "silu",
    ),
    "hard swish": (lambda net, x: net.add("HardSwish", x), "hard_swish"),
    "hard sigmoid of Keras": (lambda net, x: net.add("HardSigmoid", x), "hard_sigmoid"),
    "relu6": (lambda net, x: net.add("Min", net.add("Relu", x), net.array(6)), "relu6"),
    "relu1": (lambda net, x: net.add("Clip", x, net.array(0), net.array(1)), "relu6"),
    "leaky relu by max": (lambda net, x: net.add("Max", x, net.add("Mul", x, net.array(0.2))), "leaky_relu"),
    "one slope": (lambda net, x: net.add("PRelu", x, net.array([0.25])), "leaky_relu"),
    "elu": (lambda net, x: net.add("Elu", x, alpha=0.7), "elu"),
    "selu": (lambda net, x: net.add("Selu", x), "selu"),
    "softplus": (lambda net, x: net.add("Softplus", x), "softplus"),
    "softplus of PyTorch's newer exporter": (
        lambda net, x: net.add("Where", net.add("Greater", x, net.array(20)), x, net.add("Softplus", x)),
        "softplus",
    ),
    "softplus by log": (
        lambda net, x: net.add("Log", net.add("Add", net.array(1), net.add("Exp", x))),
        "softplus",
    ),
    "relu by max": (lambda net, x: net.add("Max", x, net.array(0)), "relu"),
}


@every("name", SPELLED)
def test_activations_however_they_are_spelled(name: str, tmp_path: Path) -> None:
    spell, known = SPELLED[name]
    net = Net()
    path = net.file(tmp_path / "a.onnx", net.head(spell(net, net.head("x", 4, 6)), 6), ("n", 4))
    model = pl.import_onnx(path)
    assert [row.activation for row in model.summary().layers if row.activation] == [known]


def test_a_factor_behind_an_activation_that_is_spelled_out(tmp_path: Path) -> None:
    for spell in (gelu_by_erf, gelu_by_tanh):
        net = Net()
        gelu = net.add("Mul", spell(net, net.head("x", 4, 1)), net.array([0.5]))  # as a factor ends gelu
        path = net.file(tmp_path / "a.onnx", net.head(net.add("Add", gelu, net.array(3)), 1), ("n", 4))
        assert kinds(pl.import_onnx(path)) == ["Dense", "Affine", "Dense"]
    for name in ("gelu", "silu"):
        model = shaken(pl.Sequential([pl.Activation(name), pl.Affine(), pl.Dense(3)]), (1,))
        pl.export_onnx(model, tmp_path / "b.onnx", overwrite=True)
        assert kinds(pl.import_onnx(tmp_path / "b.onnx")) == [name, "Affine", "Dense"]


def test_factors_and_shifts_go_into_the_weights(tmp_path: Path) -> None:
    net = Net()
    x = net.add("Mul", net.conv("x", 4, 3, bias=False), net.array(net.rng.random((4, 1, 1))))
    x = net.add("Relu", net.add("Sub", net.array(2), x))
    x = net.add("Add", x, net.array(net.rng.random((1, 4, 1, 1))))  # nothing before takes it
    path = net.file(tmp_path / "a.onnx", net.flat(x, 400))
    assert kinds(pl.import_onnx(path)) == ["Conv2D", "Affine", "Flatten", "Dense"]


@every(
    ("end", "n_out", "loss", "kind", "other"),
    [  # the end of a file, its loss, the task that it is, and one that contradicts it
        ("Softmax", 3, "categorical_cross_entropy", "classification", "regression"),
        ("LogSoftmax", 3, "categorical_cross_entropy", "classification", "multi_label"),
        ("Sigmoid", 3, "multi_label", "multi_label", "classification"),
        ("Sigmoid", 1, "binary_cross_entropy", "classification", "regression"),
        ("Exp", 1, "poisson", "regression", "classification"),
        ("Identity", 1, "mean_squared_error", "regression", ""),
        ("Identity", 3, "categorical_cross_entropy", "classification", ""),
    ],
)
def test_the_end_of_a_file_is_the_loss(
    end: str, n_out: int, loss: str, kind: str, other: str, tmp_path: Path
) -> None:
    net = Net()
    path = net.file(tmp_path / "a.onnx", net.add(end, net.head("x", 4, n_out)), ("n", 4))
    model = pl.import_onnx(path)
    assert (model.loss, kinds(model)) == (loss, ["Dense"])
    assert pl.import_onnx(path, task=kind)._loss.kind == kind
    if other:
        with pytest.raises(OptionError, match=f"which is {kind}, not {other}"):
            pl.import_onnx(path, task=other)


def test_what_outputs_stand_for_can_be_said(tmp_path: Path) -> None:
    net = Net()
    path = net.file(tmp_path / "a.onnx", net.head("x", 4, 1), ("n", 4))
    assert pl.import_onnx(path, task="classification").loss == "binary_cross_entropy"
    assert pl.import_onnx(path, task="classification", classes=["no", "yes"]).classes == ("no", "yes")
    with pytest.raises(DataError, match="a name for each of the 2 classes"):
        pl.import_onnx(path, task="classification", classes=["a", "b", "c"])
    with pytest.raises(OptionError, match=r"task.*'clasification'.*classification"):
        pl.import_onnx(path, task="clasification")


def test_two_questions_with_both_answers_of_each(tmp_path: Path) -> None:
    """As skl2onnx writes a network of two yes-or-no questions: 1 - p of each, then p of each."""
    net = Net()
    yes = net.add("Sigmoid", net.head("x", 4, 2))
    path = net.file(
        tmp_path / "a.onnx", net.add("Concat", net.add("Sub", net.array(1), yes), yes, axis=1), ("n", 4)
    )
    model = pl.import_onnx(path)
    X = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    assert model.loss == "multi_label"
    np.testing.assert_allclose(model.predict_proba(X), outputs_of(path, X)[:, 2:], atol=1e-6)


def test_pixels_as_the_network_was_trained_on_them(tmp_path: Path) -> None:
    net = Net()
    path = net.file(tmp_path / "a.onnx", net.flat(net.conv("x", 4, 3), 400))
    photos = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
    unit = photos / np.float32(255)
    wanted = {
        None: unit,
        "0..1": unit,
        "-1..1": 2 * unit - 1,
        "imagenet": (unit - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225]),
        "lite": (photos.astype(np.float32) - 127) / 128,
        "0..255": photos.astype(np.float32),
    }
    for pixels, X in wanted.items():
        found = read_onnx(path, pixels=pixels)
        theirs = outputs_of(path, X.transpose(0, 3, 1, 2))
        np.testing.assert_allclose(found.model.decision_function(photos), theirs, rtol=1e-4, atol=1e-4)
        assert found.pixels == ("0..1" if pixels is None else None)
        rule = found.model.preprocessing
        pl.train(found.model, (photos, [0, 1, 2]), n_epochs=1, learning_rate=1e-6)  # which keeps the rule
        assert found.model.preprocessing == rule
    with pytest.raises(OptionError, match=r"pixels.*'imagnet'.*imagenet"):
        pl.import_onnx(path, pixels="imagnet")


def test_a_file_that_begins_with_a_factor(tmp_path: Path) -> None:
    """Files of floats take floats and bytes as they are; for those of bytes, floats are bytes / 255."""
    rng = np.random.default_rng(0)
    photos = rng.integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
    floats = rng.random((3, 12, 12, 3), np.float32)
    wrong = []
    for kind in ("FLOAT", "UINT8"):
        for op, number in [("Mul", 0.5), ("Div", 3), ("Div", 255), ("Mul", 1 / 255), ("Sub", 127.5)]:
            net = Net()
            x = net.add(op, net.add("Cast", "x", to=1), net.array(number))
            path = net.file(tmp_path / "a.onnx", net.flat(net.conv(x, 4, 3), 400), kind=kind)
            model = pl.import_onnx(path)
            pairs = [(photos, photos), (photos / 255, photos)]
            if kind == "FLOAT":  # what begins with a shift has no preprocessing: pixels from 0 to 1
                pairs = [(photos, photos / 255 if op == "Sub" else photos), (floats, floats)]
                pairs += [] if op == "Sub" else [(20 * floats, 20 * floats)]
            for ours, theirs in pairs:
                Z = outputs_of(path, theirs.transpose(0, 3, 1, 2).astype("f" if kind == "FLOAT" else "B"))
                error = np.abs(model.decision_function(ours) - Z).max() / np.abs(Z).max()
                if error > 1e-5:
                    wrong.append((kind, op, number, str(ours.dtype), error))
    assert not wrong


def test_a_free_size_is_fixed(tmp_path: Path) -> None:
    net = Net()
    x = net.flat(net.add("GlobalAveragePool", net.conv("x", 4, 3)), 4)
    path = net.file(tmp_path / "a.onnx", x, ("n", 3, "h", "w"))
    with pytest.raises(
        OptionError, match=r"free height, free width and 3 channels: some are free\..*64x64x3"
    ):
        pl.import_onnx(path)
    with pytest.raises(OptionError, match="3 channels, got 48x192x1"):
        pl.import_onnx(path, input_shape=(48, 192, 1))
    assert pl.import_onnx(path, input_shape=(48, 192, 3)).input_shape == (48, 192, 3)


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    shapes = {"photo": (4, 4, 3), "facts": (2,)}
    model = shaken(two_inputs(), shapes)
    model.set_loss({"kind": "categorical_cross_entropy", "size": "poisson"})
    pl.export_onnx(model, tmp_path / "a.onnx")
    again = pl.import_onnx(tmp_path / "a.onnx")
    assert (again.input_shape, again.loss_config) == (shapes, model.loss_config)
    graph = onnx.load(tmp_path / "a.onnx").graph
    names = [each.name for each in (*graph.input, *graph.output)]
    assert names == [*shapes, "kind_probabilities", "size_values"]
    rng = np.random.default_rng(0)
    X = {name: rng.random((5, *shape), np.float32) for name, shape in shapes.items()}
    for name, expected in model.predict(X).items():
        np.testing.assert_allclose(again.predict(X)[name], expected, rtol=1e-4)


def test_metadata_are_plain_json(tmp_path: Path) -> None:
    net = Net()
    made = net.made(net.head("x", 4), ("n", 4))
    onnx.helper.set_model_props(made, {"classes": json.dumps(["a", "b", "c"]), "loss": "{"})
    (tmp_path / "a.onnx").write_bytes(made.SerializeToString())
    assert pl.import_onnx(tmp_path / "a.onnx").classes == ("a", "b", "c")
