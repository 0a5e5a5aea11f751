"""The model table: counted by hand, by the arrays themselves, and read as text."""

import json

import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from tests.every import every

import pellucid as pl
from pellucid.nn.presets import PRESETS
from pellucid.nn.summary import summarize


def test_counted_by_hand() -> None:
    model = pl.Sequential([pl.Conv2D(4, 3), pl.BatchNorm(), pl.Flatten(), pl.Dense(2, activation="relu")])
    model.initialize((6, 5, 3))
    conv, norm, flat, dense = summarize(model).rows
    assert (conv.n_params, conv.n_operations) == (3 * 3 * 3 * 4 + 4, 2 * 30 * 27 * 4)
    assert (conv.activation_bytes, conv.parameter_bytes) == (30 * 4 * 4, 112 * 4)
    assert (norm.n_params, norm.n_operations, norm.output_shape) == (8, 2 * 120, (6, 5, 4))
    assert (flat.activation_bytes, flat.output_shape) == (0, (120,))  # its input, seen again
    assert (dense.n_params, dense.n_operations, dense.activation_bytes) == (242, 480, 8)
    assert (dense.name, dense.kind, dense.activation) == ("dense_1", "Dense", "relu")


def test_structures_stand_above_what_is_inside_them() -> None:
    block = pl.Residual(pl.Sequential([pl.Dense(4, activation="relu"), pl.Dense(3)]), shortcut=pl.Dense(3))
    model = pl.Sequential(
        [
            block,
            pl.Parallel([pl.Dense(2), pl.Dense(2), pl.Dense(2)], merge="add"),
            pl.Parallel([pl.Dense(1), pl.Dense(2)]),
        ]
    )
    model.initialize((5,))
    rows = summarize(model).rows
    assert [(row.depth, row.label, row.kind) for row in rows] == [
        (0, "residual", "Residual"),
        (1, "body", "Sequential"),
        (2, "dense_1", "Dense"),
        (2, "dense_2", "Dense"),
        (1, "shortcut: dense_3", "Dense"),
        (0, "parallel", "Parallel"),
        (1, "branch 1: dense_4", "Dense"),
        (1, "branch 2: dense_5", "Dense"),
        (1, "branch 3: dense_6", "Dense"),
        (0, "parallel", "Parallel"),
        (1, "branch 1: dense_7", "Dense"),
        (1, "branch 2: dense_8", "Dense"),
    ]
    assert [row.n_operations for row in rows if row.kind != "Dense"] == [3, 0, 2 * 2, 0]
    assert [row.activation_bytes for row in rows if row.kind != "Dense"] == [12, 0, 8, 12]
    assert summarize(model).n_params == model.theta.size


def graph() -> pl.Graph:
    model = pl.Graph(
        ["x", "f"],
        {
            "a": (pl.Dense(4), "x"),
            "b": (pl.Dense(4), "a"),
            "c": ("add", ["a", "b", "a"]),
            "d": ("concat", ["c", "f"]),
            "z": (pl.Dense(1), "d"),
        },
        ["z", "d"],
    )
    model.initialize({"x": (3,), "f": (2,)})
    return model


def test_nodes_of_a_graph_have_their_names() -> None:
    table = summarize(graph())
    assert [row.label for row in table.rows] == ["a: dense_1", "b: dense_2", "c", "d", "z: dense_3"]
    assert [row.n_operations for row in table.rows] == [24, 32, 8, 0, 12]
    assert [row.name for row in table.layers] == ["a", "b", "c", "d", "z"]
    assert table.output_shape == {"z": (1,), "d": (6,)}
    assert "x (3,), f (2,)" in str(table)


@every("name", sorted(PRESETS.keys() - {"pretrained"}))
def test_sums_are_those_of_the_arrays(name: str) -> None:
    model = pl.preset(name)
    model.initialize((32, 32, 3))
    table = summarize(model)
    assert table.n_params == model.theta.size
    assert table.parameter_bytes == model.theta.nbytes
    assert table.n_operations == model._n_operations
    laid_out = pl.preset(name)
    laid_out._lay_out((32, 32, 3))
    assert summarize(laid_out) == table
    assert json.loads(json.dumps(table.to_dict()))["totals"]["n_params"] == model.theta.size


def test_a_network_too_large_to_train_here_can_be_looked_at() -> None:
    model: pl.Model = pl.Sequential([pl.Dense(20_000, initializer="he"), pl.Dense(1)])
    model._lay_out((20_000,))  # 3 GB of zeros, which take no memory until something else is written there
    assert summarize(model).n_params == 20_000**2 + 20_000 + 20_001
    assert not model._leaves()[0].params["W"][::1000].any()  # nothing was drawn


def test_the_text_is_aligned_and_ends_in_sums() -> None:
    model = pl.Sequential([pl.Flatten(), pl.Residual(pl.Dense(12288, activation="tanh")), pl.Dense(1)])
    model._lay_out((64, 64, 3))
    text = str(model.summary())
    title, _, head, rule, *rows, rule_again, total, _, _ = text.splitlines()
    assert title == "Sequential, float32, samples of shape (64, 64, 3)"
    assert rule == rule_again
    assert rows[2].startswith("  body: dense_1 ")
    assert rows[2].split()[2:4] == ["Dense,", "tanh"]
    assert "  151,007,232  301,989,888  " in rows[2]
    assert total.split() == ["total", "(1,)", "151,019,521", "302,026,752", "98,308", "604,078,084"]
    assert {len(line) for line in (head, rule, *rows, total)} == {len(rule)}  # every line ends in a number


def test_a_model_without_shapes_has_no_table() -> None:
    with pytest.raises(pl.PellucidError, match=r"summary: .* model.initialize\(X.shape\[1:\]\)"):
        pl.Sequential([pl.Dense(1)]).summary()


def test_a_notebook_shows_the_table_or_the_layers() -> None:
    model = pl.Sequential([pl.Flatten(), pl.Residual(pl.Dense(12)), pl.Dense(1)])
    assert "Residual(body=Dense(units=12))" in model._repr_html_()
    model.initialize((2, 2, 3))
    page = model._repr_html_()
    assert page.count("<tr>") == 6
    assert "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}body: dense_1" in page
    assert repr(model.summary()) == str(model.summary())
    named = pl.Graph(["<x>"], {"<a>": (pl.Dense(1), "<x>")}, "<a>")
    assert "<x>" not in named._repr_html_()
    named.initialize((2,))
    assert "<a>" not in named._repr_html_()


def test_a_model_is_drawn_on_axes() -> None:
    model = pl.Sequential([pl.Dense(3, "tanh"), pl.Dense(1)])
    with pytest.raises(pl.PellucidError, match="the shapes are not known yet"):
        model.plot()
    model.initialize((2,))
    axes = Figure().add_subplot()
    assert model.plot(ax=axes) is axes
    assert axes.texts[0].get_text() == "2 → 3 → 1"
    own = model.plot()
    assert pyplot.fignum_exists(own.figure.number)
    pyplot.close(own.figure)
