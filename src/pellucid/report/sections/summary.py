"""What a report says first: in plain language, for somebody who reads nothing else."""

from collections.abc import Sequence

import numpy as np

from pellucid.evaluation.scores.confusion import ConfusionMatrix
from pellucid.evaluation.scores.of_run import RunResult
from pellucid.stats.intervals import wilson_interval
from pellucid.stats.paired import mcnemar
from pellucid.text import percent
from pellucid.types import Array

CHANCE = 0.05  # p values from here on are told as "chance may explain it"
MOST_NAMED = 5  # leaks
_NEARLY = {"exact": "", "near": "nearly "}


def summary(result: RunResult) -> tuple[str, ...]:
    """Return the first paragraphs: what was done, how good it is, what it gets wrong, whether the data leaks."""
    told = [_what_was_done(result), _how_good(result), _beside_one_answer(result)]
    told += [_what_goes_wrong(result.test, result.thing), _learned_by_heart(result), _leaks(result)]
    if not result.history.is_complete:
        told.append(f"The training was stopped early, after {result.history.n_steps:,} steps.")
    return (*told, *result.notes)


def facts(result: RunResult) -> tuple[tuple[str, str | int | float], ...]:
    """Return the numbers that stand under the summary."""
    history, test = result.history, result.test
    return (
        ("Test accuracy", percent(test.accuracy)),
        ("95 % interval", interval(test.n_correct, test.n_samples)),
        ("Balanced accuracy", percent(test.balanced_accuracy)),
        ("Training accuracy", percent(result.train.accuracy)),
        ("Always the commonest class", percent(test.baseline)),
        ("Last cost", f"{history.losses[-1]:.4f}" if history.losses else "none"),
        ("Steps", history.n_steps),
        ("Training time", f"{history.seconds:.2f} s"),
        ("Parameters", result.model.theta.size),
    )


def interval(n_correct: int, n: int) -> str:
    """Return Wilson's interval in words.

    Examples
    --------
    >>> interval(40, 50)
    '67 % to 89 %'
    """
    low, high = wilson_interval(n_correct, n)
    return f"{percent(low)} to {percent(high)}"


def count(n: int, word: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> count(1, "photo"), count(1200, "photo"), count(2, "class")
    ('1 photo', '1,200 photos', '2 classes')
    """
    return f"{n:,} {word}" + ("" if n == 1 else "es" if word.endswith("s") else "s")


def _what_was_done(result: RunResult) -> str:
    names = result.split.classes
    quoted = [f"“{name}”" for name in names]
    told = f"{len(names)} classes apart"
    if len(names) < 4:
        told = " from ".join(quoted) if len(names) == 2 else f"{_listed(quoted)} apart"
    times = count(result.history.n_steps, "step")
    return (
        f"A network of {result.model.theta.size:,} parameters was trained on "
        f"{count(result.train.n_samples, result.thing)} to tell {told}; it took {times} of gradient descent."
    )


def _how_good(result: RunResult) -> str:
    test = result.test
    low, high = wilson_interval(test.n_correct, test.n_samples)
    width = high - low
    doubt = (
        f"So few {result.thing}s leave much open"
        if width > 0.1
        else "That is known only so far"
        if width > 0.03
        else "That is well known"
    )
    return (
        f"Of {count(test.n_samples, 'test ' + result.thing)} it read {test.n_correct:,} rightly: "
        f"{percent(test.accuracy)}. {doubt}: of all such {result.thing}s it would read between {percent(low)} and "
        f"{percent(high)} rightly (95 % interval)."
    )


def _beside_one_answer(result: RunResult) -> str:
    test, y = result.test, result.split.test.y
    always = y == np.bincount(y).argmax()
    beside = mcnemar(result.predictions.is_correct, always)
    words = f"Always answering “{test.majority_class}” would be right {percent(test.baseline)} of the time"
    if not beside.only_a and not beside.only_b:
        return f"{words}, and is right on the very same {result.thing}s: the network is no better than that."
    only = count(beside.only_a, result.thing)
    words += f". {only} only the network reads rightly, {beside.only_b:,} only that answer: "
    if beside.p_value >= CHANCE:
        return words + (
            f"two equally good ones would differ as much by chance {_how_often(beside.p_value)}, so this test does "
            "not settle which is better."
        )
    if beside.only_a > beside.only_b:
        return words + "more than chance explains, so the network has learned something."
    return words + "the network does worse, and by more than chance explains."


def _how_often(p: float) -> str:
    return f"{round(100 * p)} times in 100" if p < 0.995 else "nearly always"


def _what_goes_wrong(test: ConfusionMatrix, thing: str) -> str:
    matrix = test.counts
    wrong = matrix - np.diag(np.diag(matrix))
    if not wrong.any():
        return f"It made no mistake on these {thing}s."
    i, j = (int(at) for at in np.unravel_index(wrong.argmax(), wrong.shape))
    names, totals = test.classes, matrix.sum(axis=1)
    worst = (
        f"Its commonest mistake: it takes “{names[i]}” for “{names[j]}” ({wrong[i, j]} of {totals[i]} {thing}s, "
        f"{percent(wrong[i, j] / totals[i])})"
    )
    if len(names) == 2:
        other = f"the other way round it errs in {wrong[j, i]} of {totals[j]}"
        return f"{worst}; {other if totals[j] else f'no test {thing} is of class “{names[j]}”'}."
    there = np.flatnonzero(totals)
    shares = np.diag(matrix)[there] / totals[there]
    low, high = shares.min(), shares.max()
    if low == high:
        return f"{worst}. It reads every class equally well ({percent(high)} right)."
    best, last = (_named(names, there[shares == edge]) for edge in (high, low))
    return f"{worst}. It reads {best} best ({percent(high)} right) and {last} worst ({percent(low)})."


def _named(names: Sequence[str], rows: Array, most: int = 3) -> str:
    """Return the names of some classes; how many there are where they are many."""
    if len(rows) > most:
        return f"{len(rows)} classes"
    return _listed([f"“{names[i]}”" for i in rows])


def _listed(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _learned_by_heart(result: RunResult) -> str:
    train, test = result.train.accuracy, result.test
    own = f"On the {result.thing}s that it was trained on it is right {percent(train)} of the time."
    if train <= wilson_interval(test.n_correct, test.n_samples)[1]:
        return own  # chance may explain the gap
    return (
        own
        + f" Such a gap means that it learned some of them by heart, or that the test {result.thing}s differ."
    )


def _leaks(result: RunResult) -> str:
    thing = result.thing
    twins = {leak.test: leak for leak in reversed(result.predictions.leaks)}  # of several, the first
    if not twins:
        return f"No test {thing} is also among the training {thing}s."
    rows = sorted(twins)
    named = "; ".join(
        f"test {thing} {row} is {_NEARLY[twins[row].kind]}training {thing} {twins[row].train}"
        for row in rows[:MOST_NAMED]
    )
    more = f"; and {len(rows) - MOST_NAMED:,} more" if len(rows) > MOST_NAMED else ""
    exact = ", number for number" if all(leak.kind == "exact" for leak in twins.values()) else ""
    words = f"The data has a leak: {named}{more}{exact}, so the network has seen the answer."
    kept = np.delete(result.predictions.is_correct, rows)
    if not len(kept):
        return words
    n_right = int(kept.sum())
    return words + (
        f" Without {'it' if len(rows) == 1 else 'them'}, the network reads {n_right:,} of {len(kept):,} rightly: "
        f"{percent(n_right / len(kept))}."
    )
