"""On wide data plain SGD goes by the dual form, and every fitted attribute is the direct form's."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.estimators import MLPClassifier, NetworkClassifier
from pellucid.types import Array

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SETTINGS = [
    {},
    {"alpha": 5.0},
    {"alpha": 0.0},
    {"momentum": 0.0, "hidden_layer_sizes": (20, 7, 5)},
    {"batch_size": 16},
    {"early_stopping": True, "validation_fraction": 0.2},
    {"learning_rate": "invscaling"},
    {"learning_rate": "adaptive", "tol": 0.5, "n_iter_no_change": 2},
    {"dropout": 0.3, "batch_norm": True},
    {"activation": ["tanh"]},
]


def wide(n_classes: int = 2, *, n: int = 5000) -> tuple[Array, Array]:
    rng = np.random.default_rng(5)
    return rng.standard_normal((60, n)) / 20, rng.integers(0, n_classes, 60)


def fitted(cls: Any, X: Array, y: Array, **options: Any) -> Any:
    return cls(random_state=2, **options).fit(X, y)


def assert_equal(direct: Any, dual: Any) -> None:
    assert (direct.history_.form, dual.history_.form) == ("direct", "dual")
    for a, b in zip(direct.coefs_ + direct.intercepts_, dual.coefs_ + dual.intercepts_, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-9)
    for name in ("loss_curve_", "loss_", "best_loss_", "n_iter_", "validation_scores_", "val_loss_curve_"):
        a, b = getattr(direct, name), getattr(dual, name)
        assert (a is None) == (b is None), name
        if a is not None:
            np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.slow
@every(("n_classes", "options"), [(2 + i % 2, options) for i, options in enumerate(SETTINGS)])
def test_classifier(options: dict[str, Any], n_classes: int) -> None:
    X, y = wide(n_classes, n=1200)
    options = {"solver": "sgd", "max_iter": 15, "learning_rate_init": 0.05, **options}
    assert_equal(*(fitted(MLPClassifier, X, y, form=form, **options) for form in ("direct", "dual")))


def test_auto_takes_the_dual_form_where_it_is_cheaper() -> None:
    X, y = wide()
    assert fitted(MLPClassifier, X, y, solver="sgd").history_.form == "dual"
    assert fitted(MLPClassifier, X, y, solver="adam", max_iter=2).history_.form == "direct"
    assert fitted(MLPClassifier, X[:, :20], y, solver="sgd", max_iter=2).history_.form == "direct"


def test_the_optimizers_memory_is_carried_over() -> None:
    X, y = wide()
    after = []
    for form in ("direct", "dual"):
        estimator = fitted(MLPClassifier, X, y, solver="sgd", form=form, max_iter=6, alpha=1.0)
        after.append(estimator.partial_fit(X, y).partial_fit(X, y))
    for a, b in zip(after[0].coefs_, after[1].coefs_, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-9)


def test_network_estimators_too() -> None:
    X, y = wide()
    options = {"n_epochs": 30, "optimizer": "sgd", "learning_rate": 0.05}
    pair = [fitted(NetworkClassifier, X, y, form=form, **options) for form in ("direct", "dual")]
    np.testing.assert_allclose(pair[1].model_.theta, pair[0].model_.theta, rtol=0, atol=1e-9)
    assert pair[1].history_.form == "dual"
