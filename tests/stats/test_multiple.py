"""Holm's correction, against statsmodels and its definition."""

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import DataError
from pellucid.stats.multiple import holm

CASES = (
    [0.02],
    [0.04, 0.01, 0.03],
    [0.5, 0.5, 0.5],
    [0.0, 1.0, 0.2, 0.0],
    [0.0156, 0.0078, 0.0156, 0.25, 1.0, 0.0003, 0.6, 0.07],
    np.random.default_rng(1).random(40).tolist(),
)


@every("p", CASES)
def test_holm_agrees_with_statsmodels(p: list[float]) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="needs statsmodels")
    np.testing.assert_allclose(holm(p), multitest.multipletests(p, method="holm")[1], rtol=1e-14)


def test_none_is_corrected_to_none_and_nonsense_is_refused() -> None:
    assert holm([]).shape == (0,)
    for wrong in ([1.2], [-0.1], [float("nan")], [[0.1]]):
        with pytest.raises(DataError, match="expected p-values from 0 to 1"):
            holm(wrong)  # type: ignore[arg-type]
