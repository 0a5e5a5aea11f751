"""The coach: verdicts on a function, a file, or a folder of exercises."""

import ast
import inspect
import textwrap
import tokenize
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from pellucid.errors import DataError, OptionError, unknown_name
from pellucid.learn.exercise import BUILTIN, Exercise, all_exercises, exercise, name_in
from pellucid.learn.notebooks import code_of
from pellucid.learn.process import examine
from pellucid.learn.verdict import HINTS, Verdict, verdict
from pellucid.process_state import parse

N_PROCESSES = 2


def check(
    learner: Callable[..., Any] | str | Path, exercise_name: str = "", *, hints: int = HINTS
) -> Verdict:
    """Return the coach's verdict on a function, or on a file that holds it.

    Parameters
    ----------
    learner : callable or str or Path
        A function that has an exercise's name, or a file.
    exercise_name : str, optional
        Which exercise it is, or a file of one's own exercise; default: by the name of the function, or of the file.
    hints : int, optional
        How many are shown: the property, the place, the cause, a number.

    Returns
    -------
    Verdict
        True if it is right.

    Raises
    ------
    OptionError
        If there is no such exercise, or the function's source is not to be had.
    DataError
        If the file cannot be read.

    Examples
    --------
    >>> def relu(Z):
    ...     A = np.maximum(1, Z)
    ...     return A, Z
    >>> verdict = check(relu)  # doctest: +SKIP
    >>> print(verdict)  # doctest: +SKIP
    relu: wrong, 65 % of it there.
    A: on the worked case yours is [[1. 1. 3.]]; it should be [[0. 0. 3.]].
    Look at line 2: A = np.maximum(1, Z)
    """
    if isinstance(learner, str | Path):
        path = Path(learner)
        of = exercise(exercise_name or exercise_of(path))
        return verdict(
            of,
            str(path),
            examine(reference(of), read_source(path), folders=[str(path.resolve().parent)]),
            hints,
        )
    of = exercise(exercise_name or learner.__name__)
    return verdict(of, "", examine(reference(of), source_of(learner)), hints)


def reference(of: Exercise) -> str:
    """Return what :func:`~pellucid.learn.exercise.exercise` takes for an exercise."""
    return of.name if of.number else str(Path(str(of.module.__file__)).resolve())


def check_folder(
    folder: str | Path, exercises: Sequence[str] = (), *, hints: int = HINTS
) -> Iterator[Verdict]:
    """Yield verdicts on the files of a folder, in the order of the exercises.

    Parameters
    ----------
    folder : str or Path
        That ``pellucid learn start`` has made.
    exercises : sequence of str, optional
        Names; default: all that have a file.
    hints : int, optional

    Raises
    ------
    DataError
        If the folder is missing, or has no file of an exercise.
    """
    place = Path(folder)
    if not place.is_dir():
        raise DataError(f"learn check: {place} is no folder. Try pellucid learn start {place}.")
    asked = {reference(one): one for one in all_exercises(exercises)}
    files = {name: file_of(place, one) for name, one in asked.items()}
    there = {name: path for name, path in files.items() if path is not None}
    if not there:
        wanted = next(iter(asked.values())).file_name
        raise DataError(
            f"learn check: {place} has no file such as {wanted}. Try pellucid learn start {place}."
        )
    with ThreadPoolExecutor(N_PROCESSES) as pool:
        yield from pool.map(lambda name: _on_file(there[name], name, hints), there)


def file_of(folder: Path, of: Exercise) -> Path | None:
    """Return the learner's file of an exercise, a .py file or a notebook, the newer one; None if there is none."""
    path = folder / of.file_name
    found = [one for one in (path, path.with_suffix(".ipynb")) if one.is_file()]
    return max(found, key=lambda one: one.stat().st_mtime, default=None)


def _on_file(path: Path, name: str, hints: int) -> Verdict:
    try:
        return check(path, name, hints=hints)
    except DataError as error:  # the others are checked all the same
        return Verdict(name, str(path), "cannot run", str(error))


def exercise_of(path: Path) -> str:
    """Return the exercise that a file is named after: ``13_linear_backward.py``."""
    name = name_in(path.name)
    if name not in BUILTIN:
        raise OptionError(f"learn: {path.name}: {unknown_name('exercise', name, BUILTIN)}")
    return name


def read_source(path: Path) -> str:
    """Return a learner's code, of a .py file or a notebook.

    A .py file is read as Python reads it: by its byte order mark, or by the coding that its first lines declare.
    """
    is_notebook = path.suffix == ".ipynb"
    try:
        with open(path, encoding="utf-8-sig") if is_notebook else tokenize.open(path) as file:
            text = file.read()
    except OSError as error:
        raise DataError(f"learn: {path}: {error.strerror or error}. Name a file that is there.") from None
    except (UnicodeDecodeError, SyntaxError):
        wanted = "UTF-8" if is_notebook else "UTF-8, or in the coding that its first lines declare"
        raise DataError(f"learn: {path} is no text in {wanted}. Save it in UTF-8.") from None
    return code_of(path, text) if is_notebook else text


def source_of(function: Callable[..., Any]) -> str:
    """Return a function's source, with the functions, modules and numbers that it uses.

    The function stands first, on the lines of its own file or notebook's cell.
    """
    try:
        lines, first = inspect.getsourcelines(function)
        main = "\n" * (first - 1) + textwrap.dedent("".join(lines))
    except (OSError, TypeError):
        name = getattr(function, "__name__", "the function")
        raise OptionError(
            f"learn: the source of {name} is not to be had. Write it to a file, and check that."
        ) from None
    parts, done, queue = [main], {getattr(function, "__name__", "")}, [function]
    while queue:
        one = queue.pop()
        names = getattr(one, "__globals__", {})
        try:
            used = {
                n.id
                for n in ast.walk(parse(textwrap.dedent(inspect.getsource(one))))
                if isinstance(n, ast.Name)
            }
        except (OSError, TypeError, SyntaxError):
            continue
        for name in sorted(used - done):
            value = names.get(name)
            done.add(name)
            if isinstance(value, ModuleType):
                parts.append(f"import {value.__name__} as {name}\n")
            elif isinstance(value, FunctionType) and value.__module__.startswith(("pellucid.", "numpy")):
                parts.append(f"from {value.__module__} import {value.__name__} as {name}\n")
            elif isinstance(value, FunctionType):
                parts.append(textwrap.dedent(inspect.getsource(value)))
                queue.append(value)
            elif isinstance(value, bool | int | float | str):
                parts.append(f"{name} = {value!r}\n")
    return "\n".join(parts)
