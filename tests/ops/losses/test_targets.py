"""How labels and targets are checked and encoded, options bound, classes weighed, and a loss chosen."""

import copy
import json
import pickle

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.ops.losses.base import LOSSES
from pellucid.ops.losses.targets import class_weights_to_sample_weights, default_loss

NAN = float("nan")


@every("name", ["binary_cross_entropy", "focal", "hinge"])
@every("y", [[0, 1, 1], [False, True, True], [0.0, 1.0, 1.0], [[0], [1], [1]]], ids=str)
def test_two_classes_become_a_column(name, y) -> None:
    Y = LOSSES.make(name).encode(np.array(y), 1, "float32")
    np.testing.assert_array_equal(Y, [[0], [1], [1]])
    assert Y.dtype == np.float32


@every("name", ["categorical_cross_entropy", "focal", "hinge"])
@every("dtype", [np.int64, np.uint8, np.int8, np.float32])
def test_labels_become_indices(name, dtype) -> None:
    Y = LOSSES.make(name).encode(np.array([2, 0, 1], dtype), 3, "float32")
    np.testing.assert_array_equal(Y, [2, 0, 1])
    assert Y.dtype == np.intp


def test_labels_that_are_indices_already_are_not_copied() -> None:
    y = np.array([0, 1], np.intp)
    assert LOSSES.make("categorical_cross_entropy").encode(y, 2, "float32") is y


@every("name", ["categorical_cross_entropy", "focal"])
def test_probabilities_are_soft_targets(name) -> None:
    Y = LOSSES.make(name).encode(np.array([[0.25, 0.75], [1, 0]]), 2, "float32")
    np.testing.assert_array_equal(Y, [[0.25, 0.75], [1, 0]])
    assert Y.dtype == np.float32


@every("name", ["huber", "mean_absolute_error", "mean_squared_error", "poisson"])
def test_quantities_become_a_matrix(name) -> None:
    encode = LOSSES.make(name).encode
    np.testing.assert_array_equal(encode(np.array([1, 2]), 1, "float32"), [[1], [2]])
    np.testing.assert_array_equal(encode(np.array([[1, 2]]), 2, "float64"), [[1, 2]])


BAD_TARGETS = [
    ("binary_cross_entropy", 2, [0, 1], ShapeError, "expected a model with 1 output, got 2"),
    ("binary_cross_entropy", 1, [0, 2, 5], DataError, r"labels 0 and 1, also got \[2, 5\]"),
    ("binary_cross_entropy", 1, [0.0, NAN], DataError, r"also got \[nan\]"),
    ("binary_cross_entropy", 1, [[0, 1]], ShapeError, r"labels of shape \(m,\), got \(1, 2\)"),
    ("binary_cross_entropy", 1, ["cat"], DataError, r"also got \['cat'\]"),
    ("focal", 1, [3], DataError, "focal: expected labels 0 and 1"),
    ("hinge", 1, [3], DataError, "hinge: expected labels 0 and 1"),
    ("categorical_cross_entropy", 1, [0, 1], ShapeError, "at least 2, got 1"),
    ("categorical_cross_entropy", 3, [0, 3], DataError, r"labels from 0 to 2, .* also got \[3\]"),
    ("categorical_cross_entropy", 3, [0, -1], DataError, r"also got \[-1\]"),
    ("categorical_cross_entropy", 3, [0, 0.5], DataError, r"got 0\.5 for sample 1"),
    ("categorical_cross_entropy", 3, [0, NAN], DataError, "got nan for sample 1"),
    ("categorical_cross_entropy", 3, [0, 1e300], DataError, "got 1e.300 for sample 1"),
    ("categorical_cross_entropy", 3, ["cat"], DataError, "got dtype <U3. Number the classes"),
    ("categorical_cross_entropy", 3, [[0], [1]], ShapeError, r"Try y\[:, 0\]"),
    ("categorical_cross_entropy", 3, [[0.5, 0.5]], ShapeError, r"shape \(m, 3\).* got \(1, 2\)"),
    ("categorical_cross_entropy", 2, [[1.5, -0.5]], DataError, "got -0.5"),
    ("categorical_cross_entropy", 2, [[1, 0], [1, 1]], DataError, "got 2 for sample 1 .* multi_label"),
    ("categorical_cross_entropy", 2, [[1, 0], [NAN, 1]], DataError, r"got \[nan, 1.0\] for sample 1"),
    ("focal", 3, [4], DataError, "focal: expected labels from 0 to 2"),
    ("hinge", 3, [4], DataError, "hinge: expected labels from 0 to 2"),
    ("hinge", 2, [[0.5, 0.5]], ShapeError, r"hinge: expected labels of shape \(m,\), got \(1, 2\)"),
    ("multi_label", 2, [0, 1], ShapeError, r"shape \(m, 2\).* got \(2,\)"),
    ("multi_label", 2, [[0, 2]], DataError, r"targets 0 and 1, also got \[2.0\]"),
    ("multi_label", 2, [[0, NAN]], DataError, "for sample 0"),
    ("mean_squared_error", 2, [1, 2], ShapeError, r"mean_squared_error: .* shape \(m, 2\).* got \(2,\)"),
    ("mean_absolute_error", 1, [1, NAN], DataError, r"mean_absolute_error: .* got \[nan\] for sample 1"),
    ("huber", 1, [1e300], DataError, r"huber: .* as float32.* scale numbers"),
    ("huber", 1, ["a"], DataError, "huber: expected numbers"),
    ("poisson", 1, [2, -1], DataError, "poisson: expected targets of at least 0, got -1"),
]


