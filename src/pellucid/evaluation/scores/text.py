"""An assessment in sentences, for somebody who reads no statistics."""

import math

from pellucid.evaluation.scores.calibration import Calibration
from pellucid.evaluation.scores.records import ScoresWithIntervals
from pellucid.stats.intervals import Estimate
from pellucid.text import chance_in_words

WIDE = 0.1  # an interval of a share that leaves this much open is told as such
MOST_NAMED = 3  # leaks


def in_words(result: ScoresWithIntervals) -> list[str]:
    """Return the main findings, a sentence or two each.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.evaluation.scores.measure import assess_outputs
    >>> from pellucid.evaluation.scores.outputs import Outputs
    >>> y, predicted = np.repeat([0, 1], 25), np.repeat([0, 1, 0, 1], [20, 5, 5, 20])
    >>> scores = np.stack([1.0 - predicted, predicted], axis=1)
    >>> outputs = Outputs("classification", y, predicted, scores, False, ("non-cat", "cat"))
    >>> print(in_words(assess_outputs(outputs))[0])
    40 of 50 right: 0.80; with so few samples, the true accuracy may be anything from 0.67 to 0.89 (95 %).
    """
    lines = {"classification": _of_classes, "multi_label": _of_labels, "regression": _of_quantities}[
        result.kind
    ](result)
    return [*lines, *_leaks(result), *(f"Note: {note}" for note in result.notes)]


def headline(result: ScoresWithIntervals) -> str:
    """Return how many are right, and what the true share may be; of quantities, how far off the answers are."""
    if result.evaluation is None:
        name = "exact_match" if result.kind == "multi_label" else "mean_absolute_error"
        return f"{name.replace('_', ' ')} {with_interval(result.estimates[name])}."
    counts, accuracy = result.evaluation, result.estimates["accuracy"]
    right = f"{counts.n_correct} of {counts.n_samples} right: {figure(accuracy.value)}"
    assert accuracy.low is not None
    assert accuracy.high is not None
    between = (
        f"{figure(accuracy.low, accuracy)} to {figure(accuracy.high, accuracy)} ({percent_of(result.level)})"
    )
    if accuracy.high - accuracy.low > WIDE:
        return f"{right}; with so few samples, the true accuracy may be anything from {between}."
    return f"{right}; the true accuracy is likely between {between.replace(' to ', ' and ')}."


def with_interval(estimate: Estimate, *, to: str = " to ") -> str:
    """Return a score with its interval.

    Examples
    --------
    >>> with_interval(Estimate(0.8, 0.6696, 0.8876)), with_interval(Estimate(1.0, reason="too few samples"))
    ('0.80 (0.67 to 0.89)', '1.00')
    """
    if estimate.low is None or estimate.high is None:
        return figure(estimate.value)
    value, low, high = (figure(number, estimate) for number in estimate[:3])
    return f"{value} ({low}{to}{high})"


def figure(value: float | None, among: Estimate | None = None) -> str:
    """Return a number with the digits that its interval makes sense of, scores with two at least; a dash for None.

    Examples
    --------
    >>> figure(0.98765), figure(0.98765, Estimate(0.98765, 0.986, 0.989)), figure(None), figure(1234.5)
    ('0.99', '0.988', '–', '1234')
    """
    if value is None:
        return "–"
    if among is None or among.low is None or among.high is None or among.high <= among.low:
        decimals = 2 if abs(value) < 100 else 0
    else:
        places = -math.floor(math.log10(among.high - among.low))
        decimals = min(max(places + 1, 0) if among.high > 2 else max(places, 2), 12)
    return f"{value:.{decimals}f}"


def percent_of(level: float) -> str:
    """Return a level in percent, 95 %."""
    return f"{100 * level:g} %"


