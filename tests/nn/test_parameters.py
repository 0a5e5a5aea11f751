"""A model's numbers by name: views to look at and to write to, and layers that print theirs."""

import copy

import numpy as np
import pytest

import pellucid as pl
from pellucid.errors import OptionError, PellucidError, ShapeError
from pellucid.nn.norm import BatchNorm


def net() -> pl.Sequential:
    model = pl.Sequential([pl.Dense(3, "relu"), pl.Residual(pl.Dense(3)), BatchNorm(), pl.Dense(1)])
    model.initialize((4,), dtype="float64")
    return model


def test_each_array_is_a_view_of_the_models_own() -> None:
    model = net()
    assert list(model.params) == list(model.grads) == ["dense_1", "dense_2", "batchnorm_1", "dense_3"]
    assert list(model.params["batchnorm_1"]) == ["gamma", "beta"]
    assert sum(array.size for layer in model.params.values() for array in layer.values()) == model.theta.size
    model.params["dense_1"]["b"][:] = 7
    assert (model.theta[12:15] == 7).all()
    model.params["dense_1"]["b"] = [1, 2, 3]  # copied into the same array
    assert model.theta[12:15].tolist() == [1, 2, 3]
    model._check_parameters()
    twin = copy.deepcopy(model)
    twin.params["dense_3"]["W"][:] = 0
    assert model.params["dense_3"]["W"].any()
    loss = model.loss_and_grad(np.ones((2, 4)), np.array([0, 1]))
    assert loss > 0
    assert model.grads["dense_3"]["b"] is model.layers[-1].grads["b"]


def test_a_layer_inside_a_structure_and_a_node_of_a_graph_have_names() -> None:
    model = net()
    assert list(model.layers[1].params) == ["dense_2"]  # type: ignore[arg-type]
    graph = pl.Graph(["x"], {"hidden": (pl.Dense(2), "x"), "out": (pl.Dense(1), "hidden")}, "out")
    assert len(graph.params) == 0
    graph.initialize((3,))
    assert list(graph.params) == ["hidden", "out"] == [row.name for row in graph.summary().rows]


def test_what_does_not_exist_is_answered() -> None:
    model = net()
    with pytest.raises(OptionError, match=r"unknown layer 'dens_1'\. Did you mean 'dense_1'"):
        model.params["dens_1"]
    with pytest.raises(OptionError, match=r"dense_1: unknown array 'w'\. Did you mean 'W'\? Known: W, b"):
        model.params["dense_1"]["w"]
    with pytest.raises(ShapeError, match=r"dense_1: expected b of shape \(3,\), got \(2,\)"):
        model.params["dense_1"]["b"] = [1, 2]
    with pytest.raises(OptionError, match="a layer keeps its arrays"):
        del model.params["dense_1"]["b"]
    with pytest.raises(OptionError, match="a structure has the arrays of its layers"):
        model.params = {"W": np.ones(2)}
    with pytest.raises(PellucidError, match="nothing is initialized yet"):
        pl.Sequential([pl.Dense(1)]).params["dense_1"]
    assert "dense_9" not in model.params
    assert model.params.get("dense_9") is None


def test_a_layer_prints_its_numbers() -> None:
    model = net()
    model.params["dense_3"]["W"] = [[0.5], [-0.25], [0.125]]
    assert str(model.layers[-1]).splitlines() == [
        "Dense(units=1)",
        "dense_3: (3,) to (1,), 4 parameters",
        "W (3, 1) float64",
        "    [[ 0.5  ]",
        "     [-0.25 ]",
        "     [ 0.125]]",
        "b (1,) float64",
        "    [0.]",
    ]
    assert "running_var (3,) float64" in str(model.layers[2])
    wide = pl.Dense(50)
    pl.Sequential([wide]).initialize((20,))
    assert "W (20, 50) float32: mean " in str(wide)
    assert str(pl.Dense(3)) == "Dense(units=3)"


def test_the_table_of_parameters_is_text_and_html() -> None:
    model = net()
    assert "batchnorm_1  gamma" in repr(model.params)
    assert "<td>batchnorm_1</td><td>gamma</td><td>(3,)</td>" in model.params._repr_html_()
    deep = pl.preset("resnet-small")
    deep.initialize((32, 32, 3))
    assert len(deep.params._repr_html_()) < 20_000
    assert len(deep._repr_html_()) < 18_000
    deeper = pl.Sequential([pl.Residual(pl.Dense(8, "relu")) for _ in range(200)])
    deeper.initialize((8,))
    assert len(deeper._repr_html_()) < 18_000
    assert "350 more rows" in deeper._repr_html_()
    assert len(deeper.params._repr_html_()) < 20_000
