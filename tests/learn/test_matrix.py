"""Every fault of every exercise is found, and causes can be told apart."""

import pytest
from tests.every import every

import pellucid as pl
from pellucid.learn.causes import ALIKE, EXPLAINED
from pellucid.learn.exercise import BUILTIN, exercise


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # an alarm in a callback of the collector
@every("name", BUILTIN)
def test_causes_can_be_told_apart(name: str) -> None:
    matrix = pl.learn.check_faults(name)
    assert matrix.is_ok, str(matrix)


def test_a_matrix_says_what_is_wrong() -> None:
    matrix = pl.learn.check_faults("relu")
    assert matrix.is_ok
    assert matrix.counts["leaky"] == 1
    assert "told apart" in matrix.headline


def test_names_of_causes_are_known() -> None:
    known = {fault[0] for name in BUILTIN for fault in exercise(name).module.FAULTS}
    assert len(known & set(EXPLAINED)) > 110
    assert all(len(group) > 1 for group in ALIKE)
