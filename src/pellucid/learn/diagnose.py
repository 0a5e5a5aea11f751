"""Which line is wrong, and why: by values that no correct program has, by repairs, and by behaviour.

1. The first value, line by line, that no correct program computes in any style (:mod:`pellucid.learn.tracing`).
2. A small change (:mod:`pellucid.learn.edits`) after which the function is right, on that line first, then on
   others: where it is, is the line; what it mends, is the cause.
3. The faults of the exercise: the cause is the one whose outputs equal the learner's on every case.

With two faults no change makes all right; then one counts that makes another output right, or its line's value.
"""

import ast
import copy
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from pellucid.learn.causes import alike
from pellucid.learn.edits import COPY, Edit, M, edits
from pellucid.learn.exercise import Arguments, Exercise, Solution
from pellucid.learn.limits import Budget
from pellucid.learn.tracing import RESULT, STREAM, Called, Change, Pool, call, call_within
from pellucid.learn.values import WHOLE, arrays_in, close, compare

BUDGET = 0.5  # seconds of all repairs
LONGEST_CALL = 0.5
ENOUGH = 6  # repairs on one line that are looked for
ORDER_ALONE = {
    "returned in the wrong order",
    "wrong variable",
    "A and Z confused",
    "a value and its slope confused",
}
UNLIKELY = {  # where another cause is found, too
    "wrong constant",
    "fraction upside down",
    "multiplied for divided",
    "divided for multiplied",
    "division without remainder missing",
    "added for multiplied",
    "multiplied for added",
    "line too many",
}


class Diagnosis(NamedTuple):
    """Where a function is wrong, and why.

    Attributes
    ----------
    line : int
        In the learner's file; 0 where it is not known.
    causes : tuple of str
        By name; several where they cannot be told apart.
    name : str
        The variable whose value is wrong there; "" if a repair alone named the line.
    value : object
        That value.
    on_line : dict
        The variables that the line uses, where it stopped with an error.
    """

    line: int
    causes: tuple[str, ...]
    name: str = ""
    value: Any = None
    on_line: Mapping[str, Any] = {}


@dataclass
class Program:
    """A learner's code, which ran already.

    Attributes
    ----------
    source : str
    file : str
        The name that it was compiled with.
    names : mapping
        The globals that it made.
    function : str
        The exercise's function.
    """

    source: str
    file: str
    names: Mapping[str, Any]
    function: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its functions, imports and constants."""
        kept = (ast.FunctionDef, ast.Import, ast.ImportFrom, ast.Assign)
        body = [node for node in ast.parse(self.source).body if isinstance(node, kept)]
        return ast.Module(
            [node for node in body if not isinstance(node, ast.Assign) or _is_plain(node.value)], []
        )

    @cached_property
    def main(self) -> ast.FunctionDef | None:
        """The exercise's function."""
        found = [n for n in self.tree.body if isinstance(n, ast.FunctionDef) and n.name == self.function]
        return found[-1] if found else None

    def compile(self, tree: ast.Module, names: Mapping[str, Any]) -> Callable[..., Any]:
        """Return the function of a changed tree."""
        made = {**self.names, **names}
        exec(compile(tree, "<repair>", "exec"), made)
        function: Callable[..., Any] = made[self.function]
        return function


def _is_plain(value: ast.expr) -> bool:
    return not any(isinstance(node, ast.Call) for node in ast.walk(value))


class Fault(NamedTuple):
    """A faulty program: its cause, its function, and the line of the fault."""

    cause: str
    function: Callable[..., Any]
    line: int


@dataclass
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
        return Pool(self.exercise, self.solutions, self.cases[number])

    def wrong(self, number: int, done: Called) -> list[Any]:
        """Return what is wrong with a call's outputs; something where it raised an error or changed an argument."""
        if done.error is not None:
            return [done.error]
        return [*compare(self.exercise.outputs, self.expected[number], done.output), *done.modified]

    def faults(self, budget: Budget) -> Iterator["Fault"]:
        """Yield the faults: those of the file, then those of small edits, as long as there is time."""
        for one in self.exercise.faults:
            if one.style != self.without:
                yield Fault(one.cause, self.exercise.compile(one.source), one.line)
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

    def behaviour(self, function: Callable[..., Any]) -> list[Called]:
        """Return what a program does on each case."""
        with np.errstate(all="ignore"):
            return [
                call_within(LONGEST_CALL, function, case, names=self.exercise.arguments)
                for case in self.cases
            ]


