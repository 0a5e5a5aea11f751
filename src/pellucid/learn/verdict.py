"""What the coach says of one function."""

from dataclasses import dataclass
from typing import Any

from pellucid.learn.causes import explained
from pellucid.learn.exercise import Exercise
from pellucid.text import join, percent, plural
from pellucid.text_blocks import Block, InJson, Printable

MOST_LINES = 12  # of what was printed
HINTS = 2  # that are shown unless more are asked for
RIGHT, WRONG = "right", "wrong"


@dataclass(frozen=True, repr=False)
class Verdict(InJson, Printable):
    """What the coach says of one function: right, or what is wrong, where, and why.

    Attributes
    ----------
    exercise : str
    file : str
        The learner's; "" of a function that was handed over.
    state : {"right", "wrong", "not started", "cannot run"}
    headline : str
    failed : str
        The first property that fails: "runs", "result", "shape", "dtype", "worked case", "random values", "slopes",
        "repeats" or "arguments kept"; "" if none does.
    line : int
        In the learner's file; 0 where it is not known.
    line_text : str
    other_line : int
        Another line: a change of it alone makes the function right, too; 0 where none was found.
    causes : tuple of str
        By name; several where they cannot be told apart, or where one is the more general name of the fault.
    hints : tuple of str
        The property, the place, the cause, a number to work out; never the solution.
    credit : float
        From 0 to 1.
    reasons : tuple of str
        Of the credit.
    rows : tuple of dict
        The properties in their order, each with its outcome.
    remarks : tuple of str
        What is said, not failed.
    printed : str
        By the learner's code.
    seconds : float
    """

    in_json = (
        "exercise file state headline failed line line_text other_line causes "
        "hints credit reasons rows remarks printed"
    )

    exercise: str
    file: str
    state: str
    headline: str
    failed: str = ""
    line: int = 0
    line_text: str = ""
    other_line: int = 0
    causes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    credit: float = 0.0
    reasons: tuple[str, ...] = ()
    rows: tuple[dict[str, str], ...] = ()
    remarks: tuple[str, ...] = ()
    printed: str = ""
    seconds: float = 0.0
    n_hints: int = HINTS

    @property
    def is_right(self) -> bool:
        """Whether the function is right."""
        return self.state == RIGHT

    def __bool__(self) -> bool:
        return self.is_right

    def __repr__(self) -> str:
        return f"Verdict({self.exercise}: {self.state})"

    def blocks(self) -> list[Block]:
        """Return what is said, the hints as far as they are asked for."""
        so_far = f", {percent(self.credit)} of it there" if self.state == WRONG else ""
        told: list[Block] = [f"{self.exercise}: {self.state}{so_far}."]
        told += [self.headline] if self.state not in (RIGHT, WRONG) else []
        told += [*self.hints[: self.n_hints], *self.remarks, *self.printed_lines()]
        n_more, n = len(self.hints) - self.n_hints, self.n_hints + 1
        if n_more > 0:
            told.append(f"{plural(n_more, 'more hint')}: --hints {n}, in Python hints={n}.")
        return told

    def printed_lines(self) -> list[Block]:
        """Return what the learner's code printed, its beginning."""
        lines = self.printed.rstrip().splitlines()
        more = [f"... {len(lines) - MOST_LINES} more lines"] * (len(lines) > MOST_LINES)
        return ["It printed:", *(f"    {line}" for line in [*lines[:MOST_LINES], *more])] if lines else []


def verdict(of: Exercise, file: str, found: dict[str, Any], hints: int = HINTS) -> Verdict:
    """Return the verdict that an examination's parts make."""
    named = "failed", "line", "line_text", "other_line", "credit", "printed", "seconds"
    return Verdict(
        exercise=of.name,
        file=file,
        state=found["state"],
        headline=found["headline"],
        causes=tuple(found.get("causes", ())),
        hints=tuple(_hints(of, found)),
        reasons=tuple(found.get("reasons", ())),
        rows=tuple(found.get("rows", ())),
        remarks=tuple(found.get("remarks", ())),
        n_hints=hints,
        **{key: found[key] for key in named if key in found},
    )


def _hints(of: Exercise, found: dict[str, Any]) -> list[str]:
    """Return the ladder: the property, the place, the cause, a number of the learner's own."""
    if found["state"] != WRONG:
        return [f"Line {found['line']}: {found['line_text']}"] if found.get("line_text") else []
    ladder = [found["headline"]]
    line, text = found.get("line", 0), found.get("line_text", "")
    if line:
        stops_later = found.get("failed") == "runs" and f"(line {line})" not in found["headline"]
        other = found.get("other_line", 0)
        more = f" (or at line {other}, one of the two is enough: {found['other_text']})" if other else ""
        ladder.append(f"Look {'first ' * stops_later}at line {line}: {text}{more}")
    if causes := found.get("causes"):
        ladder.append(f"Why: {explained(*causes)}")
    name, value = found.get("variable", ""), found.get("value", "")
    numbers = [
        row["detail"] for row in found.get("rows", ()) if row["property"] == "slopes" and row["detail"]
    ]
    if line and value and name != "the result":
        words = (
            f"There {name} became {value}. Work one entry out by hand from the text's formula, and compare."
        )
        numbers.insert(0, words)
    elif line and found.get("on_line"):
        words = join([f"{name} is {kind}" for name, kind in found["on_line"].items()])
        numbers.insert(0, f"There {words}.")
    elif line and found.get("failed") != "runs":
        words = f"Print what line {line} makes on the worked case, and work one entry out by hand."
        numbers.insert(0, words)
    return [*ladder, " ".join(numbers)] if numbers else ladder
