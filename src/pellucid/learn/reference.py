"""What is known of an exercise: its cases, what is right, and programs with one fault."""

import ast
from collections.abc import Callable, Container, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np

from pellucid.learn.edits import Edit, edits
from pellucid.learn.exercise import Arguments, Exercise, Solution
from pellucid.learn.limits import Budget
from pellucid.learn.tracing import Called, Change, Pool, call, call_within
from pellucid.learn.values import compare

LONGEST_CALL = 0.5


class Fault(NamedTuple):
    """A faulty program: its cause, its function, the line of the fault, and what stands there."""

    cause: str
    function: Callable[..., Any]
    line: int
    text: str = ""


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

    def own_faults(self) -> Generator[Fault, None, None]:
        """Yield the faults of the file."""
        for one in self.exercise.faults:
            if one.style != self.without:
                text = one.source.splitlines()[one.line - 1]
                yield Fault(one.cause, self.exercise.compile(one.source), one.line, text)

    def small_faults(self, budget: Budget, names: Container[str] = ()) -> Generator[Fault, None, None]:
        """Yield the faults of small edits, of some names or of all, as long as there is time."""
        for solution in self.solutions:
            tree = ast.parse(solution.source)
            for edit in edits(tree):
                if budget.is_spent:
                    return
                if not edit.breaks or (names and edit.breaks not in names):
                    continue
                made = dict(vars(self.exercise.module))
                try:
                    exec(compile(edit.tree, f"<{self.exercise.name}>", "exec"), made)
                except (SyntaxError, ValueError, TypeError):
                    continue
                yield Fault(
                    edit.breaks, made[self.exercise.name], edit.line, _statement(edit) if names else ""
                )

    def run(self, function: Callable[..., Any], number: int) -> Called:
        """Return what a program does on a case."""
        with np.errstate(all="ignore"):
            return call_within(LONGEST_CALL, function, self.cases[number], names=self.exercise.arguments)

    def behaviour(self, function: Callable[..., Any]) -> list[Called]:
        """Return what a program does on each case."""
        return [self.run(function, number) for number in range(len(self.cases))]


def _statement(edit: Edit) -> str:
    """Return the changed statement's first line."""
    nodes = ast.walk(edit.tree)
    found = next((n for n in nodes if isinstance(n, ast.stmt) and n.lineno == edit.line), None)
    return ast.unparse(found).partition("\n")[0] if found else ""


def behaves_alike(names: Sequence[str], calls: Iterable[Called], others: Iterable[Called]) -> bool:
    """Return whether two programs did the same on every case."""
    return all(does_alike(names, a, b) for a, b in zip(calls, others, strict=True))


def does_alike(names: Sequence[str], a: Called, b: Called) -> bool:
    """Return whether two programs did the same on a case."""
    if (a.error is None) != (b.error is None) or a.modified != b.modified:
        return False
    if a.error is not None:
        return type(a.error) is type(b.error) and str(a.error)[:40] == str(b.error)[:40]
    return not (compare(names, a.output, b.output) or compare(names, b.output, a.output))