@every(("name", "n_out", "y", "error", "message"), BAD_TARGETS)
def test_bad_targets(name, n_out, y, error, message) -> None:
    with pytest.raises(error, match=message):
        LOSSES.make(name).encode(np.array(y), n_out, "float32")


BAD_OPTIONS = [
    ("hubber", {}, "'hubber'. Did you mean 'huber'"),
    ("huber", {"dleta": 1}, "huber: unknown option 'dleta'. Did you mean 'delta'"),
    ("huber", {"delta": 0}, "expected delta to be a number above 0, got 0"),
    ("hinge", {"margin": -1}, "expected margin to be a number above 0"),
    ("focal", {"gamma": -0.1}, "expected gamma to be a number of at least 0, got -0.1"),
    ("focal", {"alpha": 1.5}, "expected alpha to be a number from 0 to 1"),
    ("focal", {"alpha": [1, -1]}, "expected alpha to be"),
    ("focal", {"alpha": [[1]]}, "expected alpha to be"),
    ("multi_label", {"positive_weight": [1, NAN]}, "expected positive_weight to be"),
    ("binary_cross_entropy", {"label_smoothing": 1}, "at least 0 and below 1, got 1"),
    ("categorical_cross_entropy", {"label_smoothing": 1}, "at least 0 and below 1, got 1"),
    ("categorical_cross_entropy", {"label_smoothing": -0.1}, "at least 0 and below 1, got -0.1"),
    ("poisson", {"delta": 1}, "poisson: takes no options, got 'delta'"),
]


@every(("name", "options", "message"), BAD_OPTIONS)
def test_bad_options(name, options, message) -> None:
    with pytest.raises(OptionError, match=message):
        LOSSES.make(name, **options)


def test_options_are_used_and_can_be_stored() -> None:
    loss = LOSSES.make("huber", delta=np.float32(2))
    assert json.loads(json.dumps(loss.config())) == {"type": "huber", "delta": 2.0}
    assert loss._changed_options() == {"delta": 2.0}
    assert loss.forward(np.array([[5.0]]), np.array([[0.0]]))[0] == 2 * (5 - 1)
    assert (
        json.dumps(LOSSES.make("focal", alpha=np.array([1, 2]))._changed_options()) == '{"alpha": [1.0, 2.0]}'
    )
    assert LOSSES.make("huber")._changed_options() == {}


