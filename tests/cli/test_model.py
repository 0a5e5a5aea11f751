"""Showing and checking networks, from every kind of source."""

from pathlib import Path
from typing import Any

import pytest
from tests.commands import Command, assert_refused
from tests.every import every

import pellucid as pl
from pellucid.errors import FormatError, OptionError
from pellucid.types import Shape
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


def test_show_every_kind_of_source(net: Path, tmp_path: Path) -> None:
    table = show(net)
    assert [row.kind for row in table.rows][:4] == ["Conv2D", "Residual", "Sequential", "Conv2D"]
    assert table.n_params == (27 * 4 + 4) + (36 * 4 + 4) + 8 + (144 * 3 + 3)
    assert table.input_shape == (6, 6, 3)
    assert show(str(net), (4, 4, 1)).input_shape == (4, 4, 1)
    assert show("mlp").input_shape == (64, 64, 3)
    assert show("mlp", (30,)).n_params == 30 * 20 + 20 + 20 * 7 + 7 + 7 * 5 + 5 + 6
    model = pl.preset("two-layer")
    model.initialize((4, 4, 3))
    pl.save(model, tmp_path / "model.safetensors")
    for source in (tmp_path / "model.safetensors", str(tmp_path), model):
        assert str(show(source)) == str(model.summary())
        assert show(source, [4, 4, 3]).n_params == model.theta.size  # type: ignore[arg-type]
        with pytest.raises(OptionError, match=r"expected samples of shape \(4, 4, 3\).*got \(5,\)"):
            show(source, (5,))
        assert check(source).is_ok
    with pytest.raises(OptionError, match="the shape of the input is not known"):
        show(pl.Sequential([pl.Dense(1)]))
    assert show(pl.Sequential([pl.Dense(1)]), (2,)).n_params == 3
    graph: pl.Model = pl.Graph(["x"], {"a": (pl.Dense(2), "x"), "z": ("add", ["a", "x"])}, ["a", "z"])
    assert check(graph, (2,)).is_ok
    assert not graph._is_initialized


@every("use", [show, check])
def test_what_is_no_source_or_has_a_fault_is_named(use: Any, net: Path, tmp_path: Path) -> None:
    preset = r"unknown preset 'mpl'. Did you mean 'mlp'\?.*Or name a \.toml file"
    with pytest.raises(OptionError, match=preset):
        use("mpl")
    with pytest.raises(FormatError, match=r"none\.toml: cannot be read: there is no such file"):
        use(tmp_path / "none.toml")
    with pytest.raises(FormatError, match=r"none\.safetensors: there is no such model file"):
        use(tmp_path / "none.safetensors")
    with pytest.raises(FormatError):
        use(tmp_path)
    with pytest.raises(FormatError, match="line 3: conv2d_1: expected"):
        use(write(net, "[6, 6, 3]", "[6]"))


def test_check_a_file_with_its_own_loss(net: Path) -> None:
    result = check(net)
    assert (result.is_ok, result.loss) == (True, "categorical_cross_entropy"), result
    named = [row.name for row in result.rows if row.stage == "network"]
    assert named[:4] == ["input", "conv2d_1.W", "conv2d_1.b", "conv2d_2.W"]
    net.write_text(NET + '[training]\nloss = { type = "focal", gamma = 1.5 }')
    assert check(net, seed=2).loss == "focal"
    net.write_text(NET + '[training]\nloss = "binary_cross_entropy"')
    words = r"net\.toml: binary_cross_entropy: expected a model with 1 output, got 3"
    with pytest.raises(FormatError, match=words):
        check(net)


def test_a_graph_with_two_inputs(net: Path) -> None:
    net.write_text("""
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
    assert show(net, shapes).n_params == 6
    assert check(net, shapes).is_ok
    with pytest.raises(FormatError, match="Graph: expected shapes for x, f"):
        show(net, (3,))


def test_an_unknown_input_shape_is_said_once(pellucid: Command, net: Path) -> None:
    write(net, "input_shape = [6, 6, 3]", "")
    done = pellucid("model show net.toml")
    assert_refused(done, "--input-shape 64x64x3")
    assert done.err.count("net.toml") == 1
    pellucid.json("model show net.toml --input-shape 6x6x3")


def test_a_table_fits_eighty_columns(pellucid: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(map(len, pellucid("model show cnn").out.splitlines())) > 100
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for source in ("cnn", "resnet-small", "mlp"):
        out, table = pellucid("model show", source).out, show(source)
        assert max(map(len, out.splitlines())) <= 80
        assert not [row.label for row in table.layers if f"{row.label} " not in out]
        assert f"{table.n_params / 1000:.3g} k" in out
