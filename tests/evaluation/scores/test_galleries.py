"""Which samples belong in a gallery, in which order, with what was predicted for them."""

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import OptionError
from pellucid.evaluation.scores.galleries import GALLERIES, confusion_cells, pick, sample_prediction
from pellucid.prediction.predict import Predictions, log_odds
from pellucid.types import Array


def predictions_of(y: Array, Z: Array, *, has_probabilities: bool = True) -> Predictions:
    """Predictions of logits: (m,) of two classes, or (m, k)."""
    scores = np.stack([-Z, Z], axis=1) if Z.ndim == 1 else log_odds(Z)
    names = tuple(f"class {c}" for c in range(scores.shape[1]))
    return Predictions("classification", y, scores.argmax(axis=1), scores, has_probabilities, names)


@pytest.fixture
def predictions(rng: np.random.Generator) -> Predictions:
    """Of 400 samples in 7 classes, about half of them correct."""
    Z = rng.normal(0, 2, (400, 7))
    return predictions_of(np.where(rng.random(400) < 0.5, Z.argmax(axis=1), rng.integers(0, 7, 400)), Z)


@every("n", [None, 1, 12, 5000])
def test_each_gallery_by_its_plain_twin(predictions: Predictions, n: int | None) -> None:
    y, P = predictions.y_true, predictions.probabilities
    rows = range(len(y))
    wrong = [i for i in rows if P[i].argmax() != y[i]]
    right = [i for i in rows if P[i].argmax() == y[i]]
    assert wrong
    assert right
    twins = {
        "mistakes": wrong,
        "confident mistakes": sorted(wrong, key=lambda i: -P[i].max()),
        "highest losses": sorted(rows, key=lambda i: P[i, y[i]]),
        "confident hits": sorted(right, key=lambda i: -P[i].max()),
    }
    assert list(twins) == list(GALLERIES)
    for kind, twin in twins.items():
        assert pick(kind, predictions, n).tolist() == twin[:n], kind


def test_the_cells_hold_every_sample_once_the_most_confident_first(predictions: Predictions) -> None:
    cells = confusion_cells(predictions)
    assert sorted(np.concatenate(list(cells.values())).tolist()) == list(range(len(predictions)))
    for (true, predicted), inside in cells.items():
        assert (predictions.y_true[inside] == true).all()
        assert (predictions.y_pred[inside] == predicted).all()
        assert (np.diff(predictions.confidences[inside]) <= 0).all()


def test_losses_stay_exact_where_probabilities_are_rounded() -> None:
    found = predictions_of(np.array([0, 0, 1]), np.array([900.0, 40.0, -800.0]))
    assert found.losses.tolist() == [900, 40, 800]
    assert pick("highest losses", found).tolist() == [0, 2, 1]
    assert [sample_prediction(found, i).loss for i in range(3)] == [900, 40, 800]
    assert sample_prediction(found, 2).probability == 1


def test_equal_confidences_stay_in_the_order_of_the_data() -> None:
    found = predictions_of(np.array([1, 0, 0]), np.array([1.0, 1.0, 1.0]))
    assert pick("confident mistakes", found).tolist() == [1, 2]
    assert not sample_prediction(found, 1).is_correct


def test_what_does_not_fit_is_refused() -> None:
    found = predictions_of(np.array([0, 1]), np.array([0.2, 0.3]))
    with pytest.raises(OptionError, match="no probabilities"):
        pick("highest losses", predictions_of(found.y_true, found.scores[:, 1], has_probabilities=False))
