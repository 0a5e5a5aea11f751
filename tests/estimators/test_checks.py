"""scikit-learn's own contract for estimators, with no failure expected."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from pellucid.estimators import MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor


@pytest.mark.filterwarnings("ignore")  # the checks fit too briefly to converge, on purpose
@parametrize_with_checks([MLPClassifier(), MLPRegressor(), NetworkClassifier(), NetworkRegressor()])
def test_contract(estimator: Any, check: Any) -> None:
    check(estimator)