def _of_classes(result: ScoresWithIntervals) -> list[str]:
    counts, beside, estimates = result.evaluation, result.beside_baseline, result.estimates
    assert counts is not None
    assert beside is not None
    n_always = beside.both + beside.only_b
    always = (
        f"Always answering {counts.most_common!r} would be right {_times(n_always)}: "
        f"{with_interval(estimates['baseline'])}."
    )
    if beside.only_a or beside.only_b:
        always += (
            f" In {beside.only_a} samples only the model is right, in {beside.only_b} only that answer; "
            f"{chance_in_words(beside.p_value)}."
        )
    n_there = sum(1 for figures in result.per_class if figures.n_samples)
    balanced = (
        f"Balanced accuracy, the mean of each class's own: {with_interval(estimates['balanced_accuracy'])}; one "
        f"answer for all has {figure(1 / n_there)}."
    )
    lines = [headline(result), always, balanced]
    if result.calibration is not None:
        k = len(counts.classes)
        guess = "a coin toss" if k == 2 else "a guess among all classes"
        brier = 0.25 if k == 2 else 1 - 1 / k
        lines.append(_calibration(result.calibration))
        lines.append(
            f"Brier score {with_interval(estimates['brier'])}, log loss {with_interval(estimates['log_loss'])}, "
            f"the lower the better; {guess} has {brier:.2f} and {math.log(k):.2f}."
        )
    return lines


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def _calibration(curve: Calibration) -> str:
    n = curve.counts.sum()
    said, right = (float((part * curve.counts).sum() / n) for part in (curve.said, curve.observed))
    sure = f"It says that it is {figure(said)} sure on average, and {figure(right)} of its answers are right."
    if curve.by_chance is None:
        return f"{sure} Expected calibration error {figure(curve.error)}."
    digits = 2 if figure(curve.error) != figure(curve.by_chance[1]) else 4  # two that look alike say nothing
    error, low, high = (f"{value:.{digits}f}" for value in (curve.error, *curve.by_chance))
    words = f"{sure} Expected calibration error {error}"
    if curve.error <= curve.by_chance[1]:
        return f"{words}, no more than chance gives a model which means what it says: {low} to {high}."
    verdict = "it is too sure" if said > right else "it is not sure enough"
    if abs(said - right) < curve.error / 2:
        verdict = "some of its probabilities are too high, others too low"
    return f"{words}, where chance gives {low} to {high} to a model which means what it says: {verdict}."


def _of_labels(result: ScoresWithIntervals) -> list[str]:
    estimates = result.estimates
    return [
        f"Of all answers on {result.n_samples} samples, {with_interval(estimates['label_accuracy'])} are right "
        f"({percent_of(result.level)}).",
        f"Every label of a sample is right in {with_interval(estimates['exact_match'])} of them.",
    ]


def _of_quantities(result: ScoresWithIntervals) -> list[str]:
    estimates = result.estimates
    return [
        f"On {result.n_samples} samples the answer is off by {with_interval(estimates['mean_absolute_error'])} on "
        f"average ({percent_of(result.level)}).",
        f"Root mean squared error {with_interval(estimates['root_mean_squared_error'])}; always answering the mean "
        f"has {with_interval(estimates['baseline'])}.",
        f"R², the share of the targets' spread that it accounts for: {with_interval(estimates['r_squared'])}.",
    ]


def _leaks(result: ScoresWithIntervals) -> list[str]:
    if not result.leaks:
        return []
    twins = {leak.test: leak for leak in reversed(result.leaks)}  # of each the first twin: exact ones lead
    rows = sorted(twins)
    named = ", ".join(f"{row} = training {twins[row].train}" for row in rows[:MOST_NAMED])
    more = f", and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    n_exact = sum(1 for leak in twins.values() if leak.kind == "exact")
    how = {len(rows): "to the last bit", 0: "as nearly the same picture"}.get(
        n_exact, f"{n_exact} to the last bit"
    )
    are = (
        f"1 test sample is a training sample too, {how}"
        if len(rows) == 1
        else f"{len(rows)} of {result.n_samples} test samples are training samples too, {how}"
    )
    if result.without_leaks is None:
        return [f"{are} ({named}{more})."]
    without = "it" if len(rows) == 1 else "them"
    return [f"{are} ({named}{more}). Without {without}: {headline(result.without_leaks)}"]
