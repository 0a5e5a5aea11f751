"""scikit-learn's checks pass, and to skip its checks of X never changes an answer, a warning or an error."""

import warnings
from contextlib import suppress
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import validate_data
from tests.every import every

from pellucid.estimators import MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor
from pellucid.estimators.dense_stack import passes_checks


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the checks fit too briefly to converge, on purpose
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor])
def test_contract(kind: Any) -> None:
    @every(("estimator", "check"), estimator_checks_generator(kind()))
    def contract(estimator: Any, check: Any) -> None:
        with suppress(SkipTest):  # what a package that is not there would check
            check(estimator)

    contract()


FRIENDLY = np.arange(12.0).reshape(4, 3)
GIVEN: list[Any] = [
    FRIENDLY,
    FRIENDLY.astype(np.float32),
    FRIENDLY[:1],
    FRIENDLY[::2],
    np.asfortranarray(FRIENDLY),
    FRIENDLY.T.copy().T,
    FRIENDLY.astype(">f8"),
    FRIENDLY.astype(np.int64),
    FRIENDLY.astype(np.float16),
    FRIENDLY.astype(object),
    FRIENDLY * 1e200,
    FRIENDLY.astype(np.float32) * np.float32(1e30),
    FRIENDLY.tolist(),
    np.ma.masked_array(FRIENDLY),
    FRIENDLY[:0],
    FRIENDLY[0],
    FRIENDLY[:, :2],
    FRIENDLY[None],
    np.where(FRIENDLY == 5, np.nan, FRIENDLY),
    np.where(FRIENDLY == 5, np.inf, np.where(FRIENDLY == 6, -np.inf, FRIENDLY)),
    FRIENDLY + 1j,
    None,
]


@pytest.fixture(scope="module")
def fitted() -> Any:
    return MLPRegressor(solver="lbfgs", random_state=0, max_fun=10**6, max_iter=10**4).fit(
        FRIENDLY, [1, 2, 3, 4]
    )


@every("X", GIVEN, ids=list(map(str, range(len(GIVEN)))))
def test_it_says_yes_only_where_the_checks_change_nothing(X: Any, fitted: Any) -> None:
    if passes_checks(fitted, X):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            checked = validate_data(
                fitted, X, accept_sparse=["csr", "csc"], dtype=(np.float64, np.float32), reset=False
            )
        assert checked is X


def test_it_says_yes_to_what_is_common(fitted: Any) -> None:
    assert [passes_checks(fitted, X) for X in GIVEN[:4]] == [True, True, True, False]
    assert not any(passes_checks(fitted, X) for X in GIVEN[4:])
