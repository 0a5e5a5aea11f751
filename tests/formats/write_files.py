"""Writes the files of tests/formats/files: models of the present format version, and what they predict.

    python -m tests.formats.write_files

To be run once for each format version, when it is final. Files that are there already are kept: they are what
:mod:`tests.formats.test_compatibility` is for.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

import pellucid as pl
from pellucid.formats.safetensors import FORMAT_VERSION
from pellucid.nn.freezing import freeze
from pellucid.ops.activations import ACTIVATIONS
from pellucid.ops.losses.base import LOSSES

FILES = Path(__file__).parent / "files"
RNG = np.random.default_rng(7)
ROWS = [
    {"age": str(i), "coat": ("plain", "tabby", "black")[i % 3], "pet": ("cat", "dog")[i % 2]}
    for i in range(24)
]


def photos(n: int, *shape: int) -> Any:
    return RNG.integers(0, 256, (n, *shape), np.uint8)


def mlp() -> tuple[Any, Any]:
    X = photos(24, 6, 6, 3)
    model = pl.Sequential(
        pl.Flatten(), pl.Dense(5, "relu"), pl.Dense(4, "tanh"), pl.Dense(1), dtype="float64"
    )
    pl.train(model, pl.Dataset(X, np.arange(24) % 2, ("cat", "no cat")), n_epochs=5)
    return model, X


def convolutions() -> tuple[Any, Any]:
    X = photos(24, 8, 8, 3)
    body = [pl.Conv2D(4, activation="relu"), pl.Conv2D(4)]
    layers = [
        *(pl.Conv2D(4, use_bias=False), pl.BatchNorm(), pl.Activation("relu"), pl.MaxPool2D()),
        *(
            pl.Residual(pl.Sequential(body)),
            pl.LayerNorm(),
            pl.Dropout(0.2),
            pl.GlobalAvgPool2D(),
            pl.Dense(3),
        ),
    ]
    model = pl.Sequential(layers)
    pl.train(model, pl.Dataset(X, np.arange(24) % 3, ("a", "b", "c")), n_epochs=3)
    return model, X


def table() -> tuple[Any, Any]:
    names = list(ROWS[0])
    text = "\n".join([",".join(names), *(",".join(row[name] for name in names) for row in ROWS)])
    data = pl.load_data(_written(text), target="pet")
    model = pl.preset("mlp")
    pl.train(model, data.train, n_epochs=5)
    model._schema = data.schema
    return model, ROWS


def later_table() -> tuple[Any, Any]:
    """Columns of every kind, gaps, a column that is left out, and robust scaling."""
    rows = [
        row
        | {
            "age": "" if i % 5 == 0 else row["age"],
            "born": f"{i % 28 + 1}/{i % 12 + 1}/2020",
            "ok": ("yes", "no", "")[i % 3],
        }
        | {"seen": f"2024-0{i % 9 + 1}-11 1{i % 8}:30", "always": "same"}
        for i, row in enumerate(ROWS)
    ]
    text = "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)])
    data = pl.load_data(_written(text), target="pet")
    model = pl.preset("mlp")
    model.preprocessing = pl.Preprocessing.robust(data.train.X)
    pl.train(model, data.train, n_epochs=5)
    model._schema = data.schema
    return model, rows


def _written(text: str) -> Path:
    import tempfile

    path = Path(tempfile.mkdtemp()) / "pets.csv"
    path.write_text(text)
    return path


def regression() -> tuple[Any, Any]:
    X = RNG.normal(50, 10, (24, 3))
    model = pl.Sequential(pl.Dense(4, "relu"), pl.Dense(2))
    model.preprocessing = pl.data.preprocess.Preprocessing.standardize(X)
    targets = np.stack([X[:, 0] - X[:, 1], X[:, 2]], axis=1)
    pl.train(model, (X, targets), loss={"type": "huber", "delta": 2.0}, n_epochs=5)
    return model, X


def several_labels() -> tuple[Any, Any]:
    X = RNG.normal(0, 1, (24, 4))
    model = pl.Sequential(pl.Dense(4, "relu"), pl.Dense(2))
    model.initialize((4,))
    freeze(model, "dense_1")
    pl.train(model, pl.Dataset(X, (X[:, :2] > 0).astype(int), ("big", "old")), loss="multi_label", n_epochs=5)
    return model, X


def graph() -> tuple[Any, Any]:
    X = {"photo": photos(24, 4, 4, 1), "row": RNG.normal(0, 1, (24, 3))}
    nodes = {
        "flat": (pl.Flatten(), "photo"),
        "left": (pl.Dense(3, "relu"), "flat"),
        "both": ("concat", ["left", "row"]),
        "out": (pl.Dense(1), "both"),
    }
    model = pl.Graph(["photo", "row"], nodes, "out")
    pl.train(model, (X, np.arange(24) % 2), n_epochs=3)
    return model, X


def tied() -> tuple[Any, Any]:
    X = RNG.normal(0, 1, (24, 4))
    twice = pl.Dense(4, "tanh")
    model = pl.Sequential(twice, twice, pl.Dense(1))
    pl.train(model, (X, np.arange(24) % 2), n_epochs=3)
    return model, X


def layers() -> tuple[Any, Any]:
    """Every layer and way to join values, options away from their defaults."""
    inner = pl.Graph(
        ["x"],
        {"a": (pl.Affine(), "x"), "b": (pl.LayerNorm(epsilon=0.1), "x"), "c": ("multiply", ["a", "b"])},
        "c",
    )
    body = [
        pl.Conv2D(4, (3, 2), stride=(1, 2), padding=((1, 0), (0, 1)), groups=2, activation="silu"),
        pl.Conv2D(4, dilation=2, use_bias=False),
        pl.BatchNorm(momentum=0.3, epsilon=0.01),
        pl.Residual(pl.Conv2D(6, 1), pl.Conv2D(6, 1)),
        pl.MaxPool2D(3, stride=1, padding=1),
        pl.UpSample2D((2, 1)),
        pl.ZeroPad2D(((1, 0), (2, 1))),
        pl.AvgPool2D(3, stride=2, padding="same", count_include_pad=False),
        pl.Parallel([pl.Conv2D(3), pl.Conv2D(2, 1)], merge="concat"),
        pl.Parallel([inner, pl.Sequential([pl.GlobalAvgPool2D(), pl.Dense(5)])], merge="add"),
        pl.Parallel([pl.Activation("linear"), pl.Conv2D(1, 1)], merge="multiply"),
    ]
    model = pl.Sequential([*body, pl.Dropout(0.1), pl.Flatten(), pl.Dense(2)])
    X = photos(4, 8, 8, 2)
    model.preprocessing = pl.data.preprocess.Preprocessing.for_data(X)
    return _shaken(model, X.shape[1:]), X


def later_layers() -> tuple[Any, Any]:
    """Those that were added after the files of all the others."""
    resized = [pl.Resize2D((5, 9), align_corners=True), pl.ReflectPad2D(((1, 0), (2, 1))), pl.Resize2D(6)]
    return _shaken(pl.Sequential([*resized, pl.Flatten(), pl.Dense(2)]), (8, 8, 2)), RNG.random((4, 8, 8, 2))


def activations() -> tuple[Any, Any]:
    """Every activation function, those with options at two values of them."""
    options: dict[str, Any] = {"leaky_relu": {"slope": 0.3}, "elu": {"alpha": 0.7}, "relu6": {"high": 2.0}}
    options["hard_sigmoid"] = {"slope": 0.3}
    each = [pl.Activation(name) for name in ACTIVATIONS]
    each += [pl.Activation(name, **given) for name, given in options.items()]
    model = pl.Sequential([pl.Parallel(each, merge="concat"), pl.Dense(2)])
    return _shaken(model, (3,)), np.array([[-4.0, -0.5, 0.3], [2.5, -1.2, 7.0]])


def later_activations() -> tuple[Any, Any]:
    """Those that were added after the files of all the others."""
    each = [pl.Activation(name) for name in ("selu", "softplus")]
    model = pl.Sequential([pl.Parallel(each, merge="concat"), pl.Dense(2)])
    return _shaken(model, (3,)), np.array([[-4.0, -0.5, 0.3], [2.5, -1.2, 7.0]])


def losses() -> tuple[Any, Any]:
    """Every loss with options, and without."""
    options: dict[str, Any] = {
        "binary_cross_entropy": {"label_smoothing": 0.1},
        "categorical_cross_entropy": {"label_smoothing": 0.2},
        "focal": {"gamma": 1.5, "alpha": 0.3},
        "hinge": {"margin": 0.5},
        "huber": {"delta": 2.0},
        "mean_squared_error": {"centre": [5.0], "spread": [2.0]},
        "multi_label": {"positive_weight": 3.0, "label_smoothing": 0.1},
    }
    wide = ("categorical_cross_entropy", "multi_label")
    given = {f"plain_{name}": {"type": name} for name in LOSSES}
    given |= {f"other_{name}": {"type": name, **more} for name, more in options.items()}
    nodes: Any = {name: (pl.Dense(2 if loss["type"] in wide else 1), "x") for name, loss in given.items()}
    model = _shaken(pl.Graph(["x"], nodes, list(nodes)), (3,))
    model.set_loss(given)
    return model, RNG.normal(0, 1, (4, 3))


def _shaken(model: Any, shape: Any) -> Any:
    """Return a model whose parameters and statistics are random, as a training leaves them."""
    model.initialize(shape)
    model.theta += RNG.normal(0, 0.2, model.theta.size)
    for leaf in model._leaves():
        for array in leaf.state.values():
            array[...] = RNG.random(array.shape) + 0.5
    return model


MAKERS = (
    mlp,
    convolutions,
    table,
    regression,
    several_labels,
    graph,
    tied,
    layers,
    later_layers,
    activations,
)
MODELS = {make.__name__: make for make in (*MAKERS, later_activations, later_table, losses)}


def plain(value: Any) -> Any:
    """Return arrays, or those of several outputs by name, as lists."""
    return (
        {name: each.tolist() for name, each in value.items()} if isinstance(value, dict) else value.tolist()
    )


def main() -> None:
    """Write what is not there yet."""
    folder = FILES / f"version-{FORMAT_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in MODELS.items():
        path = folder / f"{name}.safetensors"
        if path.exists():
            continue
        model, X = make()
        few = {key: array[:2] for key, array in X.items()} if isinstance(X, dict) else X[:2]
        inputs = model._schema.encode(few).X if model._schema else few
        arrays = few if isinstance(few, dict) else {"": inputs}
        expected = {
            "dtypes": {key: str(array.dtype) for key, array in arrays.items()},
            "inputs": few if model._schema else {key: array.tolist() for key, array in arrays.items()},
            "outputs": plain(model.decision_function(inputs)),
            "predictions": plain(model.predict(inputs)),
        }
        pl.save(model, path)
        path.with_suffix(".json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
