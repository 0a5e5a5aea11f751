"""Random cases of every subject, the same ones each time; PELLUCID_SEED=2 or ``scripts/soak`` checks others."""

from collections.abc import Callable

import pytest
from tests.fuzz.search import CHECKED, SEED, search
from tests.fuzz.subjects import SUBJECTS

QUICK = [pytest.param(name, 3, id=f"{name}, some") for name, each in SUBJECTS.items() if not each.on_kernels]
ALL = [pytest.param(name, 1, id=name, marks=pytest.mark.slow) for name in SUBJECTS]


@pytest.mark.parametrize(("name", "share"), [*QUICK, *ALL])
def test_no_fault_is_found(name: str, share: int, record_property: Callable[[str, object], None]) -> None:
    subject = SUBJECTS[name]
    if subject.on_kernels:
        pytest.importorskip("pellucid.kernels.compiled", reason="kernels need Numba")
    CHECKED.clear()
    n_cases = -(-subject.n_cases // share)
    search(name, subject, seed=SEED, n_cases=n_cases)
    record_property("random cases", f"{name}: {CHECKED[name]:,}")
    assert CHECKED[name] >= n_cases
