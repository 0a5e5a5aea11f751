"""Fitted networks of scikit-learn as models: the same predictions, from Python and through ONNX."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import pellucid as pl
from pellucid.data.preprocess import Preprocessing
from pellucid.errors import OptionError, PellucidError

RNG = np.random.default_rng(0)
X = (3 * RNG.standard_normal((60, 5)) + 5).astype(np.float32)
THREE, TWO = np.array(["a", "b", "c"])[RNG.integers(0, 3, 60)], RNG.integers(0, 2, 60)
SHORT: dict[str, Any] = {"max_iter": 20, "solver": "lbfgs", "random_state": 0}
CASES: dict[str, tuple[Any, Any]] = {
    "three classes": (lambda: MLPClassifier((7,), **SHORT), THREE),
    "two classes": (lambda: MLPClassifier((7, 4), activation="tanh", **SHORT), TWO),
    "several questions": (
        lambda: MLPClassifier((7,), activation="logistic", **SHORT),
        np.c_[TWO, 1 - TWO, TWO],
    ),
    "no hidden layer": (lambda: MLPClassifier((), **SHORT), THREE),
    "one quantity": (lambda: MLPRegressor(hidden_layer_sizes=(6,), activation="identity", **SHORT), X[:, 0]),
    "two quantities": (lambda: MLPRegressor(hidden_layer_sizes=(6,), **SHORT), X[:, :2]),
    "scaled": (lambda: make_pipeline(StandardScaler(), MLPClassifier((7,), **SHORT)), THREE),
}


@pytest.fixture(params=CASES)
def fitted(request: pytest.FixtureRequest) -> Any:
    make, y = CASES[request.param]
    with np.errstate(all="ignore"):
        return make().fit(X, y)


pytestmark = pytest.mark.filterwarnings("ignore:lbfgs failed to converge")


def check(model: pl.Model, fitted: Any, atol: float) -> None:
    if hasattr(fitted, "predict_proba"):
        np.testing.assert_allclose(model.predict_proba(X), fitted.predict_proba(X), atol=atol)
        assert model.classes == tuple(map(str, getattr(fitted, "classes_", ())))
    else:
        np.testing.assert_allclose(model.predict(X), fitted.predict(X), rtol=1e-5, atol=atol)


def test_a_fitted_network_predicts_the_same(fitted: Any, tmp_path: Path) -> None:
    model = pl.import_sklearn(fitted)
    check(model, fitted, 1e-6)
    assert isinstance(model.preprocessing, Preprocessing) == hasattr(fitted, "steps")
    pl.save(model, tmp_path / "model.safetensors")
    check(pl.load(tmp_path / "model.safetensors"), fitted, 1e-6)


def test_through_its_converter(fitted: Any, tmp_path: Path) -> None:
    skl2onnx = pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    (tmp_path / "a.onnx").write_bytes(skl2onnx.to_onnx(fitted, X[:1]).SerializeToString())
    if getattr(fitted, "n_outputs_", 1) == 2 and not hasattr(fitted, "classes_"):
        with pytest.raises(OptionError, match=r"it makes \(4, 1\)|its output has samples"):  # (2 m, 1)
            pl.import_onnx(tmp_path / "a.onnx")
        return
    check(pl.import_onnx(tmp_path / "a.onnx"), fitted, 1e-5)


def test_a_model_that_predicts_something_else_is_not_imported() -> None:
    class Doubling(StandardScaler):
        def transform(self, X: Any, copy: Any = None) -> Any:
            return 2 * super().transform(X)

    fitted = make_pipeline(Doubling(), MLPClassifier((7,), **SHORT)).fit(X, THREE)
    with pytest.raises(PellucidError, match=r"differ from those of the Pipeline by 0\.\d+"):
        pl.import_sklearn(fitted)


def test_what_is_no_fitted_network() -> None:
    for estimator, words in [
        (LogisticRegression().fit(X, TWO), "got a LogisticRegression|got LogisticRegression"),
        (MLPClassifier(), "got a MLPClassifier. Call its fit"),
        (
            make_pipeline(MinMaxScaler(), MLPClassifier((3,), **SHORT)).fit(X, TWO),
            "expected one fitted StandardScaler before the network, got a MinMaxScaler",
        ),
        ("model.pkl", "expected a fitted MLPClassifier"),
    ]:
        with pytest.raises(OptionError, match=words):
            pl.import_sklearn(estimator)
