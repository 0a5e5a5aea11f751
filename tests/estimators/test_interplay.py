"""Inside scikit-learn: frames, routing, copies and pickles, searches, pipelines and meta-estimators."""

import copy
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import joblib
import numpy as np
import pytest
import scipy.sparse
import sklearn.neural_network
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.feature_selection import RFECV
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_validate,
    learning_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.every import every

import pellucid as pl
from pellucid.estimators import MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor
from pellucid.training.events import TrainStart
from pellucid.types import Array

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def stable(value: object) -> str:
    """Return a test's name without the address of a model, which differs from process to process."""
    return re.sub(r" object at 0x[0-9a-f]+", "", str(value))


QUICK: list[Any] = [
    MLPClassifier(6, max_iter=15, random_state=0),
    MLPClassifier(6, batch_norm=True, dropout=0.1, max_iter=15, random_state=0),
    MLPRegressor(hidden_layer_sizes=6, max_iter=15, random_state=0),
    NetworkClassifier(n_epochs=15, random_state=0),
    NetworkClassifier("mlp-wide", n_epochs=2, random_state=0),
    NetworkClassifier(pl.Sequential([pl.Dense(4, "tanh"), pl.Dense(3)]), n_epochs=3, random_state=0),
    NetworkRegressor(n_epochs=15, random_state=0),
]


@pytest.fixture
def iris() -> tuple[Array, Array]:
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@every("estimator", QUICK, ids=stable)
def test_clone_pickle_joblib_and_copy(estimator: Any, iris: Any, tmp_path: Any) -> None:
    X, y = iris
    fitted = clone(estimator).fit(X, y)
    assert not hasattr(clone(fitted), fitted._fitted_attribute)
    joblib.dump(fitted, tmp_path / "a.joblib")
    copies = [pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "a.joblib"), copy.deepcopy(fitted)]
    for other in copies:
        np.testing.assert_array_equal(other.predict(X), fitted.predict(X))
        np.testing.assert_array_equal(other.transform(X), fitted.transform(X))
        assert other.get_params(deep=False).keys() == fitted.get_params(deep=False).keys()
    went_on = fitted.partial_fit(X, y).predict(X)
    for other in copies:  # the optimizer's memory came along
        np.testing.assert_array_equal(other.partial_fit(X, y).predict(X), went_on)


@every("estimator", [QUICK[0], QUICK[3]], ids=stable)
def test_a_pickle_holds_no_training_data(estimator: Any, rng: np.random.Generator) -> None:
    X = rng.standard_normal((5000, 4))
    fitted = clone(estimator).set_params(batch_size=1000).fit(X, np.arange(5000) % 3)
    bare = clone(estimator).fit(X[:30], np.arange(30) % 3)
    assert len(pickle.dumps(fitted)) < len(pickle.dumps(bare)) + 20_000


def test_a_model_given_as_parameter_is_never_trained(iris: Any) -> None:
    model = pl.Sequential([pl.Dense(3)])
    estimator = NetworkClassifier(model, n_epochs=2)
    first = estimator.fit(*iris).model_
    assert estimator.model is model
    assert not model._is_initialized
    assert estimator.fit(*iris).model_ is not first
    optimizer = pl.optimizers.SGD(0.1, momentum=0.9)
    NetworkClassifier(model, optimizer=optimizer, learning_rate=0.2, n_epochs=2).fit(*iris)
    assert optimizer.n_steps == 0
    assert optimizer.learning_rate == 0.1


def test_calibration_without_probabilities() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    hinge = MLPClassifier(5, loss="hinge", random_state=0, learning_rate_init=0.01, max_iter=60)
    calibrated = CalibratedClassifierCV(make_pipeline(StandardScaler(), hinge), cv=2).fit(X, y)
    assert calibrated.predict_proba(X).shape == (569, 2)
    assert calibrated.score(X, y) > 0.95


