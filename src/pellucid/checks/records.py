"""What the data doctor hands back: samples, findings, leaks and the score of a constant answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pellucid.checks.words import ADVICE, WHY

# stage, how much of it is done, how much there is: told while a check runs
ProgressCallback = Callable[[str, int, int], None]


def no_progress(stage: str, done: int, total: int) -> None:
    """Report progress to nobody."""


class Names(NamedTuple):
    """What the samples of each part are called where they come from: files of a folder, rows of a table."""

    train: Sequence[str] = ()
    test: Sequence[str] = ()


class Leak(NamedTuple):
    """A test sample that is in the training part too."""

    test: int  # index in the test part
    train: int  # index in the training part
    kind: str  # "exact": the same bytes; "near": the same picture, resized, re-encoded or brightened


class Pair(NamedTuple):
    """Two pictures that are one."""

    first: int
    second: int
    kind: str  # "exact" or "near"
    similarity: float  # 1 for the same bytes; otherwise how far their edges agree, below 1


@dataclass(frozen=True)
class Sample:
    """One sample of a finding.

    Attributes
    ----------
    part : str
        "train" or "test"; of a file that could not be read, where it lies, or "" before the parts are drawn.
    index : int or None
        In that part, counted from 0; None for a file that could not be read.
    label : str
        The name of its class, or "".
    name : str
        Its file below the folder, or its row in the table; "" where it has none.
    """

    part: str
    index: int | None
    label: str = ""
    name: str = ""

    def __str__(self) -> str:
        place = self.part if self.index is None else f"{self.part} {self.index}"
        first, *more = [word for word in (self.name, place, self.label) if word] or ["a sample"]
        return f"{first} ({', '.join(more)})" if more else first

    def to_dict(self) -> dict[str, Any]:
        """Return the sample as JSON can hold it."""
        return {"part": self.part, "index": self.index, "label": self.label, "name": self.name}


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor found.

    Attributes
    ----------
    kind : str
        A key of :data:`pellucid.checks.words.TITLES`.
    found : str
        What was found, in a sentence.
    samples : tuple of Sample
        Which ones; none where the finding is about a whole part or a column.
    n_samples : int
        How many there are in all: of a very long list only the first are kept.
    """

    kind: str
    found: str
    samples: tuple[Sample, ...] = ()
    n_samples: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_samples", max(self.n_samples, len(self.samples)))

    @property
    def why(self) -> str:
        """Why it matters."""
        return WHY[self.kind]

    @property
    def advice(self) -> str:
        """What to try."""
        return ADVICE[self.kind]

    @property
    def words(self) -> str:
        """What was found, why it matters, and what to try."""
        return f"{self.found} {self.why} {self.advice}"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON can hold it."""
        return {
            "kind": self.kind,
            "words": self.words,
            "found": self.found,
            "why": self.why,
            "advice": self.advice,
            "n_samples": self.n_samples,
            "samples": [sample.to_dict() for sample in self.samples],
        }


@dataclass(frozen=True)
class ConstantScore:
    """What answering one class every time scores on the test part.

    Attributes
    ----------
    answer : str
        The class.
    n_correct, n_samples : int
    interval : tuple of float
        95 % interval of the accuracy, by Wilson's method (1927).
    """

    answer: str
    n_correct: int
    n_samples: int
    interval: tuple[float, float]

    @property
    def accuracy(self) -> float:
        """The share that it gets right."""
        return self.n_correct / self.n_samples

    def to_dict(self) -> dict[str, Any]:
        """Return the score as JSON can hold it."""
        return {
            "class": self.answer,
            "n_correct": self.n_correct,
            "n_samples": self.n_samples,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
        }


@dataclass(frozen=True)
class Homogeneity:
    """Whether both parts hold the classes in the same shares.

    Attributes
    ----------
    method : str
        "chi-squared", "Fisher's exact", or "permutation".
    statistic : float or None
        Pearson's chi-squared; None for Fisher's test.
    p_value : float
        How often two parts drawn from one pool would differ at least as much.
    distance : float
        Half the sum of the differences between the shares: 0 for the same shares, 1 for no class in common.
    """

    method: str
    statistic: float | None
    p_value: float
    distance: float
