"""The values that a function's variables take, line by line, and those that correct programs compute."""

import ast
import copy
import itertools
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from pellucid.learn.exercise import Arguments, Exercise, Solution
from pellucid.learn.limits import TimeUp, time_limit
from pellucid.learn.values import arrays_in, close, is_number
from pellucid.types import Array

MOST_EVENTS = 3000  # changes of variables that are kept of one call
MOST_SEEN = 4000  # values that are kept of one correct program
LARGEST = 20_000  # numbers of an array that is looked at
RESULT = "the result"
_SEEDS = itertools.cycle(range(10**6, 10**6 + 97))
STREAM = "np.random"  # among what a call modified


class Change(NamedTuple):
    """A variable that has a new value after a line."""

    line: int
    name: str
    value: Any


class Called(NamedTuple):
    """What a call did.

    Attributes
    ----------
    output : object
    error : BaseException or None
    line, column : int
        Of the error, in the learner's file, the column in bytes; 0 without one.
    changes : list of Change
    modified : list of str
        The arguments that the call changed.
    changed_at : int
        The line that changed the first of them, where it was noted; else 0.
    """

    output: Any
    error: BaseException | None
    line: int
    changes: list[Change]
    modified: list[str]
    changed_at: int = 0
    column: int = 0


def call(
    function: Callable[..., Any],
    arguments: Arguments,
    file: str = "",
    names: Iterable[str] = (),
    *,
    watch: bool = False,
) -> Called:
    """Call a function on copies of the arguments; with ``file``, note its variables line by line.

    Parameters
    ----------
    function : callable
    arguments : tuple
    file : str, optional
        The file name that the learner's code was compiled with.
    names : iterable of str, optional
        Of the arguments.
    watch : bool, optional
        Note the line that changes an argument or draws from NumPy's own stream, too, which takes long.
    """
    given = copy.deepcopy(arguments)
    error: BaseException | None = None
    output, line, column = None, 0, 0
    seed = next(_SEEDS)  # another one each time: what draws from it shows
    np.random.seed(seed)  # noqa: NPY002
    noted = _Noted(file, given if watch else None)
    if file:
        sys.settrace(noted)
    try:
        output = function(*given)
    except BaseException as raised:
        if isinstance(raised, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            raise  # of a person, not of the function
        error = raised
    finally:
        sys.settrace(None)
    if error is not None and file:
        line, column = place_of(error, file)
    modified = [
        name
        for name, before, after in zip(names, arguments, given, strict=False)
        if not callable(before) and not _is_same(before, after)
    ]
    if np.random.random_sample() != _first_of(seed):  # noqa: NPY002
        modified.append(STREAM)
    changed_at = noted.changed_at if modified else 0
    return Called(output, error, line, noted.changes, modified, changed_at, column)


def call_within(
    seconds: float,
    function: Callable[..., Any],
    arguments: Arguments,
    file: str = "",
    names: Iterable[str] = (),
) -> Called:
    """Call as :func:`call` does, for so long at most; then the error is TimeUp."""
    try:
        with time_limit(seconds):
            return call(function, arguments, file, names)
    except TimeUp as error:  # where the call itself could not catch it
        return Called(None, error, 0, [], [])


@cache
def _first_of(seed: int) -> float:
    """Return the first number that NumPy's own stream gives after a seed."""
    return float(np.random.RandomState(seed).random_sample())


def _stream() -> Any:
    """Return where NumPy's own stream of random numbers is."""
    _, keys, place, *_ = np.random.get_state()  # noqa: NPY002 - the stream that must not be touched
    return place, keys[0], keys[1]


def place_of(error: BaseException, file: str) -> tuple[int, int]:
    """Return line and column of the last part of a file that an error passed through; zeros if there is none."""
    at, found = error.__traceback__, (0, 0)
    while at is not None:
        code = at.tb_frame.f_code
        if code.co_filename == file:
            places = itertools.islice(code.co_positions(), at.tb_lasti // 2, None)
            line, _, column, _ = next(places, (None, None, None, None))
            found = at.tb_lineno, column or 0 if line == at.tb_lineno else 0
        at = at.tb_next
    return found


def _is_same(before: Any, after: Any) -> bool:
    if isinstance(before, dict):
        is_like = isinstance(after, dict) and before.keys() == after.keys()
        return is_like and all(_is_same(before[name], after[name]) for name in before)
    if isinstance(before, list | tuple):
        is_like = isinstance(after, list | tuple) and len(before) == len(after)
        return is_like and all(map(_is_same, before, after))
    if isinstance(before, np.ndarray):
        is_like = isinstance(after, np.ndarray) and before.shape == after.shape
        return is_like and (before.tobytes() == after.tobytes() or np.array_equal(before, after))
    if isinstance(after, np.ndarray | dict | list | tuple):
        return False
    return bool(before == after)


class _Noted:
    """What ``sys.settrace`` calls: it notes each variable that a line has changed."""

    def __init__(self, file: str, given: Arguments | None) -> None:
        self.file, self.changes, self.changed_at = file, list[Change](), 0
        self._given, self._kept = given, self._watched(given)
        self._before: dict[int, tuple[int, dict[str, Any]]] = {}

    def _watched(self, given: Arguments | None) -> Any:
        """Return what must not change; None where nothing is watched."""
        return None if given is None else (_mark(list(given)), _stream())

    def __call__(self, frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != self.file or len(self.changes) >= MOST_EVENTS:
            return None
        if event == "call":
            self._before[id(frame)] = frame.f_lineno, {n: _mark(v) for n, v in frame.f_locals.items()}
            return self
        line, marks = self._before.get(id(frame), (frame.f_lineno, {}))
        now = {name: _mark(value) for name, value in frame.f_locals.items()}
        if not self.changed_at and self._watched(self._given) != self._kept:
            self.changed_at = line
        for name, mark in now.items():
            if marks.get(name) != mark:
                self.changes.append(Change(line, name, copy.deepcopy(frame.f_locals[name])))
        if event == "return" and frame.f_code.co_name[0] != "<" and argument is not None:
            self.changes.append(Change(frame.f_lineno, RESULT, copy.deepcopy(argument)))
        self._before[id(frame)] = frame.f_lineno, now
        return self


def _mark(value: Any, depth: int = 6) -> Any:
    """Return what tells a value from another: its bytes, for arrays in containers, too."""
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes() if value.size <= LARGEST else id(value))
    if isinstance(value, dict):
        return [(name, _mark(one, depth - 1)) for name, one in value.items()] if depth else []
    if isinstance(value, list | tuple):
        return [_mark(one, depth - 1) for one in value[:200]] if depth else []
    return value if isinstance(value, int | float | str | bool | np.generic) else id(value)


class Pool:
    """The values that correct programs compute on one case: of every expression in them, and of the arguments.

    Parameters
    ----------
    exercise : Exercise
    solutions : sequence of Solution
        Correct ones.
    arguments : tuple
        Of the case.
    traces : sequence of list of Change
        What the variables of each were.
    """

    def __init__(
        self,
        exercise: Exercise,
        solutions: Sequence[Solution],
        arguments: Arguments,
        traces: Sequence[list[Change]],
    ) -> None:
        self._marks: set[Any] = set()
        self._by_shape: dict[tuple[int, ...], list[Array]] = {}
        self.integers: dict[str, set[int]] = {}  # of the variables of correct programs, by name
        for one in arrays_in(arguments):
            self._add(one)
            if one.dtype.kind == "f":  # a step that correct ways begin with, in whatever style
                with np.errstate(all="ignore"):
                    for step in (
                        np.exp(one),
                        np.exp(-one),
                        1 + np.exp(one),
                        1 - one,
                        np.abs(one),
                        one**2,
                        np.tanh(one),
                    ):
                        self._add(step)
        for solution, trace in zip(solutions, traces, strict=True):
            n_left = MOST_SEEN

            def see(value: Any) -> Any:
                nonlocal n_left
                n_left -= 1
                if n_left > 0:
                    for one in arrays_in(value):
                        self._add(one)
                return value

            watched = _Watched().visit(ast.parse(solution.source))
            names = dict(vars(exercise.module)) | {"__see__": see}
            exec(compile(ast.fix_missing_locations(watched), "<seen>", "exec"), names)
            with np.errstate(all="ignore"):
                call(names[exercise.name], arguments)
            for change in trace:
                self._add_change(change)
        self._stacks = {shape: np.stack(values) for shape, values in self._by_shape.items()}
        every = [one.ravel() for shape in self._by_shape for one in self._by_shape[shape]]
        self._numbers = np.unique(np.concatenate(every)) if every else np.zeros(0)
        lines: dict[int, list[Array]] = {}  # rows and columns, which loops go through
        for shape, values in self._by_shape.items():
            if len(shape) == 2:
                for matrix in values:
                    for one in (*matrix, *matrix.T):
                        lines.setdefault(one.size, []).append(one)
        self._lines = {n: np.stack(values) for n, values in lines.items()}

    def _add_change(self, change: Change) -> None:
        if isinstance(change.value, int | np.integer) and not isinstance(change.value, bool):
            self.integers.setdefault(change.name, set()).add(int(change.value))
        for one in arrays_in(change.value):
            self._add(one)

    def _add(self, value: Array) -> None:
        array = np.asarray(value, dtype=float)
        if array.size > LARGEST:
            return
        mark = array.shape, array.tobytes()
        if mark not in self._marks:
            self._marks.add(mark)
            self._by_shape.setdefault(array.shape, []).append(array)

    def has(self, value: Any) -> bool:
        """Return whether every number of a value is one that correct programs compute; True where it has none."""
        return all(self._has(one) for one in arrays_in(value))

    def _has(self, value: Array) -> bool:
        array = np.asarray(value, dtype=float)
        is_start = array.size > 1 and array.flat[0] in (0, 1) and not (array - array.flat[0]).any()
        if array.size > LARGEST or not array.size or is_start:
            return True  # zeros and ones to begin with
        if array.size == 1:
            at = np.searchsorted(self._numbers, array.flat[0] - 1e-9)
            if at < len(self._numbers) and abs(self._numbers[at] - array.flat[0]) <= 1e-9 + 1e-7 * abs(
                array.flat[0]
            ):
                return True
        stacks = [self._stacks.get(array.shape)]
        if array.ndim == 2:
            stacks.append(self._stacks.get(array.T.shape))
        if array.size == max(array.shape, default=0):
            stacks.append(self._lines.get(array.size))
        for number, stack in enumerate(stacks):
            if stack is not None:
                one = array.T if number == 1 and array.ndim == 2 else array
                one = one.reshape(stack.shape[1:]) if one.shape != stack.shape[1:] else one
                with np.errstate(all="ignore"):
                    near = np.isclose(stack, one, rtol=1e-6, atol=1e-9, equal_nan=True)
                if near.reshape(len(stack), -1).all(axis=1).any():
                    return True
        if value.dtype == bool:
            return any(close(1 - array, other) for other in self._by_shape.get(array.shape, []))
        return False

    def fits(self, change: Change) -> bool:
        """Return whether a variable's value is one that correct programs have; counts are judged by their names."""
        value = change.value
        if isinstance(value, int | np.integer) and not isinstance(value, bool):
            known = self.integers.get(change.name)
            return not (known and change.name not in "_ijklxyquv" and int(value) not in known)
        if not is_number(value) and not isinstance(value, list | tuple | dict):
            return True
        return self.has(value)


class _Watched(ast.NodeTransformer):
    """Hand the value of each expression of a program to ``__see__``."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if not isinstance(node, ast.expr):
            return node
        is_value = isinstance(
            node, ast.BinOp | ast.Call | ast.Subscript | ast.Attribute | ast.UnaryOp | ast.Compare | ast.IfExp
        )
        if not is_value or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return node
        if isinstance(node, ast.Attribute) and node.attr != "T":
            return node
        return ast.Call(ast.Name("__see__", ast.Load()), [node], [])
