"""From what was measured to findings in words, each with its samples."""

from collections import defaultdict
from typing import Any

import numpy as np

from pellucid.checks.classes import called
from pellucid.checks.copies import MOST_COPIES, Copies, Distinct, components
from pellucid.checks.images import odd_pictures
from pellucid.checks.pixels import Scale
from pellucid.checks.records import Finding, Leak, Names, Pair, ProgressCallback, Sample
from pellucid.checks.rows import constant_columns, far_values, missing_values
from pellucid.data.dataset import Split
from pellucid.text import printable

_MOST_NAMED = 50  # samples of one finding that are kept


def sample_of(split: Split, names: Names, part: str, row: int) -> Sample:
    """Return how a sample is called."""
    data = split.train if part == "train" else split.test
    listed = names.train if part == "train" else names.test
    label = data.y[row]
    if data.y.ndim == 2:
        words = "+".join(called(split, int(i)) for i in np.flatnonzero(label)) or "none"
    elif data.y.dtype.kind == "f":
        words = f"{label:.4g}"
    else:
        words = called(split, int(label))
    return Sample(part, int(row), words, printable(listed[row]) if len(listed) else "")


def place_of(split: Split, row: int) -> tuple[str, int]:
    """Return the part and the index there of a row counted over both parts."""
    n_train = len(split.train)
    return ("train", row) if row < n_train else ("test", row - n_train)


def copy_findings(split: Split, names: Names, copies: Copies, leaks: list[Leak]) -> list[Finding]:
    """Return the findings on copies: leaks, conflicts, and copies within each part."""

    def sample(part: str, row: int) -> Sample:
        return sample_of(split, names, part, row)

    by_test: dict[int, list[Leak]] = defaultdict(list)
    for leak in leaks:
        by_test[leak.test].append(leak)
    found = []
    for row, its in by_test.items():
        samples = (sample("test", row), *(sample("train", leak.train) for leak in its))
        same = "the same as" if its[0].kind == "exact" else "nearly the same as"
        more = f" and {len(its) - 1} more" if len(its) > 1 else ""
        found.append(Finding("leak", f"{samples[0]} is {same} {samples[1]}{more}.", samples))
    found += _conflicts(split, names, copies)
    for part, members, near in (
        ("train", copies.train, copies.within_train),
        ("test", copies.test, copies.within_test),
    ):
        for rows in members.members:
            if len(rows) > 1:
                samples = tuple(sample(part, row) for row in rows[:MOST_COPIES])
                text = (
                    f"{samples[0]} is there {len(rows)} times: again as {samples[1]}{_more(len(rows) - 2)}."
                )
                found.append(Finding("duplicate", text, samples, len(rows)))
        found += [_near_group(group, members, part, sample) for group in _near_groups(members, near)]
    return found


def _more(n: int) -> str:
    return f" and {n} more" if n > 0 else ""


def _near_groups(members: Distinct, near: list[Pair]) -> list[list[int]]:
    return components(len(members.members), [(pair.first, pair.second) for pair in near])


def _near_group(group: list[int], members: Distinct, part: str, sample: Any) -> Finding:
    rows = [members.members[i][0] for i in group]
    samples = tuple(sample(part, row) for row in rows[:MOST_COPIES])
    text = f"{samples[0]} is nearly the same as {samples[1]}{_more(len(rows) - 2)}."
    return Finding("near_duplicate", text, samples, len(rows))


def _conflicts(split: Split, names: Names, copies: Copies) -> list[Finding]:
    """Return the groups of copies, over both parts, that bear more than one label."""
    if split.train.y.dtype.kind == "f":  # two measurements of one thing may differ
        return []
    n = len(copies.train.members)
    links = [(pair.first, pair.second) for pair in copies.within_train]
    links += [(n + pair.first, n + pair.second) for pair in copies.within_test]
    links += [(n + pair.first, pair.second) for pair in copies.across]
    everybody = [("train", rows) for rows in copies.train.members] + [
        ("test", r) for r in copies.test.members
    ]
    linked = components(len(everybody), links)
    grouped = {i for group in linked for i in group}
    alone = [[i] for i in range(len(everybody)) if i not in grouped and len(everybody[i][1]) > 1]
    found = []
    for group in (*linked, *alone):
        places = [(part, row) for i in group for part, rows in (everybody[i],) for row in rows]
        labels = [_label(split, part, row) for part, row in places]
        if len(set(labels)) > 1:
            other = next(i for i, label in enumerate(labels) if label != labels[0])
            places.insert(1, places.pop(other))  # so that the first two differ
            samples = tuple(sample_of(split, names, part, row) for part, row in places[:MOST_COPIES])
            text = f"{samples[0]} and {samples[1]} are one sample{_more(len(places) - 2)}."
            found.append(Finding("conflict", text, samples, len(places)))
    return found


def _label(split: Split, part: str, row: int) -> Any:
    label = (split.train if part == "train" else split.test).y[row]
    return tuple(label.tolist()) if label.ndim else int(label)


def picture_findings(
    split: Split, names: Names, before: list[Finding], progress: ProgressCallback
) -> list[Finding]:
    """Return the findings on single pictures; grey files that were told ``before`` are not told again."""
    grey = {sample.name for finding in before if finding.kind == "mode" for sample in finding.samples} - {""}
    found, alike = _missing(split, names), []
    parts = (split.train.X, split.test.X)
    for odd in odd_pictures(parts, Scale(*parts), progress):
        sample = sample_of(split, names, *place_of(split, odd.row))
        if odd.kind == "mode":
            alike += [sample] if sample.name not in grey else []
        else:
            found.append(Finding(odd.kind, f"{sample} {odd.found}", (sample,)))
    if alike:
        found.append(_grey(alike, len(split.train) + len(split.test)))
    return found


def _grey(samples: list[Sample], m: int) -> Finding:
    shares = []
    for label in dict.fromkeys(sample.label for sample in samples):
        shares.append(f"{sum(sample.label == label for sample in samples)} {label}")
    are = "is" if len(samples) == 1 else "are"
    text = f"{len(samples)} of {m} pictures {are} grey, the others coloured ({', '.join(shares)})."
    return Finding("mode", text, tuple(samples[:_MOST_NAMED]), len(samples))


def row_findings(split: Split, names: Names) -> list[Finding]:
    """Return the findings on rows of numbers; of other shapes only those on missing values."""
    found = _missing(split, names)
    if isinstance(split.train.X, dict) or split.train.X.ndim != 2:
        return found
    constant = constant_columns(split)
    found += [constant] if constant else []
    for far in far_values(split):
        sample = sample_of(split, names, *place_of(split, far.row))
        found.append(Finding("outlier", f"{sample} {far.found}", (sample,)))
    return found


def _missing(split: Split, names: Names) -> list[Finding]:
    found = []
    for part, data in (("train", split.train), ("test", split.test)):
        rows = np.flatnonzero(missing_values(data.X))
        if len(rows):
            samples = tuple(sample_of(split, names, part, int(row)) for row in rows[:_MOST_NAMED])
            text = (
                f"{len(rows)} of {len(data)} {part} samples hold NaN or infinities, the first {samples[0]}."
            )
            found.append(Finding("missing_values", text, samples, len(rows)))
    return found
