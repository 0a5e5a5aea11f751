"""What a report says of test samples that are in the training part too."""

from collections.abc import Sequence

import numpy as np

from pellucid.data.copies.duplicates import Leak
from pellucid.runs.run import Run
from pellucid.shares import share

MOST_NAMED = 5
_NEARLY = {"exact": "", "near": "nearly "}


def leaks(run: Run) -> str:
    """Return which test samples are training samples too, and the score without them."""
    noun = run.noun
    twins = {leak.test: leak for leak in reversed(run.leaks)}  # of several, the first
    if not twins:
        return f"No test {noun} is in the training part."
    rows = sorted(twins)
    named = "; ".join(
        f"{run.split.place('test', row)} is {_NEARLY[twins[row].kind]}"
        f"{run.split.place('training', twins[row].train)}"
        for row in rows[:MOST_NAMED]
    )
    more = f"; and {len(rows) - MOST_NAMED:,} more" if len(rows) > MOST_NAMED else ""
    exact = ", number for number" if all(leak.kind == "exact" for leak in twins.values()) else ""
    words = f"Leak: {named}{more}{exact}, {_seen(run, list(twins.values()))}."
    if run.kind == "regression":
        return words
    kept = np.delete(run.test_predictions.is_correct, rows)
    if not len(kept):
        return words
    n_right = int(kept.sum())
    return words + (
        f" Accuracy without {'it' if len(rows) == 1 else 'them'}: {share(n_right / len(kept), len(kept))} "
        f"({n_right:,}/{len(kept):,})."
    )


def _seen(run: Run, twins: Sequence[Leak]) -> str:
    """Return what the network has seen of copies: in a table, the same columns may come with other targets."""
    train, test = run.split.train.y, run.split.test.y
    n_same = sum(np.array_equal(test[twin.test], train[twin.train]) for twin in twins)
    if n_same == len(twins):
        return "so the network has seen the answer"
    what = "target" if run.kind == "regression" else "class"
    if not n_same:
        return f"but with another {what}"
    return f"with the same {what} in {n_same:,} of {len(twins):,}, so the network has seen the answer there"
