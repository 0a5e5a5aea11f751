"""One learner's function, run and judged: what the coach's process does.

``python -m pellucid.learn.examine`` reads a job from standard input and writes a line of JSON.
"""

import ast
import difflib
import json
import os
import re
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from io import StringIO
from typing import Any

import numpy as np

from pellucid.learn.diagnose import Diagnosis, Doctor
from pellucid.learn.exercise import Exercise, exercise
from pellucid.learn.layout import Layout, longest_statement
from pellucid.learn.limits import TimeUp, time_limit
from pellucid.learn.program import Program
from pellucid.learn.reference import Reference
from pellucid.learn.sandbox import NotAllowed, Sandbox
from pellucid.learn.tracing import STREAM, Called, call, call_within, place_of
from pellucid.learn.values import WHOLE, Difference, compare, is_number, kind_of_value, relation, shown
from pellucid.text import capitalized, join

FILE = "<your file>"
PROPERTIES = (
    "runs",
    "result",
    "shape",
    "dtype",
    "worked case",
    "random values",
    "slopes",
    "repeats",
    "arguments kept",
)
OF_KIND = {"type": "result", "shape": "shape", "dtype": "dtype"}
STEP, MOST_MEASURED = 1e-5, 5  # of measured slopes: the step, and how many entries are tried
MOST_SHOWN = 200  # characters of a line
MAGIC = re.compile(r"^\s*[%!]")


