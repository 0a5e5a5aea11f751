"""Networks in TOML: read, written, and every fault with its line and the nearest right name."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import FormatError
from pellucid.formats.architecture import architecture_to_toml, load_architecture
from pellucid.formats.toml.training import training_optimizer
from pellucid.nn.layer import LAYERS
from pellucid.nn.presets import PRESETS

NET = (Path(__file__).parent / "net.toml").read_text()
GRAPH = (Path(__file__).parent / "graph.toml").read_text()


def test_layers_structures_and_training(load: Any) -> None:
    architecture = load(NET)
    conv = pl.Conv2D(4, (3, 3), padding=((1, 1), (1, 1)), activation="relu")
    body = pl.Sequential([pl.Conv2D(4), pl.BatchNorm()])
    branches = [pl.Sequential([pl.MaxPool2D(), pl.Conv2D(2)]), pl.AvgPool2D(2)]
    wanted = [conv, pl.Residual(body, pl.Conv2D(4, 1)), pl.Parallel(branches), pl.Flatten(), pl.Dense(3)]
    assert as_json(architecture.model) == as_json(pl.Sequential(wanted))
    assert architecture.model.dtype == "float64"
    assert architecture.input_shape == (8, 8, 3)
    assert not architecture.model._is_initialized
    architecture.initialize(seed=1)
    assert architecture.model.output_shape == (3,)
    assert architecture.training["n_epochs"] == 20
    optimizer = training_optimizer(architecture.training)
    assert optimizer is not None
    assert optimizer.config()["learning_rate"] == 0.01
    assert optimizer.config()["beta1"] == 0.8
    assert architecture.training["schedule"] == "cosine"


def test_a_graph_with_two_inputs(load: Any) -> None:
    architecture = load(GRAPH)
    assert isinstance(architecture.model, pl.Graph)
    architecture.initialize()
    assert architecture.model.theta.size == 16 + 2 + 1
    assert architecture.input_shape == {"photo": (4, 4, 1), "facts": (2,)}


def test_a_graph_inside_a_sequence(load: Any) -> None:
    text = """[[layers]]
