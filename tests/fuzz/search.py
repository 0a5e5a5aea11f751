"""Searches for faults: random cases of one subject, each of which is checked; a seed repeats a search."""

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase
from hypothesis.strategies import SearchStrategy

CHECKED: Counter[str] = Counter()  # cases that were checked, by subject


@dataclass(frozen=True)
class Subject:
    """What is searched for faults.

    Attributes
    ----------
    cases : SearchStrategy
        Draws a case, whose repr shows what it is.
    check : callable
        Takes a case and raises AssertionError, or what a fault raises.
    n_cases : int
        How many are checked in the test suite.
    """

    cases: SearchStrategy[Any]
    check: Callable[[Any], None]
    n_cases: int
    needs_numba: bool = False


def search(name: str, subject: Subject, seed: int, n_cases: int) -> None:
    """Check that many cases; the first fault is raised, for the smallest case that shows it.

    Parameters
    ----------
    name : str
        Under which the cases are counted in ``CHECKED``.
    subject : Subject
    seed : int
        The same draws the same cases.
    n_cases : int
    """

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