class Examination:
    """A learner's file on one exercise.

    Parameters
    ----------
    of : Exercise
    source : str
        The learner's file.
    seconds : float
        For all calls together.
    sandbox : Sandbox, optional
    """

    def __init__(self, of: Exercise, source: str, seconds: float, sandbox: Sandbox | None = None) -> None:
        self.exercise, self.seconds, self.sandbox = of, seconds, sandbox
        self.of_kind = ""  # the cause, where a result is of the wrong kind
        lines = (
            StringIO(source, newline=None).read().split("\n")
        )  # as Python counts them: a form feed ends none
        magic = [number for number, line in enumerate(lines, start=1) if MAGIC.match(line)]
        for number in magic:
            lines[number - 1] = ""
        self.lines = lines
        self.layout = Layout("")
        self.found: dict[str, Any] = {
            "state": "right",
            "remarks": [],
            "rows": [],
            "credit": 0.0,
            "causes": [],
        }
        if magic:
            words = f"line {join([str(n) for n in magic])}"
            self.found["remarks"].append(f"Passed over: {words}, which only a notebook understands.")

    def run(self) -> dict[str, Any]:
        """Return the verdict's parts."""
        start = time.monotonic()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with np.errstate(all="warn"):
                function = self.load()
                if function is not None:
                    self.judge(function)
        self.remark(caught)
        self.found["seconds"] = time.monotonic() - start
        return self.found

    def refuse(self, state: str, headline: str, line: int = 0) -> None:
        """Note that the function could not be tried, and why."""
        self.found |= {"state": state, "headline": headline, "line": line, "line_text": self.text_of(line)}

    def text_of(self, line: int) -> str:
        """Return a line of the file, as much of it as a reader takes in."""
        text = self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""
        return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + " ..."

    def line_of(self, error: BaseException) -> int:
        """Return the last line of the file that an error passed through; 0 if there is none."""
        return self.layout.line_of(*place_of(error, FILE))

    def load(self) -> Callable[..., Any] | None:
        """Return the learner's function; None if there is none that can be tried."""
        name, source = self.exercise.name, "\n".join(self.lines) + "\n"
        try:
            tree = ast.parse(source)  # its errors have the lines of the file
            self.layout = Layout(source)
            code = compile(self.layout.source, FILE, "exec")
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", 0) or 0
            said = getattr(error, "msg", str(error))
            self.refuse("cannot run", f"Python cannot read line {line}: {said}.", line)
            return None
        except (RecursionError, MemoryError):  # Python's own parser, or compiler
            line = longest_statement(source)
            words = (
                "an expression of so many parts that Python gives up. Say it with a loop, or with an array"
            )
            self.refuse("cannot run", f"Python cannot read line {line}: {words}.", line)
            return None
        written = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        mine = next((node for node in reversed(written) if node.name == name), None)
        if mine is not None and _is_empty(mine):
            self.refuse("not started", f"{name} has no lines of yours yet.", mine.lineno)
            return None
        self.names: dict[str, Any] = {"__name__": "exercise", "__builtins__": __builtins__}
        try:
            with time_limit(self.seconds):
                exec(code, self.names)
        except BaseException as error:
            line = self.line_of(error)
            self.refuse(
                "cannot run", f"The file stops before the function is called: {self.said(error)}", line
            )
            return None
        function = self.names.get(name)
        if not callable(function):
            near = difflib.get_close_matches(name, [node.name for node in written], 1, 0.5)
            hint = f" Is it {near[0]!r}? Then rename it." if near else ""
            self.refuse("cannot run", f"There is no function {name!r} in the file.{hint}")
            return None
        self.program = Program(self.layout.source, FILE, self.names, name)
        found: Callable[..., Any] = function
        return found

    def said(self, error: BaseException) -> str:
        """Return what an error means, in a sentence."""
        return said(error, self.line_of(error), self.seconds)

    def judge(self, function: Callable[..., Any]) -> None:
        """Call the function on every case, and say what is wrong."""
        reference = Reference(self.exercise)
        calls: list[Called] = []
        left = self.seconds
        for case in reference.cases:
            start = time.monotonic()
            calls.append(call_within(max(left, 0.05), function, case, names=self.exercise.arguments))
            left -= time.monotonic() - start
            if len(calls) == 1 and self.sandbox is not None:  # later cases print the same again
                self.found["printed"] = self.sandbox.printed.text
            if isinstance(calls[-1].error, TimeUp | MemoryError | SystemExit):
                break
        replaced = self.sandbox.replaced() if self.sandbox else []
        if replaced:
            names = join(replaced[:3])
            self.refuse(
                "cannot run", f"The code replaces {names} by something of its own. Leave NumPy as it is."
            )
            return
        with redirect_stdout(StringIO()):  # what was printed is kept once
            self.report(reference, calls)

    def report(self, reference: Reference, calls: list[Called]) -> None:
        """Say what is right and wrong of the calls, and why."""
        self.rows(reference, calls)
        failed = next((row for row in self.found["rows"] if row["outcome"] == "wrong"), None)
        if failed is None:
            self.found |= {"state": "right", "headline": f"{self.exercise.name} is right.", "credit": 1.0}
            return
        self.found |= {"state": "wrong", "failed": failed["property"], "headline": failed["detail"]}
        if len(calls) < len(reference.cases) or isinstance(calls[-1].error, TimeUp | NotAllowed):
            line = self.line_of(calls[-1].error) if calls[-1].error else 0
            self.found |= {"line": line, "line_text": self.text_of(line)}
            return
        try:
            # Else the property alone is said
            with suppress(TimeUp, RecursionError), time_limit(3 * self.seconds):
                self.explain(Doctor(reference, self.program, calls).diagnose())
        except Exception as error:  # the learner gets a verdict all the same
            kind = type(error).__name__
            self.found["remarks"].append(
                f"The coach stopped while it looked for the line: {kind}, a fault of its own."
            )

    def rows(self, reference: Reference, calls: list[Called]) -> None:
        """Fill in the ladder of properties, and the credit."""
        detail: dict[str, str] = {}
        wrong: dict[str, Difference] = {}
        for number, done in enumerate(calls):
            if done.error is not None:
                words = self.said(done.error)
                detail.setdefault("runs", capitalized(words) if words[0].islower() else f"It stops: {words}")
                continue
            for one in compare(self.exercise.outputs, reference.expected[number], done.output):
                kind = OF_KIND.get(one.kind, "random values" if number else "worked case")
                detail.setdefault(kind, self.told(one, number, "worked case" in detail))
                wrong.setdefault(one.output, one)
                if one.kind == "dtype":
                    self.of_kind = "wrong dtype"
                elif one.kind == "type" and is_number(one.expected) and isinstance(one.got, list):
                    self.of_kind = "a list for an array"
            if done.modified and "arguments kept" not in detail:
                detail["arguments kept"] = _kept(done.modified)
        if not detail:
            again = self.again(calls)
            if again:
                detail["repeats"] = again
        if wrong and (measured := self.measured(reference, calls, wrong)):
            detail["slopes"] = measured
        first = min((PROPERTIES.index(name) for name in detail), default=len(PROPERTIES))
        for number, name in enumerate(PROPERTIES):
            if name == "slopes" and not hasattr(self.exercise.module, "measured"):
                continue
            outcome = (
                "wrong" if name in detail else "right" if number < first or name == "arguments kept" else ""
            )
            if "runs" in detail and name != "runs":
                outcome = outcome if outcome == "wrong" else ""
            self.found["rows"].append({"property": name, "outcome": outcome, "detail": detail.get(name, "")})
        self.credit(reference, calls, wrong, detail)

    def again(self, calls: list[Called]) -> str:
        """Return what is wrong if a second call of the same arguments gives something else."""
        done = call(self.names[self.exercise.name], self.exercise.cases()[1])
        if done.error is None and not compare(self.exercise.outputs, calls[1].output, done.output):
            return ""
        return (
            "The same arguments give another result the second time. Does something remember the first call?"
        )

    def told(self, one: Difference, number: int, is_known: bool) -> str:
        """Return what a difference is, theirs beside ours."""
        if one.kind in ("type", "shape"):
            wanted, came = kind_of_value(one.expected), kind_of_value(one.got)
            if one.where == WHOLE:
                names = f"({', '.join(self.exercise.outputs)})"
                return f"{self.exercise.name} should return {names}; it returns {came}."
            if one.got is None and one.where != one.output:
                return f"{one.where} is missing."
            forgot = " Is there a return?" if one.got is None else ""
            return f"{one.where} should be {wanted}; it is {came}.{forgot}"
        if one.kind == "dtype":
            return f"{one.where} should hold floats; its dtype is {np.asarray(one.got).dtype}."
        if one.output in ("cache", "caches", "layer_cache"):
            return f"{one.where} should hold {shown(one.expected)}, among others; it does not."
        pattern = relation(one.expected, one.got)
        how = f" It is {pattern}." if pattern else ""
        if number == 0:
            mine, ours = shown(one.got), shown(one.expected)
            return f"{one.where}: on the worked case yours is {mine}; it should be {ours}.{how}"
        place = _place(one.expected, one.got)
        seen = "" if is_known else "right on the worked case, but "
        return f"{one.where}: {seen}on other numbers {place}.{how}"

    def measured(self, reference: Reference, calls: list[Called], wrong: dict[str, Difference]) -> str:
        """Return the entry of a wrong slope that is farthest from the one that is measured."""
        if not hasattr(self.exercise.module, "measured"):
            return ""
        for number in range(len(calls) - 1, -1, -1):
            got, right = self.by_name(calls[number].output), self.by_name(reference.expected[number])
            for name, (array, function) in self.exercise.module.measured(*reference.cases[number]).items():
                mine = got.get(name)
                if name not in wrong or not is_number(mine) or np.shape(np.asarray(mine)) != array.shape:
                    continue
                gap = np.abs(np.nan_to_num(np.asarray(mine, float), nan=1e9) - right[name])
                for place in np.argsort(-gap, axis=None)[:MOST_MEASURED]:
                    at = tuple(int(i) for i in np.unravel_index(place, gap.shape))
                    step = np.zeros(array.shape)
                    step[at] = STEP
                    ahead, here, behind = (function(array + sign * step) for sign in (1, 0, -1))
                    # Of a relu, or of a largest number
                    has_bend = abs(ahead - 2 * here + behind) > 1e-3 * STEP
                    if gap[at] and not has_bend:
                        slope, yours = (ahead - behind) / (2 * STEP), float(np.asarray(mine)[at])
                        where = "other numbers" if number else "the worked case"
                        return f"On {where} the measured slope {name}{list(at)} is {slope:.6g}, yours {yours:.6g}."
        return ""

    def by_name(self, output: Any) -> dict[str, Any]:
        """Return outputs, and the entries of those that are dictionaries, by name; {} if their number is wrong."""
        names = self.exercise.outputs
        parts = [output] if len(names) == 1 else output
        if not isinstance(parts, list | tuple) or len(parts) != len(names):
            return {}
        found = dict(zip(names, parts, strict=True))
        return found | {key: one for part in parts if isinstance(part, dict) for key, one in part.items()}

    def credit(
        self, reference: Reference, calls: list[Called], wrong: dict[str, Difference], detail: dict[str, str]
    ) -> None:
        """Note how much of the exercise is right, with reasons."""
        if "runs" in detail:
            n_right = sum(done.error is None for done in calls)
            self.found["credit"] = 0.1 * n_right / len(reference.cases)
            self.found["reasons"] = [f"It runs on {n_right} of {len(reference.cases)} inputs: a tenth."]
            return
        expected = reference.expected[-1]
        parts = [expected] if len(self.exercise.outputs) == 1 else list(expected)
        names = [
            n for n, part in zip(self.exercise.outputs, parts, strict=True) if not isinstance(part, dict)
        ]
        names += [key for part in parts if isinstance(part, dict) for key in part if not key.startswith("dA")]
        if any(one.where == WHOLE for one in wrong.values()):
            wrong = dict.fromkeys(names, next(iter(wrong.values())))
        right = [name for name in names if name not in wrong]
        shaped = [name for name in names if name not in wrong or wrong[name].kind not in ("type", "shape")]
        points = 0.1 + 0.2 * len(shaped) / len(names) + 0.7 * len(right) / len(names)
        reasons = ["It runs: 10 %."]
        reasons += (
            [f"The right shape: {join(shaped)} ({len(shaped)} of {len(names)}, 20 %)."] if shaped else []
        )
        reasons += [f"The right values: {join(right)} ({len(right)} of {len(names)}, 70 %)."] if right else []
        if "arguments kept" in detail or "repeats" in detail:
            points -= 0.2
            reasons.append("It changes what is not its own, or its result: minus 20 %.")
        self.found |= {"credit": max(points, 0.0), "reasons": reasons}

    def explain(self, found: Diagnosis) -> None:
        """Note line and causes."""
        is_known = not self.of_kind or "integer division" in found.causes
        line = self.layout.line_of(found.line, found.column)
        other = self.layout.line_of(found.also, found.also_column)
        self.found |= {
            "line": line,
            "line_text": self.text_of(line),
            "other_line": other,
            "other_text": self.text_of(other),
            "causes": list(found.causes) if is_known else [self.of_kind],
            "variable": found.name,
            "value": "" if found.value is None else shown(found.value),
            "on_line": {name: kind_of_value(value) for name, value in found.on_line.items()},
        }

    def remark(self, caught: list[warnings.WarningMessage]) -> None:
        """Note what is worth saying of a right function, too."""
        remarks = self.found["remarks"]
        if self.sandbox is not None:
            self.found.setdefault("printed", self.sandbox.printed.text)
            if self.sandbox.blocked and self.found["state"] == "right":
                remarks.append(
                    f"The code {self.sandbox.blocked[0]}: that was not done, and no exercise needs it."
                )
        if self.found["state"] != "right":
            return
        words = sorted(
            {str(one.message).split(" encountered")[0] for one in caught if one.category is RuntimeWarning}
        )
        if words:
            remarks.append(f"NumPy warns: {join(words)}. The result is right all the same.")
        main = self.program.main
        loops = (
            [node.lineno for node in ast.walk(main) if isinstance(node, ast.For | ast.While)] if main else []
        )
        if loops and not self.exercise.has_loops:
            remarks.append(
                f"Line {loops[0]} loops; NumPy does the same for whole arrays at once, far faster."
            )


