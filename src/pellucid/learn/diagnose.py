"""Which line is wrong, and why: by values that no correct program has, by repairs, and by behaviour.

1. The first value, line by line, that no correct program computes in any style (:mod:`pellucid.learn.tracing`).
2. A change after which the function is right, on that line first, then on others: a small one
   (:mod:`pellucid.learn.edits`), or an expression of a correct program in the learner's variables
   (:mod:`pellucid.learn.grafts`). Where it is, is the line; what it mends, is the cause.
3. The faults of the exercise: the cause is the one whose outputs equal the learner's on every case.

With two faults no change makes all right; then one counts that makes another output right, or its line's value.
"""

import ast
import copy
import re
import warnings
from collections import Counter
from collections.abc import Callable, Container, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from difflib import SequenceMatcher
from functools import cached_property
from keyword import iskeyword
from typing import Any, NamedTuple

import numpy as np

from pellucid.learn.causes import alike
from pellucid.learn.edits import COPY, PLAIN, UNPACKED, Edit, M, edits, kind_of
from pellucid.learn.exercise import Arguments
from pellucid.learn.grafts import FORMULA, Grafts, mends
from pellucid.learn.layout import column_of
from pellucid.learn.limits import Budget, TimeUp
from pellucid.learn.program import Program
from pellucid.learn.reference import LONGEST_CALL, Fault, Reference, does_alike
from pellucid.learn.tracing import RESULT, STREAM, Called, Change, call, call_within
from pellucid.learn.uses import Uses
from pellucid.learn.values import WHOLE, Difference, arrays_in, close, compare

TRIALS = (
    800  # calls of all repairs: a number, so that a verdict does not depend on what else the machine does
)
BUDGET = 1.2  # seconds of them, for slow functions
NEAR, MIDDLE = 6.0, 14.0  # tokens of an expression that are others, before other changes are tried
NEXT, FAR = 4.0, 8.0  # tokens more, on other lines than that of the first wrong value
ENOUGH = 6  # repairs on one line that are looked for
ALIKE = 0.78  # of 1: a line that is written like a known fault,
APART = 0.1  # and more so than every other line
ORDER_ALONE = {
    UNPACKED,
    "returned in the wrong order",
    "wrong variable",
    "A and Z confused",
    "a value and its slope confused",
}
NO_RETURN = "return missing"
IN_LOOP = "line inside the loop"
MOVED = {IN_LOOP, "line outside the loop", "line too early", "line too late", "line too many"}
GENERAL = {FORMULA, "another function"}  # true of much: said where nothing else is
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


class Repair(NamedTuple):
    """A line, the causes that changes of it mend, and whether these are one of a correct program's expressions."""

    line: int
    causes: tuple[str, ...]
    is_graft: bool = False
    is_whole: bool = True  # whether the function is right with it
    column: int = 0  # of the part of the line that is another one then


class Diagnosis(NamedTuple):
    """Where a function is wrong, and why.

    Attributes
    ----------
    line : int
        Of the learner's program; 0 where it is not known.
    causes : tuple of str
        By name; several where they cannot be told apart.
    name : str
        The variable whose value is wrong there; "" if a repair alone named the line.
    value : object
        That value.
    on_line : dict
        The variables that the line uses, where it stopped with an error.
    also : int
        Another line: a change of it alone makes the function right, too; 0 where none was found.
    column, also_column : int
        Of what is wrong on each line, in bytes; 0 where it is the line as a whole.
    """

    line: int
    causes: tuple[str, ...]
    name: str = ""
    value: Any = None
    on_line: Mapping[str, Any] = {}
    also: int = 0
    column: int = 0
    also_column: int = 0


