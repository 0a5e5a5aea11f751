"""scikit-learn's own contract for estimators, with no failure expected."""

from contextlib import suppress
from typing import Any
from unittest import SkipTest

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator
from tests.every import every

from pellucid.estimators import MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the checks fit too briefly to converge, on purpose
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor])
def test_contract(kind: Any) -> None:
    @every(("estimator", "check"), estimator_checks_generator(kind()))
    def contract(estimator: Any, check: Any) -> None:
        with suppress(SkipTest):  # what a package that is not there would check
            check(estimator)

    contract()