@pytest.mark.slow
def test_scikit_learns_helpers_find_the_same_around_both() -> None:
    X, y = make_classification(90, 5, n_informative=3, n_redundant=0, random_state=1)
    three, labels = y + (X[:, 0] > 0), np.stack([y, X[:, 0] > 0, X[:, 1] > 0.3], axis=1).astype(int)
    linear = ("linear", LogisticRegression())
    fits: dict[str, Any] = {
        "calibration": (lambda e: CalibratedClassifierCV(e, cv=3), y),
        "isotonic": (lambda e: CalibratedClassifierCV(e, method="isotonic", cv=3, ensemble=False), y),
        "stacking": (lambda e: StackingClassifier([("mlp", e), linear], cv=3), y),
        "soft voting": (lambda e: VotingClassifier([("mlp", e), linear], voting="soft"), y),
        "chain": (lambda e: ClassifierChain(e, cv=3), labels),
        "several outputs": (MultiOutputClassifier, labels),
        "one against the rest": (OneVsRestClassifier, three),
        "tuned threshold": (lambda e: TunedThresholdClassifierCV(e, cv=3), y),
        "fixed threshold": (lambda e: FixedThresholdClassifier(e, threshold=0.3), y),
    }
    by_roc: dict[str, Any] = {"n_repeats": 3, "random_state": 0, "scoring": "roc_auc"}
    elimination: dict[str, Any] = {"cv": 3, "scoring": "neg_log_loss"}
    elimination["importance_getter"] = lambda mlp: np.abs(mlp.coefs_[0]).sum(axis=1)

    def fitted(name: str, estimator: Any) -> Any:
        make, targets = fits[name]
        return make(estimator).fit(X, targets)

    helpers: dict[str, Any] = {
        **{name: lambda e, name=name: np.array(fitted(name, e).predict_proba(X)) for name in fits},
        "its threshold": lambda e: fitted("tuned threshold", e).best_threshold_,
        "predicted at a threshold": lambda e: fitted("fixed threshold", e).predict(X),
        "one against one": lambda e: OneVsOneClassifier(e).fit(X, three).decision_function(X),
        "permutation": lambda e: permutation_importance(e.fit(X, y), X, y, **by_roc).importances,
        "learning curve": lambda e: learning_curve(e, X, y, cv=3, scoring="roc_auc", train_sizes=[0.5, 1])[2],
        "elimination": lambda e: RFECV(e, **elimination).fit(X, y).cv_results_["mean_test_score"],
    }
    differences = {}
    for name, result in helpers.items():
        ours, theirs = (
            result(cls((4,), max_iter=15, shuffle=False, random_state=0))
            for cls in (MLPClassifier, sklearn.neural_network.MLPClassifier)
        )
        differences[name] = float(np.abs(ours - theirs).max())
    assert {name: error for name, error in differences.items() if not error < 1e-9} == {}
    with pytest.raises(AttributeError) as caught:
        _ = MLPClassifier().decision_function
    assert "take predict_log_proba" in str(caught.value.__cause__)
    assert hasattr(MLPClassifier(loss="hinge"), "decision_function")
    assert hasattr(NetworkClassifier(), "decision_function")


@every("estimator", [QUICK[1], QUICK[3]], ids=stable)
def test_threads_may_predict_at_once(estimator: Any, iris: Any) -> None:
    X, y = iris
    fitted = clone(estimator).fit(X, y)
    parts = [np.roll(np.tile(X, (4, 1)), shift, axis=0) for shift in range(4)]
    wanted = [fitted.predict(part) for part in parts]
    wrong: list[int] = []

    def ask(i: int) -> None:
        for _ in range(40):
            if not np.array_equal(fitted.predict(parts[i]), wanted[i]):
                wrong.append(i)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(4)))
    assert not wrong


