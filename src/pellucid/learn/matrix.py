"""The check of an exercise itself: correct solutions pass, faults are found, causes can be told apart."""

import itertools
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.learn.causes import are_alike
from pellucid.learn.exercise import exercise
from pellucid.learn.reference import Reference, behaves_alike
from pellucid.learn.tracing import Called
from pellucid.text import join, plural
from pellucid.text_blocks import Result


@dataclass(frozen=True, repr=False)
class Matrix(Result):
    """What is wrong with an exercise.

    Attributes
    ----------
    exercise : str
    counts : dict
        How many programs each cause has.
    failing : tuple of str
        Correct solutions that do not agree with the first one.
    hidden : tuple of str
        Causes of programs that no case shows to be wrong.
    alike : tuple of (str, str)
        Causes that no case tells apart, and that are not declared alike, in ``ALIKE`` of the file or in
        :data:`pellucid.learn.causes.ALIKE`.
    """

    columns = "cause", "programs"
    in_json = "exercise counts failing hidden alike is_ok"

    exercise: str
    counts: dict[str, int]
    failing: tuple[str, ...]
    hidden: tuple[str, ...]
    alike: tuple[tuple[str, str], ...]

    @property
    def is_ok(self) -> bool:
        """Whether the exercise can be used."""
        return not (self.failing or self.hidden or self.alike)

    @property
    def headline(self) -> str:
        """Whether it is right."""
        n_programs = plural(sum(self.counts.values()), "program")
        told = f"{self.exercise}: {plural(len(self.counts), 'cause')}, {n_programs}"
        return f"{told}; every fault is found, and causes can be told apart." if self.is_ok else f"{told}."

    @property
    def notes(self) -> tuple[str, ...]:
        """What is wrong."""
        told = [f"Correct solutions that fail: {join(self.failing)}."] if self.failing else []
        told += [f"No case shows a program of: {join(self.hidden)}. Add one to cases."] if self.hidden else []
        told += [f"No case tells {a!r} from {b!r}. Add one, or declare them in ALIKE." for a, b in self.alike]
        return tuple(told)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a dictionary for each cause."""
        return [{"cause": cause, "programs": n} for cause, n in sorted(self.counts.items())]


def check_faults(name: str | Path) -> Matrix:
    """Check an exercise itself: its solutions, its faults, and each pair of causes.

    Parameters
    ----------
    name : str or Path
        Of an exercise, or the file of one's own.

    Examples
    --------
    >>> print(check_faults("relu_backward").headline)
    relu_backward: 8 causes, 14 programs; every fault is found, and causes can be told apart.
    """
    of = exercise(str(name))
    known = Reference(of)
    declared = [set(group) for group in getattr(of.module, "ALIKE", ())]
    counts: dict[str, int] = {}
    behaviours: dict[str, list[Sequence[Called]]] = {}
    hidden, failing = set[str](), []
    with np.errstate(all="ignore"), redirect_stdout(StringIO()):
        for solution in of.solutions:
            calls = known.behaviour(of.compile(solution.source))
            if any(known.wrong(number, done) for number, done in enumerate(calls)):
                failing.append(solution.style)
        for fault in of.faults:
            counts[fault.cause] = counts.get(fault.cause, 0) + 1
            calls = known.behaviour(of.compile(fault.source))
            if not any(known.wrong(number, done) for number, done in enumerate(calls)):
                hidden.add(fault.cause)
            behaviours.setdefault(fault.cause, []).append(calls)
        pairs = [
            (one, two)
            for one, two in itertools.combinations(behaviours, 2)
            if not are_alike(one, two)
            and not any({one, two} <= group for group in declared)
            and any(behaves_alike(of.outputs, a, b) for a in behaviours[one] for b in behaviours[two])
        ]
    return Matrix(of.name, counts, tuple(failing), tuple(sorted(hidden)), tuple(pairs))