@every("name", sorted(LOSSES))
def test_losses_can_be_pickled_and_copied(name, rng) -> None:
    """Models travel to other processes and threads with theirs."""
    loss, n_out = LOSSES.make(name), 1 if name == "binary_cross_entropy" else 2
    Z, y = rng.standard_normal((3, n_out)), np.array([0, 1, 1])
    if loss.kind != "classification":
        y = np.ones((3, n_out))
    value = loss.forward(Z, loss.encode(y, n_out, "float64"))[0]
    for twin in (pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss)):
        assert twin.forward(Z, twin.encode(y, n_out, "float64"))[0] == value


@every(("name", "kind"), [("hinge", "classification"), ("huber", "regression")])
def test_no_probabilities(name, kind) -> None:
    loss = LOSSES.make(name)
    assert (loss.kind, loss.gives_probabilities) == (kind, False)
    with pytest.raises(OptionError, match="gives no probabilities"):
        loss.probabilities(np.ones((5, 1)))


@every(
    ("n_out", "y", "name"),
    [
        (1, np.array([0, 1]), "binary_cross_entropy"),
        (1, np.array([False, True]), "binary_cross_entropy"),
        (10, np.array([0, 9], np.uint8), "categorical_cross_entropy"),
        (1, np.array([0.5, 2]), "mean_squared_error"),
        (1, np.array([0.0, 1.0]), "mean_squared_error"),
        (2, np.array([[0.5, 2]]), "mean_squared_error"),
        (2, np.array([[3, 2]]), "mean_squared_error"),
        (1, np.array([[0.0], [1.0]]), "mean_squared_error"),
        (2, np.array([[0, 1], [1, 1]]), "multi_label"),
        (2, np.array([[0.0, 1.0]]), "multi_label"),
    ],
)
def test_default_loss(n_out, y, name) -> None:
    assert default_loss(n_out, y) == name
    LOSSES.make(name).encode(y, n_out, "float32")  # and it takes those targets


def test_balanced_weights_are_those_of_scikit_learn(rng) -> None:
    from sklearn.utils.class_weight import compute_sample_weight

    for y in (rng.integers(0, 4, 30), np.array([0, 0, 3])):  # classes 1 and 2 do not occur
        ours = class_weights_to_sample_weights(y, "balanced", 4)
        np.testing.assert_allclose(ours, compute_sample_weight("balanced", y), rtol=1e-15)
        totals = np.bincount(y, ours)
        np.testing.assert_allclose(totals[totals > 0], len(y) / len(np.unique(y)), rtol=1e-14)


@every("class_weight", [{1: 5}, {"1": 5.0}, [1, 5, 1], (1, 5, 1), np.array([1, 5, 1])], ids=str)
def test_given_class_weights(class_weight) -> None:
    weights = class_weights_to_sample_weights(np.array([0, 1, 2, 1]), class_weight, 3)
    np.testing.assert_array_equal(weights, [1, 5, 1, 5])
    assert weights.dtype == np.float64


@every(
    ("class_weight", "message"),
    [
        ("balance", "expected 'balanced', a mapping or 3 numbers, got 'balance'"),
        ({3: 1.0}, "expected labels from 0 to 2, got 3"),
        ({"cat": 1.0}, "expected numbers"),
        ([1.0, 2.0], "expected 3 finite weights"),
        ([1.0, 2.0, -1.0], "expected 3 finite weights"),
        ([1.0, 2.0, NAN], "expected 3 finite weights"),
        ({0: None}, "expected 3 finite weights"),
        (5.0, "expected 3 finite weights"),
    ],
)
def test_bad_class_weights(class_weight, message) -> None:
    with pytest.raises(OptionError, match=message):
        class_weights_to_sample_weights(np.array([0, 1, 2]), class_weight, 3)
