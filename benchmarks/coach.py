"""How often the coach is right: of its own faults with a style left out, of two faults, of files by others.

    python -m benchmarks.coach                     the library: right function, line, cause; false alarms
    python -m benchmarks.coach --two               two faults at once: is the first line one of the two
    python -m benchmarks.coach --seconds           one check, and a check of all exercises
    python -m benchmarks.coach --unseen            files in benchmarks/unseen, by somebody who saw the
                                                   exercises alone: of the first set all misses were read
                                                   since, of the second those of two faults;
                                                   --unseen DIR: right_*.py, wrong_*.py, two_*.py that
                                                   begin with # cause: and # line:
    python -m benchmarks.coach --unseen --width 60 the same files as a formatter lays them out, in so many columns
    python -m benchmarks.coach relu --verbose      some exercises, with each that is missed; --quick: every sixth

A fault of the library is diagnosed without what is known of the correct program that it was made of: neither its
values nor its other faults. "left" counts those whose cause another program still has. The cause is right if the
coach names it, or one that is declared alike, among at most two.

Of files by others, it is right if one of the coach's causes is among the names that follow the line, as in
``# line: 10  # names: sign; factor missing``. In benchmarks/unseen readers who had not seen the coach's answers
gave them: every name of the coach's list whose sentence is true of the fault and points the learner at it. Where
none is, ``# names:`` stands alone, and no answer counts as right. Files without ``# names:`` count for the function
and the line alone.
"""

import argparse
import ast
import itertools
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.learn.causes import EXPLAINED, are_alike
from pellucid.learn.coach import check, check_folder
from pellucid.learn.diagnose import Diagnosis, Doctor
from pellucid.learn.exercise import BUILTIN, Exercise, Solution, exercise, name_in
from pellucid.learn.program import Program
from pellucid.learn.reference import Reference
from pellucid.learn.tracing import call
from pellucid.learn.verdict import Verdict
from pellucid.learn.write_files import start


def diagnose(of: Exercise, source: str, without: str) -> Diagnosis | None:
    """Return what the coach finds in a program, without a style that it knows; None if the program is right."""
    reference = Reference(of, without)
    names = dict(vars(of.module))
    exec(compile(source, "<learner>", "exec"), names)
    with redirect_stdout(StringIO()):
        calls = [call(names[of.name], case, names=of.arguments) for case in reference.cases]
        if not any(reference.wrong(number, done) for number, done in enumerate(calls)):
            return None
        return Doctor(reference, Program(source, "<learner>", names, of.name), calls).diagnose()


def library(names: list[str], is_verbose: bool) -> None:
    """Print how the coach does on the library's faults, each without the style that it was made of."""
    total = Counter[str]()
    print(f"{'exercise':28} {'faults':>6} {'found':>6} {'line':>6} {'left':>6} {'cause':>6} {'seconds':>8}")
    for name in names:
        of, count, seconds = exercise(name), Counter[str](), []
        for fault in of.faults:
            began = time.monotonic()
            found = diagnose(of, fault.source, fault.style)
            seconds.append(time.monotonic() - began)
            count["faults"] += 1
            if found is None:
                print(f"    not found: {name} {fault.style}: {fault.cause}")
                continue
            alike = any(are_alike(cause, fault.cause) for cause in found.causes)
            is_left = any(one.cause == fault.cause and one.style != fault.style for one in of.faults)
            line = found.line == fault.line
            hits = {"found": True, "line": line, "left": is_left, "cause": is_left and alike}
            count.update(key for key, hit in hits.items() if hit)
            if is_verbose and not (hits["line"] and alike):
                text = fault.source.splitlines()[fault.line - 1].strip()
                print(f"    {fault.style}, line {fault.line}: {text}")
                print(f"        {fault.cause}; said: {found.line}, {found.causes}")
        total += count
        shown = " ".join(f"{count[key]:6}" for key in ("faults", "found", "line", "left", "cause"))
        print(f"{name:28} {shown} {statistics.mean(seconds):8.2f}")
    n = total["faults"]
    cause = f"cause {total['cause'] / max(total['left'], 1):.1%} of {total['left']} that are left"
    print(f"of {n}: found {total['found'] / n:.1%}, line {total['line'] / n:.1%}, {cause}")