@every("estimator", [QUICK[0], QUICK[2], QUICK[5]], ids=stable)
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library: str, estimator: Any, iris: Any) -> None:
    frames = pytest.importorskip(library, reason=f"needs {library}")
    names = ["a", "b", "c", "d"]
    X, y = iris
    frame = frames.DataFrame({name: X[:, i] for i, name in enumerate(names)})
    fitted = clone(estimator).fit(frame, frames.Series(y))
    assert fitted.feature_names_in_.tolist() == names
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        plain = fitted.predict(X)
    np.testing.assert_array_equal(plain, fitted.predict(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame[["b", "a", "c", "d"]])
    out = fitted.set_output(transform=library).transform(frame)
    assert isinstance(out, frames.DataFrame)
    assert list(out.columns) == list(fitted.get_feature_names_out())
    if len(fitted._hidden_widths()) > 1:
        first = fitted.transform(frame, layer=0)
        assert list(first.columns) == list(fitted.get_feature_names_out(layer=0))
    assert isinstance(fitted.set_output(transform="default").transform(frame), np.ndarray)


def test_metadata_routing(iris: Any) -> None:
    X, y = iris
    weights = np.where(y == 0, 0.0, 1.0)
    weights[:3] = 1e-3
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = clone(QUICK[0]).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        routed = make_pipeline(scaler, estimator).fit(X, y, sample_weight=weights)
        scores = cross_validate(estimator, X, y, params={"sample_weight": weights}, cv=3)
        search = GridSearchCV(estimator, {"alpha": [1e-3]}, cv=2).fit(X, y, sample_weight=weights)
    by_hand = clone(QUICK[0]).fit(StandardScaler().fit_transform(X), y, sample_weight=weights)
    np.testing.assert_array_equal(routed[-1].coefs_[0], by_hand.coefs_[0])
    assert scores["test_score"].shape == (3,)
    assert search.best_score_ > 0
    assert "validation_data" in QUICK[0].get_metadata_routing().fit.requests


@every("estimator", [QUICK[0], QUICK[2], QUICK[3], QUICK[6]], ids=stable)
def test_weights_count_like_repeated_samples(estimator: Any, iris: Any) -> None:
    X, y = iris[0][::3], iris[1][::3]
    times = np.arange(len(y)) % 3
    many = np.repeat(X, times, axis=0), np.repeat(y, times)
    weighted = clone(estimator).fit(X, y, sample_weight=times)
    repeated = clone(estimator).fit(*many)
    np.testing.assert_allclose(weighted.transform(X), repeated.transform(X), atol=1e-6)
    scores = weighted.score(X, y, sample_weight=times), weighted.score(*many)
    assert scores[0] == pytest.approx(scores[1])
    parts = [clone(estimator) for _ in range(2)]
    classes = {"classes": [0, 1, 2]} if hasattr(estimator, "predict_proba") else {}
    for _ in range(3):
        parts[0].partial_fit(X, y, sample_weight=times, **classes)
        parts[1].partial_fit(*many, **classes)
    np.testing.assert_allclose(parts[0].transform(X), parts[1].transform(X), atol=1e-6)


WAYS: list[dict[str, Any]] = [
    {"solver": "sgd"},
    {"solver": "lbfgs"},
    {"early_stopping": True, "scoring": "accuracy"},
    {"batch_size": 7},
    {"hidden_layer_sizes": ()},
    {"batch_norm": True},
]


@every(
    ("make", "estimator"),
    [
        *((scipy.sparse.csr_matrix, estimator) for estimator in QUICK),
        *((make, QUICK[0]) for make in (scipy.sparse.csc_array, scipy.sparse.coo_array)),
        *((scipy.sparse.csr_array, clone(QUICK[0]).set_params(**options)) for options in WAYS),
    ],
    ids=stable,
)
def test_sparse_is_dense(make: Any, estimator: Any, rng: np.random.Generator) -> None:
    X = rng.standard_normal((60, 40)) * (rng.uniform(size=(60, 40)) < 0.05)
    y = np.arange(60) % 3
    dense, sparse = clone(estimator).fit(X, y), clone(estimator).fit(make(X), y)
    if hasattr(dense, "coefs_"):
        np.testing.assert_allclose(sparse.coefs_[0], dense.coefs_[0], atol=1e-9)
    if dense._hidden_widths():
        np.testing.assert_allclose(sparse.transform(X), dense.transform(X), atol=1e-6)
    np.testing.assert_allclose(sparse.predict(make(X)), dense.predict(X), atol=1e-6)
    assert sparse.loss_ == pytest.approx(dense.loss_, abs=1e-6)
    if hasattr(sparse, "partial_fit") and estimator.early_stopping is not True:
        sparse.partial_fit(make(X[:30]), y[:30]).partial_fit(X[:30], y[:30])


def test_wide_sparse_text_stays_sparse() -> None:
    X = scipy.sparse.random_array((50, 400_000), density=1e-4, rng=np.random.default_rng(0), format="csr")
    first_layers: set[str] = set()

    def look(event: Any) -> None:
        if isinstance(event, TrainStart):
            first_layers.add(type(event.run.model.layers[0]).__name__)

    fitted = MLPClassifier(2, max_iter=2, random_state=0, callbacks=[look]).fit(X, np.arange(50) % 2)
    assert fitted.predict(X).shape == (50,)
    assert first_layers == {"SparseDense"}
    fitted.fit(scipy.sparse.csr_array(np.ones((4, 3))), [0, 1, 0, 1])  # full of numbers: dense is quicker
    assert first_layers == {"SparseDense", "Dense"}


@every("cls", [MLPClassifier, NetworkClassifier])
def test_sparse_labels_come_back_sparse(cls: Any, rng: np.random.Generator) -> None:
    X, Y = rng.standard_normal((30, 4)), rng.integers(0, 2, (30, 3))
    fitted = cls(random_state=0).fit(X, scipy.sparse.csr_matrix(Y))
    assert scipy.sparse.issparse(fitted.predict(X))  # as scikit-learn has it
    np.testing.assert_array_equal(fitted.predict(X).toarray(), fitted.fit(X, Y).predict(X))