type = "Graph"
inputs = ["x"]
outputs = "z"
nodes = [
    { name = "a", from = "x", type = "Dense", units = 2 },
    { name = "z", from = ["a", "x"], type = "add" },
]"""
    architecture = load(text)
    architecture.initialize((2,))
    assert architecture.model.output_shape == (2,)
    assert as_json(load(architecture_to_toml(architecture.model)).model) == as_json(architecture.model)


def test_windows_line_ends_and_a_mark_at_the_start_are_fine(load: Any, fault: Any) -> None:
    text = b"\xef\xbb\xbf" + NET.replace("\n", "\r\n").encode()
    assert as_json(load(text).model) == as_json(load(NET).model)
    assert fault(text.replace(b"units", b"unit"))[0] == NET.splitlines().index("units = 3") + 1


def test_a_layer_of_your_own_is_known_and_checked(load: Any, fault: Any) -> None:
    @pl.register
    class Scaled(pl.Layer):
        def __init__(self, factor: float, unknown: "Nowhere" = None):  # type: ignore[name-defined] # noqa: F821
            super().__init__()
            if factor == 7:
                raise ValueError("factor 7 is unlucky")
            self.factor, self.unknown = factor, unknown

        def forward(self, X: np.ndarray, *, training: bool = False) -> np.ndarray:
            return X * self.factor

        def backward(self, dY: np.ndarray) -> np.ndarray:
            return dY * self.factor

    try:
        text = '[[layers]]\ntype = "Scaled"\nfactor = 2'
        assert load(text).model.layers[0].factor == 2
        assert fault(text.replace("factor", "faktor")) == (
            3,
            "unknown option of Scaled 'faktor'. Did you mean 'factor'? Known: factor, unknown.",
        )
        assert fault(text.replace("2", "7")) == (3, "Scaled: factor 7 is unlucky.")
        assert load(text).model.config()["layers"] == [{"type": "Scaled", "factor": 2, "unknown": None}]
    finally:
        LAYERS.remove("Scaled")


def as_json(model: pl.Model) -> str:
    return json.dumps(model.config())


@every("name", sorted(PRESETS.keys() - {"pretrained"}))
def test_every_preset_comes_back_from_its_file(load: Any, name: str) -> None:
    model = pl.preset(name)
    architecture = load(architecture_to_toml(model))
    assert as_json(architecture.model) == as_json(model)
    assert architecture.model.dtype == model.dtype
    assert architecture.input_shape is None
    model.initialize((32, 32, 3), seed=3)
    again = load(architecture_to_toml(model))
    assert again.input_shape == (32, 32, 3)
    again.initialize(seed=3)
    assert np.array_equal(again.model.theta, model.theta)


def test_graphs_and_odd_names_come_back(load: Any) -> None:
    inner = pl.Graph(["x"], {"y": (pl.Sequential([pl.Dense(2), pl.Dropout(0.3)]), "x")}, "y")
    model = pl.Graph(
        ["a b", 'quo"te'],
        {
            "u": (inner, "a b"),
            "v": (pl.Parallel([pl.Residual(pl.Dense(2)), pl.Activation("leaky_relu", slope=0.2)]), "u"),
            "w": ("concat", ["v", 'quo"te']),
            "ä = [": (pl.Dense(1), "w"),
        },
        ["ä = [", "w"],
    )
    model.initialize({"a b": (2,), 'quo"te': (3,)})
    again = load(architecture_to_toml(model))
    assert as_json(again.model) == as_json(model)
    assert again.input_shape == model.input_shape


def test_a_structure_alone_becomes_a_sequence_of_one(load: Any) -> None:
    model = pl.Residual(pl.Sequential([pl.Dense(2, activation="relu"), pl.Dense(2)]))
    assert as_json(load(architecture_to_toml(model)).model) == as_json(pl.Sequential([model]))


def test_the_loss_of_a_trained_model_is_written(load: Any) -> None:
    model = pl.Sequential([pl.Dense(1)])
    model.initialize((2,))
    model.set_loss("huber", delta=2)
    assert "[training]" not in architecture_to_toml(model)
    model._summary_of_training = {"n_steps": 1}
    assert load(architecture_to_toml(model)).training == {"loss": {"type": "huber", "delta": 2.0}}


def changed(old: str, new: str, text: str = NET) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


WRONG = [
    # in the text, in its place, the line that is named is the one that holds ..., the message holds ...
    ("[model]", "[modle]", "[modle]", "unknown table or key 'modle'. Did you mean 'model'?"),
    ("input_shape", "inputshape", "inputshape", "key of [model] 'inputshape'. Did you mean 'input_shape'?"),
    ('"float64"', '"float46"', "float46", "unknown dtype 'float46'. Did you mean 'float64'?"),
    ('"float64"', "64", "dtype = 64", "dtype: expected the name of a dtype in quotes, got 64"),
    ("[8, 8, 3]", "[8, 0, 3]", "[8, 0", "model: expected input_shape to be a list"),
    ("[8, 8, 3]", "{ x = [8] }", "{ x", "expected one list of sizes"),
    ("units = 3", "unit = 3", "unit =", "unknown option of Dense 'unit'. Did you mean 'units'?"),
    ("units = 3", "", "[[layers]]", "Dense: units is missing; expected a whole number"),
    ("units = 3", "units = true", "units", "units to be a whole number of at least 1, got true."),
    ('"Flatten"', '"flatten"', '"flatten"', "unknown layer 'flatten'. Did you mean 'Flatten'?"),
    ('"Flatten"', "3", "type = 3", "type: expected the name of a layer in quotes, got 3."),
    ('type = "Flatten"', "", "[[layers]]", "layer: type is missing"),
    ('"relu"', '"rellu"', '"rellu"', "Conv2D: unknown activation 'rellu'. Did you mean 'relu'?"),
    ("[3, 3]", "[3, 0]", "kernel_size = [3, 0]", "Conv2D: expected kernel_size"),
    ('"BatchNorm"', '"BachNorm"', "BachNorm", "unknown layer 'BachNorm'. Did you mean 'BatchNorm'?"),
    ('{ type = "BatchNorm" }', "3", "    3,", 'layer such as { type = "Flatten" } or a list of them, got 3.'),
    ("branches = [", 'merge = "sum"\nbranches = [', '"sum"', "Parallel: unknown merge 'sum'."),
    ("label_smoothing", "label_smooth", "label_smooth", "Did you mean 'label_smoothing'?"),
    ('"categorical_cross_entropy"', '"categorical"', '"categorical"', "unknown loss 'categorical'."),
    ('type = "adam"', 'name = "adam"', 'name = "adam"', "optimizer: type is missing."),
    ("beta1 = 0.8", "beta1 = 1.8", "beta1", "beta1 to be a number of at least 0 and below 1, got 1.8."),
    ('"cosine"', '"cosin"', '"cosin"', "unknown schedule 'cosin'. Did you mean 'cosine'?"),
    ("learning_rate = 0.01", "lr = 0.01", "lr =", "unknown key of [training] 'lr'."),
    (
        'loss = { type = "categorical_cross_entropy", label_smoothing = 0.1 }',
        'label_smoothing = 0.1\nloss = "hinge"',
        "label_smoothing",
        "label_smoothing: hinge takes none. Leave it out.",
    ),
    ("epochs = 20", "label_smoothing = 0.3", "label_smoothing = 0.3", "among its own options. Leave it out."),
    ("learning_rate = 0.01", "learning_rate = -1", "learning_rate", "to be a number above 0, got -1."),
    ("beta1 = 0.8", "learning_rate = 1", "learning_rate = 0.01", "learning_rate: given twice"),
    ('{ type = "adam", beta1 = 0.8 }', '"lbfgs"', "learning_rate", "lbfgs: unknown option 'learning_rate'."),
    ("epochs = 20", "epochs = 0", "epochs", "expected epochs to be a whole number of at least 1, got 0."),
    ("epochs = 20", 'augment = "foto"', "augment", "unknown augment 'foto'. Did you mean 'photo'?"),
    ("batch_size = 32", "batch_size = 32\n[[layers.x]]", "[[layers.x]]", "unknown option of Dense 'x'."),
    ("[model]\n", "[graph]\ninputs = []\n[model]\n", "[graph]", "expected layers or a graph, got both"),
]


WRONG_GRAPHS = [
    ('inputs = ["photo", "facts"]', 'input = ["photo"]', "input =", "key of [graph] 'input'. Did you mean"),
    ('inputs = ["photo", "facts"]', "", "[graph]", "Graph: inputs is missing."),
    ('inputs = ["photo", "facts"]', 'inputs = "photo"', "inputs", "to be a list (each a text), got 'photo'."),
    ('outputs = "logit"', 'outputs = "logits"', "outputs", "unknown output 'logits'. Did you mean 'logit'?"),
    ('from = "photo"', 'from = "foto"', "[[nodes]]", "Graph: node 'pixels': unknown source 'foto'."),
    ('from = "photo"', "", "[[nodes]]", "node: from is missing."),
    ('from = "photo"', "from = 3", "from = 3", "node: expected from to be a text or a list"),
    ('name = "both"', 'name  = "pixels"', 'name  = "pixels"', "Graph: two nodes are called 'pixels'."),
    ('name = "both"', 'name = "facts"', 'name = "facts"', "Graph: two nodes or inputs are called 'facts'"),
    ('type = "concat"', 'type = "cat"', '"cat"', "unknown layer 'cat'. Did you mean 'concat'?"),
    ('type = "concat"', 'type = "concat"\naxis = 1', "axis", "unknown key of a node 'axis'."),
    ('type = "concat"', 'type = "Flatten"', "[[nodes]]", "node 'both': a layer takes one source, got 2."),
    ("units = 1", "unit = 1", "unit =", "unknown option of Dense 'unit'. Did you mean 'units'?"),
    ("facts = [2]", "fact = [2]", "fact", "unknown input 'fact'. Did you mean 'facts'?"),
    (", facts = [2]", "", "input_shape", "the shape of the input 'facts' is missing."),
    ("{ photo = [4, 4, 1], facts = [2] }", "[2]", "input_shape", "a table with a shape for each of photo"),
]


CASES = [*((NET, *row) for row in WRONG), *((GRAPH, *row) for row in WRONG_GRAPHS)]


@every(("text", "old", "new", "line", "message"), CASES)
def test_a_fault_is_named_with_its_line(
    fault: Any, text: str, old: str, new: str, line: str, message: str
) -> None:
    text = changed(old, new, text)
    number, found = fault(text)
    assert message in found
    assert line in text.splitlines()[number - 1]


@every(
    ("text", "line", "message"),
    [
        ("a = ", 1, "not TOML: invalid value"),
        ("[[layers]]\ntype = 'Dense\n", 2, "not TOML: "),
        ("[[layers]]\nunits = 1\nunits = 2", 3, "not TOML: cannot overwrite a value"),
        ('[[layers]]\ntype = """x', 2, "not TOML: unterminated string (the file ends here)"),
        (b"[[layers]]\n# caf\xe9\n", 2, "not UTF-8 (byte 0xe9)"),
        ("\n[layers]\ntype = 'Dense'", 2, "expected a list of layers: a [[layers]] header above each"),
        ("layers = 3", 1, "layers: expected a list of layers"),
        ("layers = []", 1, "layers: expected at least one layer, got none"),
        ("layers = [[]]", 1, "Sequential: expected at least one layer, got none"),
        ("\nnodes = []", 2, "nodes: expected a [graph] table"),
        ("[graph]\ninputs = ['x']\noutputs = 'y'", 1, "Graph: expected nodes"),
        ("graph = 1", 1, "graph: expected a table with inputs and outputs, got 1."),
        ("training = 1\nlayers = [{ type = 'Flatten' }]", 1, "training: expected a table, got 1."),
        ("model = []\nlayers = [{ type = 'Flatten' }]", 1, "model: expected a table, got []."),
    ],
)
def test_what_is_not_an_architecture_at_all(fault: Any, text: str, line: int, message: str) -> None:
    number, found = fault(text)
    assert message in found
    assert number == line