def said(error: BaseException, at: int, seconds: float) -> str:
    """Return what an error means, in a sentence: at which line, under a limit of so many seconds."""
    where = f" (line {at})" if at else ""
    if isinstance(error, TimeUp):
        return f"it did not end within {seconds:g} s{where}. Does a loop never end?"
    if isinstance(error, SystemExit):
        return f"it calls exit(){where}, which would end the coach. Return instead."
    if isinstance(error, NotAllowed):
        return f"{error}{where}, which no exercise needs; it was not done."
    if isinstance(error, KeyboardInterrupt):
        return f"it raises KeyboardInterrupt{where}, which is a person's Ctrl-C. Raise ValueError instead."
    if isinstance(error, MemoryError):
        return f"it asks for more memory than there is{where}. Are two shapes combined to a huge one?"
    if isinstance(error, RecursionError):
        return f"it calls itself without end{where}."
    if isinstance(error, EOFError):
        return f"it waits for input{where}. Take what you need from the arguments."
    text = " ".join(str(error).split())[:200].rstrip(".")
    return f"{type(error).__name__}{where}: {text}." if text else f"{type(error).__name__}{where}."


def _is_empty(function: ast.FunctionDef) -> bool:
    """Return whether a function has nothing but its docstring, ``...``, ``pass`` or NotImplementedError."""
    for node in function.body:
        is_words = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_open = isinstance(node, ast.Raise) and "NotImplemented" in ast.unparse(node)
        if not (is_words or is_open or isinstance(node, ast.Pass)):
            return False
    return True


