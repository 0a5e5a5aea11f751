"""Showing and checking networks, from every kind of source."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command
from tests.every import every

import pellucid as pl
from pellucid.errors import FormatError, OptionError
from pellucid.nn.dense import Dense
from pellucid.nn.graph import Graph
from pellucid.nn.layer import LAYERS, Layer
from pellucid.nn.model import Model
from pellucid.nn.sequential import Sequential
from pellucid.registry import register
from pellucid.types import Array, Shape
from pellucid.workflows.model import check, show

NET = """\
[model]
input_shape = [6, 6, 3]

[[layers]]
type = "Conv2D"
filters = 4
activation = "relu"

[[layers]]
type = "Residual"
body = [{ type = "Conv2D", filters = 4 }, { type = "BatchNorm" }]

[[layers]]
type = "Dropout"

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 3
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A file with a network."""
    path = tmp_path / "net.toml"
    path.write_text(NET)
    return path


def write(path: Path, old: str, new: str) -> Path:
    assert NET.count(old) == 1
    path.write_text(NET.replace(old, new))
    return path


def test_show_a_file(net: Path) -> None:
    table = show(net)
    assert [row.kind for row in table.rows][:4] == ["Conv2D", "Residual", "Sequential", "Conv2D"]
    assert table.n_params == (27 * 4 + 4) + (36 * 4 + 4) + 8 + (144 * 3 + 3)
    assert table.input_shape == (6, 6, 3)
    assert show(str(net), (4, 4, 1)).input_shape == (4, 4, 1)


def test_show_a_preset_for_photos_or_another_shape() -> None:
    assert show("mlp").input_shape == (64, 64, 3)
    assert show("mlp", (30,)).n_params == 30 * 20 + 20 + 20 * 7 + 7 + 7 * 5 + 5 + 6


def test_show_a_model_file_and_a_run_folder(tmp_path: Path) -> None:
    model = pl.preset("two-layer")
    model.initialize((4, 4, 3))
    pl.save(model, tmp_path / "model.safetensors")
    for source in (tmp_path / "model.safetensors", str(tmp_path), model):
        assert str(show(source)) == str(model.summary())
        assert show(source, [4, 4, 3]).n_params == model.theta.size  # type: ignore[arg-type]
        with pytest.raises(OptionError, match=r"expected samples of shape \(4, 4, 3\).*got \(5,\)"):
            show(source, (5,))
        assert check(source).is_ok


def test_show_a_model_that_has_no_shape_yet() -> None:
    with pytest.raises(OptionError, match="the shape of the input is not known"):
        show(Sequential([Dense(1)]))
    assert show(Sequential([Dense(1)]), (2,)).n_params == 3


@every("use", [show, check])
def test_what_is_no_source(use: Any, tmp_path: Path) -> None:
    with pytest.raises(
        OptionError, match=r"unknown preset 'mpl'. Did you mean 'mlp'\?.*Or name a \.toml file"
    ):
        use("mpl")
    with pytest.raises(FormatError, match=r"none\.toml: cannot be read: there is no such file"):
        use(tmp_path / "none.toml")
    with pytest.raises(FormatError, match=r"none\.safetensors: there is no such model file"):
        use(tmp_path / "none.safetensors")
    with pytest.raises(FormatError):
        use(tmp_path)


@every("use", [show, check])
def test_a_fault_in_a_file_is_named_with_its_line(use: Any, net: Path) -> None:
    with pytest.raises(FormatError, match="line 21: unknown option of Dense 'unit'"):
        use(write(net, "units", "unit"))
    with pytest.raises(FormatError, match="line 9: Residual: the body gives"):
        use(write(net, '{ type = "Conv2D", filters = 4 }', '{ type = "Conv2D", filters = 5 }'))
    with pytest.raises(FormatError, match="the shape of the input is not known"):
        use(write(net, "input_shape = [6, 6, 3]", ""))
    with pytest.raises(FormatError, match="line 4: conv2d_1: expected"):
        use(write(net, "[6, 6, 3]", "[6]"))


def test_check_a_file_with_its_own_loss(net: Path) -> None:
    result = check(net)
    assert result.is_ok, result
    assert result.loss == "categorical_cross_entropy"
    assert [row.name for row in result.rows][:4] == ["input", "conv2d_1.W", "conv2d_1.b", "conv2d_2.W"]
    net.write_text(NET + '[training]\nloss = { type = "focal", gamma = 1.5 }')
    assert check(net, seed=2).loss == "focal"
    net.write_text(NET + '[training]\nloss = "binary_cross_entropy"')
    with pytest.raises(
        FormatError, match=r"net\.toml: binary_cross_entropy: expected a model with 1 output, got 3"
    ):
        check(net)


def test_a_graph_with_two_inputs(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text("""
[graph]
inputs = ["x", "f"]
outputs = "z"
[[nodes]]
name = "both"
from = ["x", "f"]
type = "concat"
[[nodes]]
name = "z"
from = "both"
type = "Dense"
units = 1
""")
    shapes: dict[str, Shape] = {"x": (3,), "f": (2,)}
    assert show(path, shapes).n_params == 6
    assert check(path, shapes).is_ok
    with pytest.raises(FormatError, match="Graph: expected shapes for x, f"):
        show(path, (3,))


def test_a_broken_layer_of_your_own_is_reported_at_its_own_parameter(net: Path) -> None:
    @register
    class Shift(Layer):
        def __init__(self, is_right: bool) -> None:
            super().__init__()
            self.is_right = is_right

        def build(self, input_shape: Shape, rng: Any) -> None:
            super().build(input_shape, rng)
            self.params = {"b": np.zeros(input_shape[-1])}

        def forward(self, X: Array, *, training: bool = False) -> Array:
            return X + self.params["b"]

        def backward(self, dY: Array) -> Array:
            axes = tuple(range(dY.ndim - 1)) if self.is_right else 0
            self.grads["b"][...] = dY.sum(axis=axes) if self.is_right else dY[:, 0, 0].sum(axis=axes)
            return dY

    try:
        for is_right in (True, False):
            result = check(
                write(net, 'type = "Dropout"', f'type = "Shift"\nis_right = {str(is_right).lower()}')
            )
            assert [row.name for row in result.rows if not row.is_ok] == ([] if is_right else ["shift_1.b"])
            assert result.is_ok is is_right
    finally:
        LAYERS.remove("Shift")


def test_a_source_may_be_a_model_of_any_structure() -> None:
    model: Model = Graph(["x"], {"a": (Dense(2), "x"), "z": ("add", ["a", "x"])}, ["a", "z"])
    assert check(model, (2,)).is_ok
    assert not model._is_initialized


def test_an_unknown_input_shape_is_said_once(pellucid: Command, tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(NET.replace("input_shape = [6, 6, 3]", ""))
    done = pellucid("model", "show", "net.toml")
    assert done.code == 2
    assert done.err.count("net.toml") == 1
    assert "--input-shape 64x64x3" in done.err
    assert pellucid("model", "show", "net.toml", "--input-shape", "6x6x3", "--json").code == 0


def test_a_table_fits_eighty_columns(
    pellucid: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pellucid.cli.model import model_show

    wide = pellucid("model", "show", "cnn").out
    assert max(map(len, wide.splitlines())) > 100
    monkeypatch.setenv("COLUMNS", "80")
    for source in ("cnn", "resnet-small", "mlp"):
        with monkeypatch.context() as terminal:
            terminal.setattr("sys.stdout.isatty", lambda: True, raising=False)
            model_show(source)
        out = capsys.readouterr().out
        assert max(map(len, out.splitlines())) <= 80
        table = show(source)
        for row in table.layers:
            assert f"{row.label} " in out
        assert f"{table.n_params / 1000:.3g} k" in out