def written(line: str) -> list[str]:
    """Return the words of a line of code, the names of variables left out.

    Examples
    --------
    >>> written("mask = np.max(part) == 0")
    ['_', '=', '_', '.', 'max', '(', '_', ')', '=', '=', '0']
    """
    words = re.findall(r"\w+|[^\w\s]", line.partition("#")[0])
    return [
        "_" if one.isidentifier() and not iskeyword(one) and before != "." and after != "(" else one
        for before, one, after in zip(["", *words], words, [*words[1:], ""], strict=False)
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
    number : int, optional
        The case that is looked at; default: the first wrong one after the tiny case 0.
    """

    def __init__(
        self,
        reference: Reference,
        program: Program,
        calls: list[Called],
        budget: float = BUDGET,
        number: int | None = None,
    ) -> None:
        self.reference, self.program, self.calls = reference, program, calls
        wrong = [n for n, done in enumerate(calls) if reference.wrong(n, done)]
        size = [sum(one.size for one in arrays_in(case)) for case in reference.cases]
        # In which programs are tried
        self.order = sorted(range(len(calls)), key=lambda n: (n not in wrong, size[n]))
        self.wrong_cases = [n for n in wrong if n] or wrong
        self.number = self.wrong_cases[0] if number is None else number
        self.pool = reference.pool(self.number)
        self.seconds, self.budget, self.left = budget, Budget(0.0), 0
        done = calls[self.number]
        self.wrong = self.wrong_outputs(done)
        self.is_other_kind = any(  # another number of outputs is returned than there are
            getattr(one, "where", "") == WHOLE for one in reference.wrong(self.number, done)
        )
        self.uses = Uses(program.tree, program.main, reference.exercise.outputs)
        self.found: list[Change] = []

    def traced(self, number: int) -> Called:
        """Return what the program did on a case, with its variables line by line."""
        return self.program.traced(self.reference, number, bool(self.calls[number].modified))

    def diagnose(self) -> Diagnosis:
        """Return line and causes."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of programs that are tried out
            try:
                return self._diagnose()
            except (TimeUp, RecursionError):
                if not self.found:
                    raise
                first = self.found[0]
                return Diagnosis(self.line_of(first, None, []), (), first.name, first.value)

    def _diagnose(self) -> Diagnosis:
        done = self.traced(self.number)
        self.found = suspects = self.suspects(done)
        first = suspects[0] if suspects else None
        own, twins = self.by_behaviour(self.reference.own_faults(), Budget(self.seconds))
        if not twins:
            budget = Budget(self.seconds / 4)
            plain, twins = self.by_behaviour(self.reference.small_faults(budget, PLAIN), budget, shares=False)
            own = plain or own
        is_of_stream = STREAM in done.modified and bool(done.changed_at)  # then line and cause are known
        repair = None if is_of_stream else self.repair([one.line for one in suspects], own)
        is_count = first is not None and isinstance(first.value, int)
        if first and repair and is_count and first.line < repair.line and set(repair.causes) <= GENERAL:
            repair = None  # a formula that does without the wrong count hides it
        small: tuple[str, ...] = ()
        if not own and not is_of_stream and not (repair and repair.causes != (FORMULA,)):
            budget = Budget(self.seconds / 4)
            small, others = self.by_behaviour(self.reference.small_faults(budget), budget)
            twins = twins or others
        line = self.line_of(first, repair, twins)
        if not own and not is_of_stream and not (repair and repair.is_whole):
            line = min([line, *self.earlier(first)])
        at_line = next((one for one in suspects if one.line == line), None)
        causes = own or small or (repair.causes if repair else ())
        if done.modified:
            causes += ("seed inside",) if STREAM in done.modified else ("input modified",)
        if done.output is None and not any(node.value for node in self.uses.returned):
            causes = (NO_RETURN,)
        here = [one for one in self.traced(0).changes if one.line == line and one.name != RESULT]
        at_line = at_line or (here[-1] if here else None)
        name, value = (at_line.name, at_line.value) if at_line else ("", None)
        tiny = [one.value for one in self.traced(0).changes if (one.line, one.name) == (line, name)]
        value = tiny[-1] if tiny else value
        used = self.uses.used.get(line, set()) if done.error is not None else set()
        on_line = {one.name: one.value for one in done.changes if one.name in used and one.line != line}
        column = repair.column if repair and repair.line == line else self.column_of(line)
        also, also_column = 0, 0
        is_certain = is_of_stream or self.likeness(line, twins) >= ALIKE  # else another fault may do the same
        if (repair or own) and not is_certain:
            self.budget, self.left = Budget(self.seconds / 8), TRIALS // 8
            found = self.mended([line]) if len(causes) == 1 else None
            causes += tuple(one for one in (found.causes if found else ()) if one not in UNLIKELY | GENERAL)
            self.budget, self.left = Budget(self.seconds / 8), TRIALS // 8
            found = self.mended(self.near(line))
            also, also_column = (found.line, found.column) if found else (0, 0)
        causes = tuple(dict.fromkeys(causes))[:2]
        return Diagnosis(line, causes, name, value, on_line, also, column, also_column)

    def column_of(self, line: int) -> int:
        """Return where on a line the error is, or the first wrong one of what it returns or puts by a name."""
        done, outputs = self.calls[self.number], self.reference.exercise.outputs
        if done.error is not None:
            done = self.traced(self.number)
            return done.column if done.line == line else 0
        for node in ast.walk(self.program.tree):
            if getattr(node, "lineno", 0) != line:
                continue
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                named = [*zip(outputs, node.value.elts, strict=False)]
            elif isinstance(node, ast.Dict):
                keys = [getattr(key, "value", "") for key in node.keys]
                named = [*zip(keys, node.values, strict=True)]
            else:
                continue
            if found := [part.col_offset for name, part in named if name in self.wrong]:
                return found[0]
        return 0

    def near(self, line: int) -> list[int]:
        """Return the lines that make what a line uses, or use what it makes, and its loop; the nearest first."""
        makes, used = self.uses.makes, self.uses.used
        header = self.uses.inside.get(line)
        found = [
            one
            for one in self.uses.lines
            if one not in {line, *self.uses.all_returns}
            and (
                makes[one] & used.get(line, set())
                or used[one] & makes.get(line, set())
                or (header is not None and header.lineno == one)
            )
        ]
        return sorted(found, key=lambda one: (abs(one - line), one))

    def mended(self, lines: Sequence[int]) -> Repair | None:
        """Return the first repair on one of some lines."""
        searches = [self.small(line) for line in lines]
        if "grafts" in vars(self):  # otherwise small changes were enough
            searches += [self.grafts.repairs(dict.fromkeys(lines, 0.0), MIDDLE)]
        searches += [self.small(line, inserts=True) for line in lines]
        for search in searches:
            if (
                (found := self.try_all(search, self.is_right))
                and found.line in lines
                and not set(found.causes) <= UNLIKELY
            ):
                return found
        return None

    def line_of(self, first: Change | None, repair: Repair | None, twins: Sequence[Fault]) -> int:
        """Return the line to blame, by the first wrong value, a repair, and faults of the same behaviour."""
        made, returns = self.made, self.uses.all_returns
        if repair:
            is_kept = set(repair.causes) & (ORDER_ALONE | MOVED) or (repair.is_graft and self.is_other_form)
            return made[0] if repair.line in returns and made and not is_kept else repair.line  # made there
        if line := self.line_written_like(twins):
            return line
        if first and self.is_value(first):  # of two faults, the first one
            return min(first.line, *made) if len(self.wrong) > 1 and made else first.line
        like = self.line_like(twins[0]) if twins else 0
        return self.fallback(first) if not like or (like in returns and made) else like

    def earlier(self, first: Change | None) -> Iterator[int]:
        """Yield lines that are wrong where no change makes all right: of two faults, the first is looked for."""
        if first and self.is_value(first):
            yield first.line
        yield from self.odd_loops()
        budget = Budget(self.seconds / 4)
        for n, number in enumerate(one for one in self.wrong_cases if one != self.number):
            if n == 0 or not budget.is_spent:
                other = Doctor(self.reference, self.program, self.calls, self.seconds, number)
                found = [one.line for one in other.suspects(self.traced(number)) if self.is_value(one)]
                yield from found[:1]

    def odd_loops(self) -> Iterator[int]:
        """Yield the lines of loops that run as one of a correct program does, but for its first or last turn."""
        known = set[frozenset[int]]()
        for one in self.reference.solutions:
            known |= set(_turns(self.reference.trace(one, self.number), ast.parse(one.source)).values())
        for line, turns in _turns(self.traced(self.number).changes, self.program.tree).items():
            if turns not in known:
                a, b = min(turns), max(turns)
                if {turns | {a - 1}, turns | {b + 1}, turns - {a}, turns - {b}} & known:
                    yield line

    def fallback(self, first: Change | None) -> int:
        """Return the line of the first wrong value; of a returned variable, where it was made."""
        if first is None:
            return self.traced(self.number).line or self.uses.returns
        if first.name == RESULT and self.made:
            return self.header_of(self.made[0]) or self.made[0]
        return first.line

    def is_value(self, suspect: Change) -> bool:
        """Return whether a suspect is a variable's wrong value: no result, error or changed argument."""
        return suspect.name not in ("", RESULT) and suspect.value is not None

    def header_of(self, line: int) -> int:
        """Return the line of the loop or condition by which a returned list has another length; else 0."""
        done, expected = self.calls[self.number], self.reference.expected[self.number]
        is_one = len(self.reference.exercise.outputs) == 1
        pairs = [(expected, done.output)] if is_one else zip(expected, done.output, strict=False)
        more = [len(b) - len(a) for a, b in pairs if isinstance(a, list) and isinstance(b, list)]
        header = self.uses.inside.get(line)
        return (
            header.lineno if header and any(n < 0 or (n and isinstance(header, ast.If)) for n in more) else 0
        )

    @cached_property
    def misshapen(self) -> set[str]:
        """The outputs that are arrays of another shape."""
        found = self.reference.wrong(self.number, self.calls[self.number])
        differences = [one for one in found if isinstance(one, Difference)]
        return {one.output for one in differences if one.kind == "shape" and one.where == one.output}

    @property
    def is_other_form(self) -> bool:
        """Whether the result is of another shape, or its lists of another length."""
        found = self.reference.wrong(self.number, self.calls[self.number])
        return any(isinstance(one, Difference) and one.kind in ("shape", "type") for one in found)

    @cached_property
    def made(self) -> list[int]:
        """The lines that made the wrong outputs."""
        return self.uses.made(self.wrong, self.misshapen)

    def wrong_outputs(self, done: Called) -> set[str]:
        """Return the outputs that are wrong in a call on the case."""
        if done.error is not None:
            return set(self.reference.exercise.outputs)
        return {getattr(one, "output", one) for one in self.reference.wrong(self.number, done)}

    def suspects(self, done: Called) -> list[Change]:
        """Return the changes to values that no correct program has, in the order of time, the error's line last."""
        first: dict[tuple[int, str], Change] = {}  # that does not fit
        last: dict[tuple[int, str], bool] = {}  # whether it fits
        for change in done.changes:
            key = change.line, change.name
            last[key] = self.pool.fits(change)
            if not last[key]:
                first.setdefault(key, change)
        fine = {key for key, fits in last.items() if fits and (key not in first or key in self.uses.grows)}
        found = {key: change for key, change in first.items() if key not in fine}
        fine_lines = {at for at, _ in fine} - {at for at, _ in found}
        relevant = self.uses.behind(self.wrong)
        kept = [
            one
            for (line, name), one in found.items()
            if (name == RESULT or not relevant or line in relevant)
            and line not in self.uses.empty
            and (isinstance(one.value, int) or not self.uses.is_excused(line, name, fine_lines))
        ]
        if self.is_other_kind:
            return [Change(self.uses.returns, RESULT, done.output)]
        if not kept and done.error is None:  # legal values in the wrong place
            kept = [Change(self.uses.returns, RESULT, done.output)]
        if done.modified and done.changed_at:
            seen = [id(change) for change in done.changes]
            when = next((n for n, change in enumerate(done.changes) if change.line == done.changed_at), 0)
            before = [one for one in kept if id(one) in seen and seen.index(id(one)) < when]
            kept = [*before, Change(done.changed_at, done.modified[0], None), *kept[len(before) :]]
        if done.error is not None and done.line:
            kept.append(Change(done.line, "", None))
        return kept

    def repair(self, lines: list[int], known: tuple[str, ...]) -> Repair | None:
        """Return the line and the causes of repairs, if there are any; first of those of a known cause."""
        lines = list(dict.fromkeys(lines)) or [self.uses.returns]
        self.budget, self.left = Budget(self.seconds), TRIALS
        for search in self.searches(lines, known):
            if found := self.try_all(search, self.is_right):
                return self.narrowed(found)
            if self.is_spent:
                break
        self.budget.extend(self.seconds / 4)
        self.left = TRIALS // 4
        last = lines[0] if self.found and self.is_value(self.found[0]) else max(self.uses.lines, default=0)
        made = self.made
        for line in sorted(line for line in {*made, *(lines[:1] if made else lines)} if line <= last):
            for inserts in (False, True):
                if found := self.try_all(self.small(line, inserts=inserts), self.is_better):
                    return found._replace(is_whole=False)
        return None

    def narrowed(self, found: Repair) -> Repair:
        """Return a repair by something that is missing, where all that is known is another formula for all."""
        if not (found.is_graft and set(found.causes) <= GENERAL):
            return found
        part = self.try_all(self.small(found.line, inserts=True, with_names=False), self.is_right)
        if part and part.line == found.line:
            return found._replace(column=part.column) if set(part.causes) <= UNLIKELY else part
        return found

    def searches(self, lines: list[int], known: tuple[str, ...]) -> Iterator[Generator[Edit, None, None]]:
        """Yield the changes that are tried, by lines of suspects, in the order in which they are likely."""
        first, made = lines[0], self.made
        is_returned = first in self.uses.all_returns and bool(made)
        early = [*made, first] if is_returned else [first]
        rest = [] if self.is_other_kind else [line for line in self.uses.lines if line not in early]
        rest.sort(key=lambda line: (line not in lines, line > first, abs(line - first)))
        like = set[str]().union(*map(alike, known))
        yield from (self.small(line, {IN_LOOP}) for line in self.uses.all_returns & self.uses.inside.keys())
        if is_returned:
            yield from (self.small(line, ORDER_ALONE) for line in made)
        if known:
            yield from (self.small(line, like) for line in dict.fromkeys([*early, *lines, *rest]))
            yield from (self.small(line, like, inserts=True) for line in early)
        if self.calls[self.number].modified:
            for inserts in (False, True):
                yield from (self.small(line, {"view for copy"}, inserts=inserts) for line in self.uses.lines)
        if is_returned:
            yield self.small(first, {"returned in the wrong order"})
            yield self.small(first, ORDER_ALONE)
        near = {**dict.fromkeys([*early, *rest], FAR), **dict.fromkeys([*lines, *made], NEXT), first: 0.0}
        yield from (self.small(line, but=MOVED) for line in (*early, *rest))
        yield self.grafts.repairs(near, NEAR)
        yield from (self.small(line, inserts=True, with_names=False) for line in early)
        if known:
            yield from (self.small(line, like, inserts=True) for line in dict.fromkeys([*lines, *rest]))
        yield self.grafts.repairs(near, MIDDLE, NEAR)
        yield from (self.small(line, MOVED) for line in (*early, *rest))
        yield from (self.small(line, inserts=True) for line in early)
        yield self.grafts.repairs(near, shortest=MIDDLE)
        yield from (self.small(line, inserts=True) for line in rest)

    def small(
        self,
        line: int,
        only: Container[str] = (),
        *,
        but: Container[str] = (),
        inserts: bool = False,
        with_names: bool = True,
    ) -> Generator[Edit, None, None]:
        """Yield small changes of a line, of some causes, or of all but some."""
        changes = edits(
            self.program.tree, inserts=inserts, lines={line}, kinds=self.kinds, with_names=with_names
        )
        with closing(changes) as changed:
            for edit in changed:
                if (not only or edit.repairs in only) and edit.repairs not in but:
                    yield edit

    @cached_property
    def kinds(self) -> dict[str, Any]:
        """Of what kind each variable is, the last time."""
        main, case = self.program.main, self.reference.cases[self.number]
        given = [one.arg for one in main.args.args] if main else []
        changes = [(one.name, one.value) for one in self.traced(self.number).changes if one.name != RESULT]
        return {name: kind_of(value) for name, value in [*zip(given, case, strict=False), *changes]}

    @cached_property
    def grafts(self) -> Grafts:
        """What correct programs have instead of the learner's expressions."""
        main = self.program.main
        numbers = sorted({0, self.number})
        changes = [self.traced(n).changes for n in numbers]
        names = [one.arg for one in main.args.args] if main else []
        wrong = {one.name for one in self.found}
        return Grafts(self.reference, numbers, changes, names, self.program.tree, wrong)

    def try_all(
        self, changed: Generator[Edit, None, None], is_mended: Callable[[Edit], bool]
    ) -> Repair | None:
        """Return the line of the first change that mends, and the causes that changes of it mend."""
        found: list[str] = []
        at = line = column = 0
        is_graft = False
        with closing(changed):  # the tree is as it was
            for edit in changed:
                is_known = bool(found) and mends(edit) in found
                if (not at or edit.line == at) and not is_known and is_mended(edit):
                    found.append(cause := mends(edit))
                    if not at:
                        at, now = edit.line, Uses(edit.tree, None, ()).used.get(edit.line, set())
                        dropped = self.uses.used.get(at, set()) - now
                        is_less = cause.endswith((" too many", " too often", " twice"))
                        is_more = cause.endswith((" missing", " left out"))
                        blamed = self.uses.blamed(
                            at, set() if is_less else dropped, edit.node if is_more else None
                        )
                        line = blamed or at
                        if not blamed and edit.node and edit.other and edit.node.lineno == at:
                            column = column_of(edit.node, edit.other, self.program.lines[at - 1])
                        is_graft = bool(edit.role)
                if len(found) >= ENOUGH or self.is_spent:
                    break
        found = [cause for cause in found if cause not in GENERAL] or found
        causes = tuple(sorted(found, key=lambda cause: cause in UNLIKELY))
        return Repair(line, causes, is_graft, column=column) if found else None

    @property
    def is_spent(self) -> bool:
        """Whether enough was tried."""
        return self.left <= 0 or self.budget.is_spent

    def run(self, edit: Edit, number: int, file: str = "") -> Called | None:
        """Return what a changed program does on a case; None if it cannot be compiled."""
        self.left -= 1
        case = self.reference.cases[number]
        try:
            function = self.program.compile(edit.tree, {M: examples_of(case), COPY: copy.deepcopy})
        except Exception:
            return None
        with np.errstate(all="ignore"):
            return call_within(LONGEST_CALL, function, case, file, self.reference.exercise.arguments)

    def is_right(self, edit: Edit) -> bool:
        """Return whether a changed program is right on every case."""
        return all(
            (done := self.run(edit, n)) is not None and not self.reference.wrong(n, done) for n in self.order
        )

    def is_better(self, edit: Edit) -> bool:
        """Return whether more outputs of a changed program are right, or the values that its line makes."""
        before, done = self.calls[self.number], self.run(edit, self.number, "<repair>")
        if done is None or (done.error is not None and before.error is None):
            return False
        if before.error is None and done.error is None:
            now = self.wrong_outputs(done)
            if now and now < self.wrong:
                return True
        made = [change for change in done.changes if change.line == edit.line and change.name != RESULT]
        kinds = {
            one.name: kind_of(one.value) for one in self.found if one.line == edit.line and self.is_value(one)
        }
        return (
            edit.repairs not in MOVED
            and bool(made)
            and all(kind_of(one.value) == kinds.get(one.name) and self.pool.fits(one) for one in made)
        )

    def by_behaviour(
        self, faults: Generator[Fault, None, None], budget: Budget, *, shares: bool = True
    ) -> tuple[tuple[str, ...], list[Fault]]:
        """Return the causes of the faults whose outputs equal the learner's on every case, and these faults.

        Where there is none, the causes of those that share its first wrong output, if asked for. What the budget
        leaves no time for is not run: a slow machine still says what it has found.
        """
        outputs = self.reference.exercise.outputs
        equal, shared = Counter[str](), Counter[str]()
        twins = list[Fault]()
        with closing(faults):  # not by the collector, amid another program's time limit
            for fault in faults:
                is_equal, is_shared = True, shares
                for number in self.order:
                    done = self.reference.run(fault.function, number)
                    is_equal = is_equal and does_alike(outputs, done, self.calls[number])
                    is_shared = is_shared and self._shares(number, done)
                    if not (is_equal or is_shared):
                        break
                if is_equal:
                    equal[fault.cause] += 1
                    twins.append(fault)
                elif is_shared:
                    shared[fault.cause] += 1
                if budget.is_spent:
                    break
        return _commonest(equal or shared), twins

    def likeness(self, line: int, twins: Sequence[Fault]) -> float:
        """Return how alike a line is written to the faults of programs of the same behaviour, from 0 to 1."""
        mine = written(self.program.lines[line - 1]) if line else []
        theirs = {tuple(written(one.text)) for one in twins if one.text}
        return max((SequenceMatcher(None, mine, one, False).ratio() for one in theirs), default=0.0)

    def line_written_like(self, twins: Sequence[Fault]) -> int:
        """Return the one line that is written like the fault of a program of the same behaviour; else 0."""
        found = [(self.likeness(line, twins), line) for line in self.uses.lines]
        (nearest, at), (next_one, _) = sorted([*found, (0.0, 0), (0.0, 0)], reverse=True)[:2]
        return at if nearest >= ALIKE and nearest - next_one >= APART else 0

    def line_like(self, twin: Fault) -> int:
        """Return the line that makes the value that a program of the same behaviour makes at its fault; else 0."""
        name = self.reference.exercise.name
        with np.errstate(all="ignore"):
            done = call(twin.function, self.reference.cases[self.number], f"<{name}>")
        there = [
            one for change in done.changes if change.line == twin.line for one in arrays_in(change.value)
        ]
        wrong = [one for one in there if not self.pool.has(one)]
        for change in self.traced(self.number).changes:
            if any(
                one.shape == other.shape and close(one, other)
                for one in arrays_in(change.value)
                for other in wrong
            ):
                return change.line
        return 0

    def _shares(self, number: int, done: Called) -> bool:
        """Return whether a fault makes the same first wrong output on a case."""
        names, mine = self.reference.exercise.outputs, self.calls[number]
        first = next((name for name in names if name in self.wrong), None)
        if len(names) == 1 or first is None or done.error or mine.error or done.modified != mine.modified:
            return False
        if not (_is_tuple(done.output, names) and _is_tuple(mine.output, names)):
            return False
        i = names.index(first)
        expected = self.reference.expected[number][i]
        is_wrong = number != self.order[0] or bool(compare([first], expected, done.output[i]))
        return is_wrong and not compare([first], done.output[i], mine.output[i])


def _turns(changes: Sequence[Change], tree: ast.Module) -> dict[int, frozenset[int]]:
    """Return the whole numbers that each loop of a program went through, by its line."""
    loops = {one.lineno for one in ast.walk(tree) if isinstance(one, ast.For)}
    found: dict[int, set[int]] = {}
    for one in changes:
        is_whole = isinstance(one.value, int | np.integer) and not isinstance(one.value, bool)
        if is_whole and one.line in loops:
            found.setdefault(one.line, set()).add(int(one.value))
    return {line: frozenset(turns) for line, turns in found.items()}


def _commonest(counted: Counter[str]) -> tuple[str, ...]:
    return tuple(cause for cause, _ in counted.most_common())


def _is_tuple(value: Any, names: Sequence[str]) -> bool:
    return isinstance(value, tuple | list) and len(value) == len(names)