def examples_of(arguments: Arguments) -> int:
    """Return the number of examples of a case: the last axis of the first matrix, the first of the first images."""
    for one in arrays_in(arguments):
        if one.ndim == 2:
            return int(one.shape[1])
        if one.ndim == 4:
            return int(one.shape[0])
    return 1


class Doctor:
    """Finds line and cause of one wrong function.

    Parameters
    ----------
    reference : Reference
    program : Program
    calls : list of Called
        What it did on each case.
    budget : float, optional
        Seconds of all repairs.
    """

    def __init__(
        self, reference: Reference, program: Program, calls: list[Called], budget: float = BUDGET
    ) -> None:
        self.reference, self.program, self.calls = reference, program, calls
        wrong = [n for n, done in enumerate(calls) if reference.wrong(n, done)]
        self.number = next(
            (n for n in wrong if n), wrong[0]
        )  # of the case that is looked at: not the tiny one
        self.pool = reference.pool(self.number)
        self.seconds, self.budget = budget, Budget(budget)
        self.uses = _Uses(program, reference.exercise.outputs)

    def diagnose(self) -> Diagnosis:
        """Return line and causes."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of programs that are tried out
            return self._diagnose()

    def _diagnose(self) -> Diagnosis:
        done = self.calls[self.number]
        self.found = suspects = self.suspects(done)
        first = suspects[0] if suspects else None
        own, small, twin = self.by_behaviour()
        repair = self.repair([one.line for one in suspects], own)
        line = repair[0] if repair else (self.line_like(twin) if twin else 0) or self.fallback(first)
        made = self.uses.made(self.wrong_outputs())
        if repair and line in self.uses.all_returns and made and not set(repair[1]) & ORDER_ALONE:
            line = made[0]  # what is returned was made there
        at_line = next((one for one in suspects if one.line == line), None)
        causes = own or (repair[1] if repair else ()) or small
        if not causes and done.modified:
            causes = ("seed inside",) if STREAM in done.modified else ("input modified",)
        here = [one for one in self.calls[0].changes if one.line == line and one.name != RESULT]
        at_line = at_line or (here[-1] if here else None)
        name, value = (at_line.name, at_line.value) if at_line else ("", None)
        tiny = [one.value for one in self.calls[0].changes if (one.line, one.name) == (line, name)]
        value = tiny[-1] if tiny else value
        used = self.uses.used.get(line, set()) if done.error is not None else set()
        on_line = {one.name: one.value for one in done.changes if one.name in used and one.line != line}
        return Diagnosis(line, causes[:2], name, value, on_line)

    def fallback(self, first: Change | None) -> int:
        """Return the line of the first wrong value; of a returned variable, where it was made."""
        if first is None:
            return self.calls[self.number].line or self.uses.returns
        if first.name == RESULT and (made := self.uses.made(self.wrong_outputs())):
            return made[0]
        return first.line

    def wrong_outputs(self) -> set[str]:
        """Return the outputs that are wrong."""
        done = self.calls[self.number]
        if done.error is not None:
            return set(self.reference.exercise.outputs)
        return {getattr(one, "output", one) for one in self.reference.wrong(self.number, done)}

    def is_other_kind(self) -> bool:
        """Return whether another number of outputs is returned than there are."""
        done = self.calls[self.number]
        return done.error is None and any(
            getattr(one, "where", "") == WHOLE for one in self.reference.wrong(self.number, done)
        )

    def suspects(self, done: Called) -> list[Change]:
        """Return the changes to values that no correct program has, in the order of time, the error's line last."""
        last: dict[tuple[int, str], Change] = {}
        for change in done.changes:
            last[change.line, change.name] = change
        fine = {key for key, change in last.items() if self.pool.fits(change)}
        unfit = {(one.line, one.name) for one in done.changes if not self.pool.fits(one)}
        fine -= {key for key in unfit if key not in self.uses.grows}
        found: dict[tuple[int, str], Change] = {}
        for change in done.changes:
            key = change.line, change.name
            if key in unfit and key not in fine and key not in found and not self.pool.fits(change):
                found[key] = change
        relevant = self.uses.behind(self.wrong_outputs())
        kept = [
            one
            for (line, name), one in found.items()
            if (name == RESULT or not relevant or line in relevant)
            and (
                isinstance(one.value, int)
                or not self.uses.is_excused(line, name, {at for at, _ in fine} - {at for at, _ in found})
            )
        ]
        if self.is_other_kind():
            return [Change(self.uses.returns, RESULT, done.output)]
        if not kept and done.error is None:  # legal values in the wrong place
            kept = [Change(self.uses.returns, RESULT, done.output)]
        if done.modified:
            kept = [Change(done.changed_at, done.modified[0], None), *kept] if done.changed_at else kept
        if done.error is not None and done.line:
            kept.append(Change(done.line, "", None))
        return kept

    def repair(self, lines: list[int], known: tuple[str, ...]) -> tuple[int, tuple[str, ...]] | None:
        """Return the line and the causes of repairs, if there are any; first of those of a known cause."""
        lines = list(dict.fromkeys(lines)) or [self.uses.returns]
        first, wrong = lines[0], self.wrong_outputs()
        made = [line for line in self.uses.made(wrong) if line]
        is_returned = first in self.uses.all_returns and bool(made)
        trials: list[tuple[set[int], set[str]]] = []
        if is_returned:
            trials += [({first}, {"returned in the wrong order"}), *(({line}, ORDER_ALONE) for line in made)]
            trials += [({first}, ORDER_ALONE), *(({line}, set()) for line in made)]
        trials += [
            ({line}, {"view for copy"}) for line in self.uses.lines if self.calls[self.number].modified
        ]
        trials.append(({first}, set()))
        rest = [line for line in self.uses.lines if line != first and not (is_returned and line in made)]
        rest = [] if self.is_other_kind() else rest
        rest.sort(key=lambda line: (line not in lines, line > first, abs(line - first)))
        trials += [({line}, set()) for line in rest]
        if known:
            like = set[str]().union(*map(alike, known))
            every = dict.fromkeys([*(made if is_returned else ()), *lines, *self.uses.lines])
            trials = [*(({line}, like) for line in every), *trials]
        for inserts in (False, True):
            for at, only in trials:
                causes = self.try_on(at, self.is_right, only, inserts)
                if causes:
                    return next(iter(at)), causes
                if self.budget.is_spent:
                    break
        self.budget.extend(self.seconds / 4)
        for line in sorted({*made, *lines}):
            for inserts in (False, True):
                causes = self.try_on({line}, self.is_better, set(), inserts)
                if causes:
                    return line, causes
        return None

    def try_on(
        self, lines: set[int], is_mended: Callable[[Edit], bool], only: set[str], inserts: bool
    ) -> tuple[str, ...]:
        """Return the causes that changes of some lines mend, the first ones found."""
        found: list[str] = []
        changed = edits(self.program.tree, inserts=inserts, lines=lines)
        for edit in changed:
            if only and edit.repairs not in only:
                continue
            if edit.repairs not in found and is_mended(edit):
                found.append(edit.repairs)
            if len(found) >= ENOUGH or self.budget.is_spent:
                break
        changed.close()  # the tree is as it was
        return tuple(sorted(found, key=lambda cause: cause in UNLIKELY))

    def run(self, edit: Edit, number: int, file: str = "") -> Called | None:
        """Return what a changed program does on a case; None if it cannot be compiled."""
        case = self.reference.cases[number]
        try:
            function = self.program.compile(edit.tree, {M: examples_of(case), COPY: copy.deepcopy})
        except Exception:
            return None
        with np.errstate(all="ignore"):
            return call_within(LONGEST_CALL, function, case, file, self.reference.exercise.arguments)

    def is_right(self, edit: Edit) -> bool:
        """Return whether a changed program is right on every case."""
        numbers = [self.number, *(n for n in range(len(self.calls)) if n != self.number)]
        return all(
            (done := self.run(edit, n)) is not None and not self.reference.wrong(n, done) for n in numbers
        )

    def is_better(self, edit: Edit) -> bool:
        """Return whether more outputs of a changed program are right, or the values that its line makes."""
        before, done = self.calls[self.number], self.run(edit, self.number, "<repair>")
        if done is None or (done.error is not None and before.error is None):
            return False
        if before.error is None and done.error is None:
            was, now = (
                self.wrong_outputs(),
                {getattr(o, "output", o) for o in self.reference.wrong(self.number, done)},
            )
            if now and now < was:
                return True
        made = [change for change in done.changes if change.line == edit.line and change.name != RESULT]
        was_wrong = any(one.line == edit.line and one.name not in ("", RESULT) for one in self.found)
        return was_wrong and bool(made) and all(self.pool.fits(change) for change in made)

    def by_behaviour(self) -> tuple[tuple[str, ...], tuple[str, ...], Fault | None]:
        """Return the causes whose outputs equal the learner's on every case: of the file, and of small edits.

        Where none does, those that share its first wrong output; and the first program that did the same.
        """
        exercise = self.reference.exercise
        same: tuple[dict[str, int], dict[str, int]] = {}, {}
        shared: dict[str, int] = {}
        twin: Fault | None = None
        n_own = sum(one.style != self.reference.without for one in exercise.faults)
        for number, fault in enumerate(self.reference.faults(Budget(self.seconds / 2))):
            if number == n_own and same[0]:
                break
            found, calls = same[number >= n_own], self.reference.behaviour(fault.function)
            if behaves_alike(exercise.outputs, calls, self.calls):
                found[fault.cause] = found.get(fault.cause, 0) + 1
                twin = twin or fault
            elif self._shares(calls):
                shared[fault.cause] = shared.get(fault.cause, 0) + 1
        own, small = (tuple(sorted(found, key=lambda cause: -found[cause])) for found in same)
        return own, small or tuple(sorted(shared, key=lambda cause: -shared[cause])), twin

    def line_like(self, twin: Fault) -> int:
        """Return the line that makes the value that a program of the same behaviour makes at its fault; else 0."""
        name = self.reference.exercise.name
        with np.errstate(all="ignore"):
            done = call(twin.function, self.reference.cases[self.number], f"<{name}>")
        there = [
            one for change in done.changes if change.line == twin.line for one in arrays_in(change.value)
        ]
        wrong = [one for one in there if not self.pool.has(one)]
        for change in self.calls[self.number].changes:
            if any(
                one.shape == other.shape and close(one, other)
                for one in arrays_in(change.value)
                for other in wrong
            ):
                return change.line
        return 0

    def _shares(self, calls: list[Called]) -> bool:
        """Return whether a fault makes the same first wrong output, on every case."""
        names = self.reference.exercise.outputs
        if len(names) == 1:
            return False
        first = next((name for name in names if name in self.wrong_outputs()), None)
        if first is None:
            return False
        i = names.index(first)
        for number, (a, b) in enumerate(zip(calls, self.calls, strict=True)):
            if a.error or b.error or not (_is_tuple(a.output, names) and _is_tuple(b.output, names)):
                return False
            if compare([first], a.output[i], b.output[i]):
                return False
            if number == self.number and not compare(
                [first], self.reference.expected[number][i], a.output[i]
            ):
                return False
        return True