def pairs(of: Exercise, generator: random.Random) -> Iterator[tuple[str, list[Solution]]]:
    """Yield programs with two faults of one style, on different lines."""
    styles: dict[str, list[Solution]] = {}
    for fault in of.faults:
        styles.setdefault(fault.style, []).append(fault)
    for style, faults in styles.items():
        right = next(one.source for one in of.solutions if one.style == style).splitlines()
        chosen = list(itertools.combinations(faults, 2))
        for one, two in generator.sample(chosen, min(6, len(chosen))):
            a, b = one.source.splitlines(), two.source.splitlines()
            if one.line != two.line and len(a) == len(b) == len(right):
                lines = [y if x == z else x for x, y, z in zip(a, b, right, strict=True)]
                yield "\n".join(lines) + "\n", [one, two]


def two_faults(names: list[str], is_verbose: bool) -> None:
    """Print how often the line of one of two faults is named."""
    generator, count = random.Random(1), Counter[str]()
    for name in names:
        of = exercise(name)
        for source, faults in pairs(of, generator):
            found = diagnose(of, source, faults[0].style)
            if found is not None:
                lines = sorted(fault.line for fault in faults)
                count["programs"] += 1
                count["first"] += found.line == lines[0]
                count["either"] += found.line in lines
                if is_verbose and found.line not in lines:
                    print(name, faults[0].style, lines, found.line)
    n = count["programs"]
    print(
        f"two faults, {n} programs: the first line {count['first'] / n:.1%}, one of both {count['either'] / n:.1%}"
    )


def unpacked(folder: Path, into: Path) -> Path:
    """Write the files that texts hold, a text an exercise, each file after a line ``=== NAME``."""
    for path in folder.glob("*.txt"):
        (into / path.stem).mkdir()
        for part in path.read_text(encoding="utf-8").split("=== ")[1:]:
            name, _, code = part.partition("\n")
            (into / path.stem / name).write_text(code, encoding="utf-8")
    return into if any(into.iterdir()) else folder


