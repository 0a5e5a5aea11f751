import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix

from pellucid.errors import DataError, ShapeError
from pellucid.evaluation.metrics import evaluate, score
from pellucid.nn.presets import preset
from pellucid.training.loop import train
from pellucid.types import Dataset


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30).filter(
        lambda pairs: {b for _, b in pairs} <= {a for a, _ in pairs} and len({a for a, _ in pairs}) > 1
    )
)
def test_figures_equal_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    y, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    ours = score(y, predicted, ("a", "b", "c", "d"))
    assert ours.accuracy == pytest.approx(accuracy_score(y, predicted))
    assert ours.balanced_accuracy == pytest.approx(balanced_accuracy_score(y, predicted))
    np.testing.assert_array_equal(ours.confusion, confusion_matrix(y, predicted, labels=range(4)))


def test_baseline_is_the_commonest_class() -> None:
    result = score(np.array([0, 1, 1]), np.array([0, 0, 1]), ("dog", "cat"))
    assert result.baseline == pytest.approx(2 / 3)
    assert result.most_common == "cat"
    assert result.n_correct == 2


def test_evaluate_checks_classes_shape_and_emptiness(rng: np.random.Generator) -> None:
    data = Dataset(rng.standard_normal((6, 2)), np.arange(6) % 2, ("a", "b"))
    model = preset("logistic")
    train(model, data, n_epochs=3)
    assert evaluate(model, data).n_samples == 6
    with pytest.raises(DataError, match="knows the classes a, b, the data has a, c"):
        evaluate(model, Dataset(data.X, data.y, ("a", "c")))
    with pytest.raises(ShapeError):
        evaluate(model, Dataset(data.X[:, :1], data.y, ("a", "b")))
    with pytest.raises(DataError, match="at least one sample"):
        evaluate(model, data.take(slice(0)))
