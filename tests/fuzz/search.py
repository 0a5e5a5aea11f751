"""Searches for faults: random cases of one subject, each of which is checked; a seed repeats a search."""

import os
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase
from hypothesis.strategies import SearchStrategy

SEED = int(os.environ.get("PELLUCID_SEED", "1"))  # of the random cases of a test run
CHECKED: Counter[str] = Counter()  # cases that were checked, by subject


@dataclass(frozen=True)
class Subject:
    """What is searched for faults."""

    cases: SearchStrategy[Any]  # the repr of a case shows what it is
    check: Callable[[Any], None]  # raises AssertionError, or what a fault raises
    n_cases: int  # in the test suite
    on_kernels: bool = False


def search(name: str, subject: Subject, seed: int, n_cases: int) -> None:
    """Check that many cases, counted in ``CHECKED``; raise the first fault, for the smallest case that shows it."""

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=n_cases,
        phases=[Phase.generate, Phase.shrink],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(subject.cases)
    def explore(case: Any) -> None:
        with np.errstate(all="raise", under="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error")
            subject.check(case)
        CHECKED[name] += 1

    explore()
