"""What is known of an exercise: its cases, what is right, and programs with one fault."""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np

from pellucid.learn.edits import edits
from pellucid.learn.exercise import Arguments, Exercise, Solution
from pellucid.learn.limits import Budget
from pellucid.learn.tracing import Called, Change, Pool, call, call_within
from pellucid.learn.values import compare

LONGEST_CALL = 0.5


class Fault(NamedTuple):
    """A faulty program: its cause, its function, and the line of the fault."""

    cause: str
    function: Callable[..., Any]
    line: int


@dataclass(eq=False)
class Reference:
    """What is known of an exercise: its cases, what is right, and its faults.

    Attributes
    ----------
    exercise : Exercise
    without : str, optional
        A style that is left out, for measurements.
    """

    exercise: Exercise
    without: str = ""

    @cached_property
    def cases(self) -> list[Arguments]:
        """The arguments of each call."""
        return self.exercise.cases()

    @cached_property
    def expected(self) -> list[Any]:
        """What a correct function returns for each."""
        function = self.exercise.compile(self.exercise.solutions[0].source)
        with np.errstate(all="ignore"):
            return [call(function, case).output for case in self.cases]

    @property
    def solutions(self) -> list[Solution]:
        """The correct programs."""
        return [one for one in self.exercise.solutions if one.style != self.without]

    def pool(self, number: int) -> Pool:
        """Return the values that correct programs compute on a case."""
        traces = [self.trace(one, number) for one in self.solutions]
        return Pool(self.exercise, self.solutions, self.cases[number], traces)

    @cache  # noqa: B019 - both end with the process
    def trace(self, solution: Solution, number: int) -> list[Change]:
        """Return what the variables of a correct program were on a case."""
        function = self.exercise.compile(solution.source)
        with np.errstate(all="ignore"):
            return call(function, self.cases[number], f"<{self.exercise.name}>").changes

    def wrong(self, number: int, done: Called) -> list[Any]:
        """Return what is wrong with a call's outputs; something where it raised an error or changed an argument."""
        if done.error is not None:
            return [done.error]
        return [*compare(self.exercise.outputs, self.expected[number], done.output), *done.modified]

    def own_faults(self) -> Iterator[Fault]:
        """Yield the faults of the file."""
        for one in self.exercise.faults:
            if one.style != self.without:
                yield Fault(one.cause, self.exercise.compile(one.source), one.line)

    def small_faults(self, budget: Budget) -> Iterator[Fault]:
        """Yield the faults of small edits, as long as there is time."""
        for solution in self.solutions:
            tree = ast.parse(solution.source)
            for edit in edits(tree):
                if budget.is_spent:
                    return
                if not edit.breaks:
                    continue
                names = dict(vars(self.exercise.module))
                try:
                    exec(compile(edit.tree, f"<{self.exercise.name}>", "exec"), names)
                except (SyntaxError, ValueError, TypeError):
                    continue
                yield Fault(edit.breaks, names[self.exercise.name], edit.line)

    def behaviour(self, function: Callable[..., Any]) -> "Behaviour":
        """Return what a program does on each case."""
        return Behaviour(function, self.cases, self.exercise.arguments)


class Behaviour(Sequence[Called]):
    """What a program does on each case; called when looked at, so that the first difference ends a comparison.

    Parameters
    ----------
    function : callable
    cases : list of tuple
    names : tuple of str
        Of the arguments.
    """

    def __init__(self, function: Callable[..., Any], cases: list[Arguments], names: tuple[str, ...]) -> None:
        self.function, self.cases, self.names = function, cases, names
        self.done: list[Called] = []

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, number: Any) -> Any:
        with np.errstate(all="ignore"):
            for case in self.cases[len(self.done) : number + 1]:
                self.done.append(call_within(LONGEST_CALL, self.function, case, names=self.names))
        return self.done[number]


def behaves_alike(names: Sequence[str], calls: Sequence[Called], others: Sequence[Called]) -> bool:
    """Return whether two programs did the same on every case."""
    for a, b in zip(calls, others, strict=True):
        if (a.error is None) != (b.error is None) or a.modified != b.modified:
            return False
        if a.error is not None:
            if type(a.error) is not type(b.error) or str(a.error)[:40] != str(b.error)[:40]:
                return False
        elif compare(names, a.output, b.output) or compare(names, b.output, a.output):
            return False
    return True