@every(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("[model]\n", "it has no layers"),
        ("a = " + "[" * 20_000, "lists or tables are nested too deeply"),
        (f"{'aa.' * 600}b = 1", r"line 1: the key aa\.aa\.[a.]{,40}… has more than 200 parts"),
        (f"{NET}\n[layers.{'aa.' * 600}b]\n", r"the key layers\.\d\.aa\.[a.]{,40}… has more than 200 parts"),
        ("a = " + "9" * 10_000, "not TOML that can be read"),
    ],
)
def test_faults_of_a_whole_file(load: Any, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        load(text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with (tmp_path / "large.toml").open("wb") as file:
        file.truncate(20_000_000)
    for path, message in [
        (tmp_path / "none.toml", r"none\.toml: cannot be read: there is no such file"),
        (tmp_path, "cannot be read: Is a directory"),
        ("a\0.toml", "not a file's name"),
        (tmp_path / "large.toml", "expected a TOML text, got 20,000,000 bytes"),
    ]:
        with pytest.raises(FormatError, match=message):
            load_architecture(path)


@every(
    ("text", "line", "message"),
    [
        (changed('type = "Flatten"', 'type = "LayerNorm"'), "[[layers]]", "samples of shape (n_in,)"),
        (changed("filters = 2 }", "filters = 2, stride = 3 }"), "[[layers]]", "differ in the last axis only"),
        (changed("filters = 4, kernel_size = 1", "filters = 3"), "[[layers]]", "the body gives (8, 8, 4)"),
        (changed("[8, 8, 3]", "[8]"), "[[layers]]", "conv2d_1: expected"),
        (changed("units = 3", "units = 1_000_000_000_000_000_000"), "[[layers]]", "do not fit in memory"),
        (changed("units = 3", "units = " + "9" * 40), "[[layers]]", "do not fit in memory"),
        (changed("filters = 4 },", 'filters = 4 }, { type = "Dense", units = 1 },'), '"Dense"', "dense_1: "),
    ],
)
def test_a_layer_that_does_not_fit_has_its_line(load: Any, text: str, line: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        load(text).initialize()
    match = re.search(r"net\.toml, line (\d+): (.*)", str(error.value))
    assert match is not None, str(error.value)
    assert message in match[2]
    assert line in text.splitlines()[int(match[1]) - 1]


def test_a_file_without_a_shape_asks_for_one(load: Any) -> None:
    architecture = load(changed("input_shape = [8, 8, 3]", ""))
    with pytest.raises(FormatError, match=r"net\.toml: the shape of the input is not known"):
        architecture.initialize()
    architecture.initialize((8, 8, 3))
    assert architecture.model.input_shape == (8, 8, 3)