def lines_of(source: str) -> list[set[int]]:
    """Return the lines of each statement of a program; of a loop, a condition or a function, those of its head."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            found.append({*range(node.lineno, body[0].lineno if body else 1 + (node.end_lineno or 0))})
    return found


def lay_out(folder: Path, width: int) -> dict[Path, dict[int, set[int]]]:
    """Format the files of a folder, and return for each one the lines at which the statement of a line is now."""
    before = {path: path.read_text(encoding="utf-8") for path in folder.glob("*/*.py")}
    subprocess.run(
        [sys.executable, "-m", "ruff", "format", "-q", "--isolated", f"--line-length={width}", folder],
        check=True,
    )
    found: dict[Path, dict[int, set[int]]] = {}
    for path, source in before.items():
        now = path.read_text(encoding="utf-8")
        pairs = zip(lines_of(source), lines_of(now), strict=True)
        found[path] = {line: after for lines, after in pairs for line in lines}
    return found


def unseen(folder: Path, names: list[str], is_verbose: bool, width: int = 0) -> Counter[str]:
    """Print how the coach does on files that others wrote; with a width, as a formatter lays them out.

    Returns
    -------
    Counter
        How many files of a kind there are, "wrong"; and how many were right in something, "wrong line".
    """
    print(f"{folder.name}{f', at most {width} columns' if width else ''}:")
    with tempfile.TemporaryDirectory() as into:
        files = unpacked(folder, Path(into))
        if width and files == folder:
            files = Path(shutil.copytree(folder, Path(into) / "copy"))
        return _unseen(files, names, is_verbose, lay_out(files, width) if width else {})


def _unseen(
    folder: Path, names: list[str], is_verbose: bool, moved: dict[Path, dict[int, set[int]]]
) -> Counter[str]:
    jobs = []
    for path in sorted(folder.glob("*/*.py")):
        name = name_in(path.parent.name)
        if name in names and path.name.split("_")[0] in ("right", "wrong", "two"):
            jobs.append((name, path))
    count = Counter[str]()
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda job: check(job[1], job[0]), jobs))
    for (_, path), verdict in zip(jobs, verdicts, strict=True):
        tell(path, verdict, count, is_verbose, moved.get(path, {}))
    for kind in ("right", "wrong", "two"):
        if n := count[kind]:
            keys = [key for key in sorted(count) if key.startswith(f"{kind} ")]
            shares = [f"{key.split()[1]} {count[key] / n:.1%}" for key in keys]
            if kind == "wrong" and (named := count["named"]):
                shares.append(f"cause {count['cause'] / named:.1%} of {named} with names")
            print(f"{kind}: {n} files", ", ".join(shares))
    return count


def tell(
    path: Path, verdict: Verdict, count: Counter[str], is_verbose: bool, moved: dict[int, set[int]]
) -> None:
    """Count a verdict, and print what was missed; a line counts where its statement was moved to."""
    kind, text = path.name.split("_")[0], path.read_text(encoding="utf-8")
    count[kind] += 1
    where = f"{path.parent.name}/{path.name}"
    if kind == "right":
        count["right passed"] += verdict.is_right
        if not verdict.is_right:
            print(f"    false alarm: {where}: {verdict.headline}")
        return
    places = [part.strip() for found in re.findall(r"# line: ([^#\n]*)", text) for part in found.split(";")]
    named_lines = [[int(number) for number in re.findall(r"\d+", part)] for part in places]
    lines = [{now for line in some for now in moved.get(line, {line})} for some in named_lines]
    hits = {"found": verdict.state == "wrong", "line": bool(lines) and verdict.line in lines[0]}
    if kind == "two":
        hits = {
            "found": hits["found"],
            "first": hits["line"],
            "either": any(verdict.line in one for one in lines),
        }
    count.update(f"{kind} {key}" for key, hit in hits.items() if hit)
    if kind == "wrong" and (named := re.search(r"# names:(.*)", text)):
        names = {name.strip() for name in named[1].split(";")} - {""}
        if unknown := names - EXPLAINED.keys():
            raise ValueError(f"{where}: no cause of these names: {sorted(unknown)}")
        hits["cause"] = not names.isdisjoint(verdict.causes)
        count["named"] += 1
        count["cause"] += hits["cause"]
    if is_verbose or not hits["found"]:
        marks = " ".join(f"{key} {'+' if hit else '-'}" for key, hit in hits.items())
        causes = "; ".join(re.findall(r"# cause: (.*)", text))
        said = f"{verdict.line} {', '.join(verdict.causes) or '-'}"
        print(f"    {where}: {marks} | {places} {causes} | {said}")


def seconds() -> None:
    """Print how long one check takes, and that of all exercises, on wrong functions."""
    with tempfile.TemporaryDirectory() as folder:
        start(folder)
        singles = []
        for name in BUILTIN:
            of = exercise(name)
            path = Path(folder) / of.file_name
            path.write_text("import copy\n" + of.start.partition("\ndef ")[0] + "\n" + of.faults[0].source)
            began = time.monotonic()
            check(path)
            singles.append(time.monotonic() - began)
        began = time.monotonic()
        verdicts = list(check_folder(folder))
        whole = time.monotonic() - began
    print(f"one check: median {statistics.median(singles):.2f} s, longest {max(singles):.2f} s")
    print(f"all {len(verdicts)} exercises, each wrong: {whole:.1f} s")


def main(argv: list[str] | None = None) -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("exercises", nargs="*", default=list(BUILTIN))
    sets = [Path(__file__).parent / "unseen" / name for name in ("first", "second")]
    parser.add_argument("--unseen", type=Path, nargs="*", metavar="DIR")
    parser.add_argument("--width", type=int, default=0, metavar="COLUMNS")
    parser.add_argument("--two", action="store_true")
    parser.add_argument("--seconds", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--quick", action="store_true", help="every sixth exercise")
    options: Any = parser.parse_args(argv)
    options.exercises = options.exercises[:: 6 if options.quick else 1]
    np.seterr(all="ignore")
    if options.seconds:
        seconds()
    elif options.unseen is not None:
        for folder in options.unseen or sets:
            unseen(folder, options.exercises, options.verbose, options.width)
    elif options.two:
        two_faults(options.exercises, options.verbose)
    else:
        library(options.exercises, options.verbose)


if __name__ == "__main__":
    main()
