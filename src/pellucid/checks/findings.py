"""The results of a check: findings, the samples they concern, and findings on copies."""

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pellucid.checks.kinds import KINDS, Kind
from pellucid.data.copies.duplicates import MOST_COPIES, Copies, Leak, components
from pellucid.data.dataset import Split
from pellucid.text import printable
from pellucid.text_blocks import InJson

MOST_NAMED = 50  # samples of one finding that are kept


@dataclass(frozen=True)
class Sample:
    """One sample of a finding.

    Attributes
    ----------
    part : str
        "train" or "test"; for a file that could not be read, its part, or "" before the parts are drawn.
    index : int or None
        In that part, counted from 0; None for a file that could not be read.
    label : str
        The name of its class, or "".
    name : str
        Its file in the folder, or its row in the table; "" where it has none.
    """

    part: str
    index: int | None
    label: str = ""
    name: str = ""

    def __str__(self) -> str:
        place = self.part if self.index is None else f"{self.part} {self.index}"
        first, *more = [word for word in (self.name, place, self.label) if word] or ["a sample"]
        return f"{first} ({', '.join(more)})" if more else first


@dataclass(frozen=True)
class Finding(InJson):
    """A problem in the data.

    Attributes
    ----------
    kind : str
        A key of :data:`pellucid.checks.kinds.KINDS`.
    found : str
        What was found, in a sentence.
    samples : tuple of Sample
        The samples concerned; none where the finding is about a whole part or a column.
    n_samples : int
        The total number: only the first samples of a very long list are kept.
    how : str
        Of a copy, how the second sample differs from the first: "exact", "near", "mirrored and cropped" ...
    """

    kind: str
    found: str
    samples: tuple[Sample, ...] = ()
    n_samples: int = 0
    how: str = ""

    in_json = "kind found why=about.why advice=about.advice n_samples samples"

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_samples", max(self.n_samples, len(self.samples)))

    @property
    def about(self) -> Kind:
        """What such findings mean, and what helps."""
        return KINDS[self.kind]

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as a JSON-serializable dictionary; how copies were found only where it is said."""
        return super().to_dict() | ({"how": self.how} if self.how else {})


def sample_of(split: Split, part: str, row: int) -> Sample:
    """Return the name of a sample."""
    data = split.train if part == "train" else split.test
    label = data.y[row]
    if data.y.ndim == 2:
        words = "+".join(called(split, int(i)) for i in np.flatnonzero(label)) or "none"
    elif data.y.dtype.kind == "f":
        words = f"{label:.4g}"
    else:
        words = called(split, int(label))
    return Sample(part, int(row), words, printable(data.file(row)))


def called(split: Split, label: int) -> str:
    """Return the name of a class, or its number."""
    return printable(split.classes[label]) if label < len(split.classes) else str(label)


def copy_findings(split: Split, copies: Copies, leaks: list[Leak]) -> list[Finding]:
    """Return the findings on copies: leaks, conflicts, and copies within each part."""

    sample = partial(sample_of, split)
    by_test: dict[int, list[Leak]] = defaultdict(list)
    for leak in leaks:
        by_test[leak.test].append(leak)
    found = []
    for row, its in by_test.items():
        samples = (sample("test", row), *(sample("train", leak.train) for leak in its))
        text = f"{samples[0]} is {alike(f'{samples[1]}{_more(len(its) - 1)}', its[0].kind)}."
        found.append(Finding("leak", text, samples, how=its[0].kind))
    found += (conflicts := _conflicts(split, copies))
    in_conflict = {(sample.part, sample.index) for one in conflicts for sample in one.samples}
    for part, members, near in (
        ("train", copies.train, copies.within_train),
        ("test", copies.test, copies.within_test),
    ):
        groups_near = components(len(members.members), [(pair.first, pair.second) for pair in near])
        firsts = [rows[0] for rows in members.members]
        hows = {(firsts[pair.first], firsts[pair.second]): pair.kind for pair in near}
        groups = [("duplicate", rows) for rows in members.members if len(rows) > 1]
        groups += [("near_duplicate", [firsts[i] for i in group]) for group in groups_near]
        for kind, rows in groups:
            if all((part, row) in in_conflict for row in rows):  # said already
                continue
            samples = tuple(sample(part, row) for row in rows[:MOST_COPIES])
            how = "exact" if kind == "duplicate" else hows.get((rows[0], rows[1]), "near")
            others = f"{samples[1]}{_more(len(rows) - 2)}"
            times = "twice" if len(rows) == 2 else f"{len(rows)} times"
            same = f"appears {times}, also as {others}" if how == "exact" else f"is {alike(others, how)}"
            text = f"{samples[0]} {same}."
            found.append(Finding(kind, text, samples, len(rows), how))
    return found


def alike(other: object, how: str) -> str:
    """Return in words how a sample is like another one; which of the two was changed, nobody can tell.

    Examples
    --------
    >>> alike("b.jpg", "near"), alike("b.jpg", "mirrored and cropped")
    ('nearly the same as b.jpg', 'the same picture as b.jpg, one of them mirrored and cropped')
    """
    known = {"exact": f"the same as {other}", "near": f"nearly the same as {other}"}
    return known.get(how, f"the same picture as {other}, one of them {how}")


def _more(n: int) -> str:
    return f" and {n} more" if n > 0 else ""


def _conflicts(split: Split, copies: Copies) -> list[Finding]:
    """Return the groups of copies, over both parts, that have more than one label."""
    if split.train.y.dtype.kind == "f":  # two measurements of one sample may differ
        return []
    n = len(copies.train.members)
    links = [(pair.first, pair.second) for pair in copies.within_train]
    links += [(n + pair.first, n + pair.second) for pair in copies.within_test]
    links += [(n + pair.first, pair.second) for pair in copies.across]
    groups = [("train", rows) for rows in copies.train.members] + [("test", r) for r in copies.test.members]
    linked = components(len(groups), links)
    grouped = {i for group in linked for i in group}
    alone = [[i] for i in range(len(groups)) if i not in grouped and len(groups[i][1]) > 1]
    found = []
    for group in (*linked, *alone):
        places = [(part, row) for i in group for part, rows in (groups[i],) for row in rows]
        labels = [_label(split, part, row) for part, row in places]
        if len(set(labels)) > 1:
            other = next(i for i, label in enumerate(labels) if label != labels[0])
            places.insert(1, places.pop(other))  # so that the first two differ
            samples = tuple(sample_of(split, part, row) for part, row in places[:MOST_COPIES])
            both = f"{samples[0]} and {samples[1]}{_more(len(places) - 2)}"
            text = f"{both} are the same {split.noun}, filed under different classes."
            found.append(Finding("conflict", text, samples, len(places)))
    return found


def _label(split: Split, part: str, row: int) -> Any:
    label = (split.train if part == "train" else split.test).y[row]
    return tuple(label.tolist()) if label.ndim else int(label)