def _is_tuple(value: Any, names: Sequence[str]) -> bool:
    return isinstance(value, tuple | list) and len(value) == len(names)


def behaves_alike(names: Sequence[str], calls: list[Called], others: list[Called]) -> bool:
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


class _Uses:
    """Which lines of a function make which variables, out of which."""

    def __init__(self, program: Program, outputs: Sequence[str]) -> None:
        self.outputs = outputs
        self.made_at: dict[str, list[int]] = {}
        self.used: dict[int, set[str]] = {}
        self.makes: dict[int, set[str]] = {}
        self.returned: list[ast.Return] = []
        self.grows = set[tuple[int, str]]()  # lines that add to a variable, or set a part of it
        self.keyed: list[tuple[int, str]] = []  # lines that set an entry of a dictionary
        self.entries: list[tuple[str, str]] = []  # of a dictionary that is written out: key, variable
        for function in [node for node in program.tree.body if isinstance(node, ast.FunctionDef)]:
            for node in ast.walk(function):
                if isinstance(node, ast.stmt) and node is not function:
                    self._note(node, is_main=function is program.main)

    def _note(self, node: ast.stmt, is_main: bool) -> None:
        parts: Iterable[ast.AST] = [node]
        if isinstance(node, ast.For | ast.While | ast.If | ast.With):
            parts = [p for f, p in ast.iter_fields(node) if isinstance(p, ast.AST)]
        names = [n for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)]
        made = {n.id for n in names if isinstance(n.ctx, ast.Store)} | _changed(node)
        used = {n.id for n in names if isinstance(n.ctx, ast.Load)}
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            used.add(node.target.id)
        self.grows |= {
            (node.lineno, name)
            for name in (made & used if isinstance(node, ast.AugAssign) else _changed(node))
        }
        self._note_keys(node)
        self.used.setdefault(node.lineno, set()).update(used)
        self.makes.setdefault(node.lineno, set()).update(made)
        for name in made:
            self.made_at.setdefault(name, []).append(node.lineno)
        if isinstance(node, ast.Return) and is_main:
            self.returned.append(node)

    def _note_keys(self, node: ast.stmt) -> None:
        for one in ast.walk(node):
            if isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store):
                text = next(
                    (
                        c.value
                        for c in ast.walk(one.slice)
                        if isinstance(c, ast.Constant) and isinstance(c.value, str)
                    ),
                    "",
                )
                self.keyed.append((one.lineno, text)) if text else None
            elif isinstance(one, ast.Dict):
                for key, value in zip(one.keys, one.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Name):
                        self.entries.append((str(key.value), value.id))
                    elif isinstance(key, ast.Constant):
                        self.keyed.append((value.lineno, str(key.value)))
            elif isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "dict":
                self.entries += [
                    (str(word.arg), word.value.id)
                    for word in one.keywords
                    if isinstance(word.value, ast.Name)
                ]

    @property
    def lines(self) -> list[int]:
        """The lines of statements."""
        return sorted(self.used)

    @property
    def all_returns(self) -> set[int]:
        """The lines that return something."""
        return {node.lineno for node in self.returned}

    @property
    def returns(self) -> int:
        """The last line that returns something; of a function that does not, its last line."""
        return max(self.all_returns, default=max(self.lines, default=0))

    def _returned(self, wrong: set[str], names: Sequence[str]) -> set[str]:
        """Return the variables that become wrong outputs."""
        found = set[str]()
        keys = wrong - set(names)
        for node in self.returned:
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for i, part in enumerate(parts):
                is_wrong = len(parts) != len(names) or names[i] in wrong or bool(keys)
                if part is not None and is_wrong:
                    found |= {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
        found |= {name for key, name in self.entries if key in keys}
        return found

    def _entries(self, wrong: set[str]) -> list[int]:
        """Return the lines that set wrong entries of a dictionary: by their keys, or what the keys begin with."""
        keys = wrong - set(self.outputs)
        begins = {key.rstrip("0123456789") for key in keys}
        return sorted(line for line, key in self.keyed if key in keys or key in begins)

    def made(self, wrong: set[str]) -> list[int]:
        """Return the lines that made the variables that are wrong outputs, the last first."""
        if any(isinstance(node.value, ast.Tuple) != (len(self.outputs) > 1) for node in self.returned):
            return []  # another number of outputs: that is said where they are returned
        if wrong - set(self.outputs):  # entries of a dictionary
            lines = self._entries(wrong)
            return [
                *(
                    max(self.made_at[name])
                    for key, name in self.entries
                    if key in wrong and name in self.made_at
                ),
                *lines,
            ]
        parts = [
            part
            for node in self.returned
            for i, part in enumerate(node.value.elts if isinstance(node.value, ast.Tuple) else [node.value])
            if not isinstance(node.value, ast.Tuple) or set(self.outputs[i : i + 1]) & wrong
        ]
        bare = [part.id for part in map(_unwrapped, parts) if isinstance(part, ast.Name)]
        return sorted({max(self.made_at[name]) for name in bare if name in self.made_at})

    def behind(self, wrong: set[str]) -> set[int]:
        """Return the lines that wrong outputs depend on."""
        names = self._returned(wrong, self.outputs)
        while True:
            lines = {line for line, made in self.makes.items() if made & names} | self.all_returns
            more = names.union(*(self.used[line] for line in lines - self.all_returns))
            if more == names:
                return lines | {line for line, made in self.makes.items() if not made}
            names = more

    def is_excused(self, line: int, name: str, fine: set[int]) -> bool:
        """Return whether whatever uses a variable makes values that correct programs have."""
        users = [at for at, used in self.used.items() if name in used and at > line and self.makes[at]]
        return bool(users) and all(at in fine for at in users) and name != RESULT


def _unwrapped(node: ast.expr | None) -> ast.expr | None:
    """Return what is made into another kind of number, or turned, as it is returned."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in ("float", "squeeze", "array", "asarray") and len(node.args) == 1:
            return node.args[0]
        if name in ("astype", "item", "squeeze", "copy") and isinstance(node.func, ast.Attribute):
            return node.func.value
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else node


def _changed(node: ast.stmt) -> set[str]:
    """Return the variables that a statement changes in part: ``X[...] = ``, ``costs.append()``."""
    found = set[str]()
    for one in ast.walk(node):
        target: ast.AST | None = None
        if isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store):
            target = one.value
        elif (
            isinstance(one, ast.Call)
            and isinstance(one.func, ast.Attribute)
            and one.func.attr in ("append", "update", "extend", "insert")
        ):
            target = one.func.value
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name):
            found.add(target.id)
    return found
