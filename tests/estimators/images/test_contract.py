"""ImageClassifier: scikit-learn's contract."""

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags
from tests.estimators.images.conftest import FIVE, HEIGHT, WIDTH, N, quick
from tests.every import every

from pellucid.data.preprocess import Preprocessing
from pellucid.estimators import ImageClassifier
from pellucid.estimators.image_reading import read_sources

DATA_FREE = [
    "check_estimator_cloneable",
    "check_no_attributes_set_in_init",
    "check_estimator_repr",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_estimators_unfitted",
    "check_valid_tag_types",
    "check_estimator_tags_renamed",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_param_validation",
    "check_requires_y_none",
    "check_classifiers_regression_target",
]


@every("name", DATA_FREE)
def test_checks_of_scikit_learns_that_need_no_rows_of_numbers(name: str) -> None:
    if check := getattr(estimator_checks, name, None):  # older versions have fewer
        check("ImageClassifier", ImageClassifier("mlp-wide", n_epochs=1))


def test_scikit_learn_sees_that_it_takes_no_table() -> None:
    tags = get_tags(ImageClassifier())
    assert tags.no_validation
    assert tags.target_tags.required
    inputs = tags.input_tags
    assert (inputs.two_d_array, inputs.sparse, inputs.string) == (False, False, True)
    assert is_classifier(ImageClassifier())


def test_fit_returns_self_and_leaves_parameters_and_data_alone(listed: Any) -> None:
    paths, labels = (part.copy() for part in listed)
    paths.flags.writeable = labels.flags.writeable = False
    estimator = quick()
    before = copy.deepcopy(estimator.get_params())
    assert estimator.fit(paths, labels) is estimator
    assert estimator.get_params() == before
    images = read_sources(paths, (HEIGHT, WIDTH, 3)).images
    kept = images.copy()
    weights = np.linspace(0, 1, 2 * N)
    for array in (images, weights):
        array.flags.writeable = False
    estimator.fit(images, labels, weights).predict(images)
    np.testing.assert_array_equal(images, kept)


def test_fit_is_idempotent_and_starts_anew(folder: Path, listed: Any) -> None:
    estimator = quick()
    first = estimator.fit(folder).predict_proba(folder)
    estimator.fit(np.zeros((4, 5, 5, 3), np.uint8), [1, 2, 3, 1])
    assert estimator.classes_.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(estimator.fit(*listed).predict_proba(folder), first)


def test_attributes(fitted: ImageClassifier) -> None:
    assert fitted.classes_.tolist() == ["day", "night"]
    assert fitted.sample_shape_ == (HEIGHT, WIDTH, 3)
    assert not hasattr(fitted, "n_features_in_")  # photos come in any size
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 30
    assert fitted.loss_ == fitted.loss_curve_[-1]
    assert (fitted.n_outputs_, fitted.out_activation_, fitted.t_) == (1, "logistic", 30 * 2 * N)
    assert fitted.model_.preprocessing == Preprocessing("divide", 255.0)


@every("ask", [*FIVE, "score", "save"])
def test_not_fitted(ask: str, folder: Path) -> None:
    with pytest.raises(NotFittedError, match="This ImageClassifier instance is not fitted yet"):
        getattr(ImageClassifier(), ask)(folder)


def test_clone_pickle_and_copy(fitted: ImageClassifier, folder: Path) -> None:
    assert not hasattr(clone(fitted), "model_")
    assert clone(fitted).get_params() == fitted.get_params()
    for other in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        for ask in FIVE:
            np.testing.assert_array_equal(getattr(other, ask)(folder), getattr(fitted, ask)(folder))


@pytest.mark.slow
def test_searches_over_paths(listed: Any) -> None:
    grid = {"image_size": [4, (HEIGHT, WIDTH)]}
    search = GridSearchCV(quick(n_epochs=2), grid, cv=2, n_jobs=2).fit(*listed)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.predict(list(map(Path, listed[0]))).shape == (2 * N,)
    scores = cross_val_score(quick(n_epochs=30), *listed, cv=3, scoring="roc_auc")
    assert scores.mean() > 0.9
    assert make_pipeline(quick(n_epochs=30)).fit(*listed).score(*listed) > 0.9
    calibrated = CalibratedClassifierCV(quick(n_epochs=30), cv=2).fit(*listed)
    assert calibrated.score(*listed) > 0.9