def _kept(modified: list[str]) -> str:
    if modified == [STREAM]:
        return "It moves NumPy's own stream of random numbers, which belongs to the caller."
    names = join([repr(name) for name in modified if name != STREAM])
    return f"It changes its argument {names}, which belongs to the caller."


def _place(expected: Any, got: Any) -> str:
    """Return the entry at which two arrays differ most, theirs beside ours."""
    a, b = np.asarray(expected, float), np.asarray(got, float)
    if not a.ndim:
        return f"yours is {float(b):.6g}; it should be {float(a):.6g}"
    gap = np.abs(np.nan_to_num(b - a, nan=1e300, posinf=1e300, neginf=1e300))
    at = tuple(int(i) for i in np.unravel_index(np.argmax(gap), gap.shape))
    return f"entry {list(at)} is {b[at]:.6g}; it should be {a[at]:.6g}"


def main() -> None:
    """Read a job from standard input, and write the verdict's parts to standard output."""
    job = json.loads(sys.stdin.read())
    answers = os.fdopen(os.dup(1), "w")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a KeyboardInterrupt is the learner's from here on
    of = exercise(job["exercise"])
    sys.path.extend(job["folders"])
    sandbox = Sandbox()
    sandbox.close(job["seconds"])
    found = Examination(of, job["source"], job["seconds"], sandbox).run()
    answers.write(json.dumps(found, default=str))
    answers.flush()


if __name__ == "__main__":
    main()
