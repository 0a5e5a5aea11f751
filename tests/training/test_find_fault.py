"""What keeps a network from learning is found, from the parts to the whole."""

import json

import numpy as np
from tests.nn.test_gradient_check import Scale

import pellucid as pl

X = np.random.default_rng(0).standard_normal((40, 4))
Y = (X[:, 0] > 0).astype(int)


def stack(*layers: pl.Layer) -> pl.Model:
    return pl.Sequential([pl.Dense(5, "relu"), *layers, pl.Dense(1)])


def test_a_sound_network_has_no_fault() -> None:
    model = stack(pl.BatchNorm())
    found = pl.find_fault(model, (X, Y))
    assert found.headline == "No fault found: layer alone, network, loss and step on the data."
    assert not found.notes
    assert not model._is_initialized
    assert [row["outcome"] for row in pl.find_fault(model, input_shape=(4,)).to_rows()] == ["ok"] * 3
    assert pl.find_fault(pl.Dense(3), input_shape=(4,)).to_rows() == [
        {"checked": "layer alone", "outcome": "ok"}
    ]
    json.dumps(found.to_dict(), allow_nan=False)


def test_two_faults_of_one_layer_blame_no_other() -> None:
    found = pl.find_fault(stack(Scale("mean flow")), (X, Y))
    assert found.headline == "WRONG: scale_1 (scale_1 input and scale_1.b)."
    assert len(found.notes) == 2
    assert found.step is None
    assert found.to_rows() == [{"checked": "layer alone", "outcome": "FAULT"}]


def test_what_the_data_show() -> None:
    model = stack()
    model.initialize((4,), seed=1)
    model.params["dense_1"]["b"][...] = -100
    found = pl.find_fault(model, (X, Y))
    assert found.headline == "Faults in a step on the data: 1."
    assert found.notes[0].startswith("dense_1: 5 of 5 units are 0 for every sample")
    model.params["dense_1"]["b"][...] = 1e38
    model.params["dense_2"]["W"][...] = 1e5
    (note,) = pl.find_fault(model, (X, Y)).notes
    assert note.startswith("dense_2: Z holds NaN or infinity, the first in this step (forward)")
