"""Labels in every form that people store them in: class numbers, warnings where it is not certain, refusals."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data.labels import as_labels, class_names, encode
from pellucid.errors import DataError, DataWarning


@every("shape", [(4,), (4, 1), (1, 4)])
@every("dtype", [np.int64, np.float16, np.uint8, np.int8, np.float32, np.float64, np.uint64])
def test_whole_numbers_of_any_shape_and_dtype(shape: tuple[int, ...], dtype: type) -> None:
    labels = as_labels(np.array([0, 2, 1, 2], dtype).reshape(shape), 4, "y")
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, [0, 2, 1, 2])


def test_words_and_bytes_and_booleans() -> None:
    for y in (["b", "ä"], [b"b", "ä".encode()], [True, False]):
        wanted = [word.decode() if isinstance(word, bytes) else word for word in y]
        assert as_labels(np.array(y), 2, "y").tolist() == wanted


@every(
    ("y", "message"),
    [
        (np.array([0, 1, 1]), "expected 4 labels, one per sample, got 3"),
        (np.array([[0, 1]] * 4), r"got \(4, 2\)\. They look one-hot; try Y\.argmax\(axis=1\)"),
        (np.zeros((4, 1, 1)), r"got \(4, 1, 1\)\. One number per sample"),
        (np.array(1), r"got \(\)\. One number per sample"),
        (np.array([0, 1, 0.5, 1]), r"expected whole numbers, got 0\.5 at sample 2"),
        (np.array([0, np.nan, 1, 1]), "expected whole numbers, got nan at sample 1"),
        (np.array([0, 1, 1, np.inf]), "expected whole numbers, got inf at sample 3"),
        (np.array([0, 1, 1, 2**63], np.uint64), "expected small whole numbers"),
        (np.array([0, 1, 1, 1e300]), "expected small whole numbers"),
        (np.array([0, 1, 1, 1j]), "expected numbers or words, got dtype complex128"),
        (np.array([0, 1, "a", None], object), "got dtype object"),
        (np.array([b"a", b"\xff", b"a", b"a"]), "words in UTF-8"),
        (np.array(["2020-01-01"] * 4, "datetime64[D]"), "got dtype datetime64"),
    ],
)
def test_what_is_no_label(y: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=r"^toy: .*" + message):
        as_labels(y, 4, "toy")


NAMES = ("non-cat", "cat")


@every(
    ("parts", "names", "numbers", "classes", "note"),
    [
        ([[2, 0, 1], [1]], None, [[2, 0, 1], [1]], ("0", "1", "2"), ""),
        ([[7, -1], [3, 7]], None, [[2, 0], [1, 2]], ("-1", "3", "7"), "labels -1, 3, 7 became 0, 1, 2"),
        ([["dog", "cat", "dog"]], None, [[1, 0, 1]], ("cat", "dog"), ""),
        ([[True, False]], None, [[1, 0]], ("False", "True"), ""),
        ([[1, 0]], NAMES, [[1, 0]], NAMES, ""),
        ([[1, 1]], NAMES, [[1, 1]], NAMES, ""),  # the other class has no sample here
        ([["cat", "non-cat"]], NAMES, [[1, 0]], NAMES, ""),
        ([[True, False]], NAMES, [[1, 0]], NAMES, ""),
        ([[1, 2]], ("a", "b"), [[0, 1]], ("a", "b"), "labels 1, 2 became 0, 1"),
        ([[-1, 1]], ("a", "b"), [[0, 1]], ("a", "b"), "labels -1, 1 became 0, 1"),
    ],
)
def test_labels_become_numbers_from_0(parts: Any, names: Any, numbers: Any, classes: Any, note: str) -> None:
    labels, found, notes = encode([np.array(part) for part in parts], names, "toy")
    assert [part.tolist() for part in labels] == numbers
    assert all(part.dtype == np.int64 for part in labels)
    assert (found, notes) == (classes, (note,) if note else ())


@every("values", [[0, 1, 2], [0, 2], [-1, 0], [2, 2], [1, 2, 3]])
def test_more_labels_than_names(values: list[int]) -> None:
    with pytest.raises(DataError, match=r"expected labels from 0 to 1, one for each class name \(a, b\)"):
        encode([np.array(values)], ("a", "b"), "toy")


@every("value", [4, "cat", True])
def test_one_class_is_not_enough_nor_two_kinds(value: object) -> None:
    with pytest.raises(DataError, match=f"at least two classes, but every label is {value!r}"):
        encode([np.array([value] * 3)], None, "toy")
    with pytest.raises(DataError, match="training and test labels differ in kind"):
        encode([np.array([0, 1]), np.array(["0", "1"])], None, "toy")


def test_class_names_of_any_kind() -> None:
    assert class_names(np.array([b"non-cat", "Käse".encode()]), "toy") == ("non-cat", "Käse")
    assert class_names(np.array(["b", "a"]), "toy") == ("b", "a")
    assert class_names(np.array([3, 5]), "toy") == ("3", "5")


@every(
    "names",
    [
        np.array(["a"]),
        np.array(["a", "a"]),
        np.array(["a", ""]),
        np.array([["a", "b"]]),
        np.array("a"),
        np.array([0.5, 1.5]),
        np.array(["a", None]),
        np.array([b"a", b"\xff"]),
    ],
)
def test_what_are_no_class_names(names: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"^toy: expected"):
        class_names(names, "toy")


rng = np.random.default_rng(0)
X = rng.standard_normal((40, 3))
y = (X[:, 0] > 0).astype(np.int64)
y3 = np.digitize(X[:, 0], [-0.5, 0.5])


def train(labels: Any, n_out: int = 1, **options: Any) -> pl.Model:
    model = pl.Sequential(pl.Dense(n_out))
    pl.train(model, (X, labels), **{"n_epochs": 20, "learning_rate": 0.5, **options})
    return model


@every(
    ("labels", "n_out", "form"),
    [
        (y[:, None], 1, r"a column of numbers, shape \(40, 1\)"),
        (y[:, None].astype(np.float32), 1, "a column of floats"),
        (y.astype(float), 1, "an array of floats"),
        (np.eye(2)[y], 1, r"one-hot, shape \(40, 2\)"),
        (np.eye(2)[y], 2, "one-hot"),
        (np.eye(3)[y3], 3, "one-hot"),
        (y3[:, None], 3, "a column of numbers"),
        (y3.astype(float), 3, "an array of floats"),
    ],
)
def test_another_form_trains_the_same_classifier_and_says_so(labels: Any, n_out: int, form: str) -> None:
    plain = train(y if n_out < 3 else y3, n_out)
    with pytest.warns(DataWarning, match=f"train: y is {form}") as said:
        model = train(labels, n_out)
    assert said[0].filename == __file__
    assert len(said) == 1
    np.testing.assert_array_equal(model.theta, plain.theta)
    assert (
        pl.evaluate(model, (X, labels), n_resamples=10).accuracy
        == pl.evaluate(plain, (X, y3 if n_out == 3 else y)).accuracy
    )


@every(
    ("labels", "n_out", "options", "kind"),
    [
        (np.eye(3)[y3], 3, {"loss": "multi_label"}, "multi_label"),
        (y.astype(float), 1, {"loss": "mean_squared_error"}, "regression"),
        (y[:, None], 1, {"loss": "mean_squared_error"}, "regression"),
        (y3.astype(float), 1, {"learning_rate": 0.01}, "regression"),
        (y3[:, None], 1, {"learning_rate": 0.01}, "regression"),
        (np.eye(3)[y3], 3, {"loss": "categorical_cross_entropy"}, "classification"),
        ((X > 0).astype(int), 3, {}, "multi_label"),
    ],
)
def test_what_is_asked_for_is_done_without_a_word(labels: Any, n_out: int, options: Any, kind: str) -> None:
    assert train(labels, n_out, **options)._loss.kind == kind  # a warning would be an error


def test_text_labels_everywhere() -> None:
    words = np.where(y, "yes", "no")
    data = pl.Dataset(X, words)
    assert data.classes == ("no", "yes")
    np.testing.assert_array_equal(data.y, y)
    np.testing.assert_array_equal(pl.Dataset(X, words, ("yes", "no")).y, 1 - y)
    np.testing.assert_array_equal(pl.Dataset(X.tolist(), words[:, None].tolist()).y, y)
    with pytest.raises(DataError, match="expected the classes yes, maybe, also got no"):
        pl.Dataset(X, words, ("yes", "maybe"))
    model = train(words)
    assert model.classes == ("no", "yes")
    assert pl.evaluate(model, (X[y == 1], words[y == 1]), n_resamples=10).accuracy > 0.7
    with pytest.raises(DataError, match=r"the loss is of quantities, y holds classes \(no, yes\)"):
        train(words, loss="mean_squared_error")


def test_validation_labels_are_numbered_as_those_of_the_training() -> None:
    words, rows = np.where(y, "yes", "no"), y == 1
    model = pl.Sequential(pl.Dense(1))
    history = pl.train(model, (X, words), n_epochs=50, learning_rate=0.5, validation=(X[rows], words[rows]))
    assert history.columns["validation_accuracy"][-1] > 0.7
    with pytest.raises(DataError, match="train: validation: expected the classes no, yes, also got maybe"):
        pl.train(model, (X, words), n_epochs=1, validation=(X, np.where(y, "yes", "maybe")))


@every(
    "ask",
    [
        lambda model: pl.evaluate(model, (X, y)),
        lambda model: model.predict(X),
        lambda model: model.predict_proba(X),
        lambda model: model.loss_and_grad(X, y),
        lambda model: pl.save(model, "model.safetensors"),
        lambda model: pl.saliency(model, X[0]),
        lambda model: pl.robustness(model, (np.zeros((4, 8, 8, 3), np.uint8), [0, 1, 0, 1])),
    ],
)
def test_a_model_that_is_not_trained_says_so(ask: Any) -> None:
    with pytest.raises(pl.PellucidError, match=r"the model is not trained yet. Train it by pl.train\(model"):
        ask(pl.Sequential(pl.Dense(1)))
