"""What a report says of test samples that are in the training part too."""

import numpy as np

from pellucid.runs.run import Run
from pellucid.shares import share
from pellucid.text import join_some

MOST_NAMED = 5


def leaks(run: Run) -> str:
    """Return which test samples are training samples too, how many with the same target, and the score without.

    In a table, the same columns may come with other targets: then the network has not seen the answer.
    """
    twins = {leak.test: leak for leak in reversed(run.leaks)}  # of several, the first
    if not twins:
        return f"No test {run.noun} is in the training part."
    nearly = {"exact": "", "near": "nearly "}
    named = [
        f"{run.split.place('test', row)} is {nearly[leak.kind]}{run.split.place('training', leak.train)}"
        for row, leak in sorted(twins.items())
    ]
    train, test = run.split.train.y, run.split.test.y
    n_same = sum(np.array_equal(test[twin.test], train[twin.train]) for twin in twins.values())
    what = "target" if run.kind == "regression" else "class"
    words = f"Leak: {join_some(named, most=MOST_NAMED)} (same {what} in {n_same:,} of {len(twins):,})."
    if run.kind == "regression" or len(twins) == len(test):
        return words
    kept = np.delete(run.test_predictions.is_correct, list(twins))
    n_right = int(kept.sum())
    return f"{words} Accuracy without: {share(n_right / len(kept), len(kept))} ({n_right:,}/{len(kept):,})."
