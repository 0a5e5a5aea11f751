"""Comparisons in sentences and tables."""

from typing import Any

from pellucid.evaluation.comparison.folds import CrossValidation
from pellucid.evaluation.comparison.paired import PairedComparison
from pellucid.evaluation.comparison.seeds import SeedComparison
from pellucid.evaluation.comparison.starts import SeedRuns
from pellucid.stats.intervals import wilson_interval
from pellucid.stats.t_tests import FoldMean
from pellucid.text import chance_in_words, join_some, percent, plural
from pellucid.text_blocks import Block

MOST_LISTED = 20


def paired_finding(result: PairedComparison) -> str:
    """Return which of two models is better on the same samples, and whether by chance."""
    table, n, noun = result.mcnemar, len(result.test), result.noun
    ahead = table.only_b - table.only_a
    if table.only_a + table.only_b == 0:
        return f"A and B are correct on the same of {n} {noun}: nothing tells them apart here."
    if ahead == 0:
        return (
            f"A and B are correct equally often on {n} {noun}, though not on the same ones "
            f"({table.only_a} only A, {table.only_b} only B): no difference."
        )
    better, worse = ("B", "A") if ahead > 0 else ("A", "B")
    more = plural(abs(ahead), noun[:-1])
    return f"{better} is correct on {more} more than {worse}, of {n}; {chance_in_words(table.p_value)}."


def paired_blocks(result: PairedComparison) -> list[Block]:
    """Return both models' scores, who was correct on what, and the finding."""
    sides, table = (result.a, result.b), result.mcnemar
    intervals = [
        f"{low:.3f} to {high:.3f}" for low, high in (side.confusion.accuracy_interval for side in sides)
    ]
    trained = ["before" if side.seconds is None else f"here, in {side.seconds:.1f} s" for side in sides]
    rows = [
        ("model", *(side.source for side in sides)),
        ("accuracy", *(f"{side.confusion.accuracy:.4f}" for side in sides)),
        ("  95 % interval", *intervals),
        ("balanced accuracy", *(f"{side.confusion.balanced_accuracy:.4f}" for side in sides)),
        (f"correct, of {len(result.test)}", *(side.confusion.n_correct for side in sides)),
        ("trained", *trained),
    ]
    between = result.difference_interval
    interval = (
        ""
        if between is None
        else f" (95 % interval {between[0]:+.3f} to {between[1]:+.3f}, by the paired bootstrap)"
    )
    p_value = f"= {table.p_value:.4f}" if table.p_value >= 0.0001 else "< 0.0001"
    best = result.a.confusion
    correct = [("A correct", table.both, table.only_a), ("A wrong", table.only_b, table.neither)]
    return [
        (("", "A", "B"), rows),
        (("", "B correct", "B wrong"), correct),
        f"Accuracy, B minus A: {result.difference:+.4f}{interval}.",
        f"McNemar's exact test, as if both were equally good: p {p_value}.",
        *(
            f"Only {letter} is correct on these test {result.noun}, by number: "
            f"{join_some(numbers, most=MOST_LISTED)}."
            for letter, numbers in (("A", result.only_a), ("B", result.only_b))
            if numbers
        ),
        f"Majority-class baseline, always {best.majority_class!r}: {best.baseline:.4f}.",
        *(f"Note: {note}" for note in result.notes),
        result.finding,
    ]


def cv_finding(result: CrossValidation) -> str:
    """Return the mean over folds; of two models, which is better and whether by chance."""
    difference, n = result.difference(), len(result.folds[0])
    if difference is None:
        (mean,) = result.means()
        interval = "" if mean.low is None else f" (95 % interval {mean.low:.3f} to {mean.high:.3f})"
        return f"Mean balanced accuracy over {n} folds: {mean.mean:.3f}{interval}."
    if difference.mean == 0:
        return f"A and B are equally good on average over {n} folds."
    much = f"{abs(difference.mean):.3f} {'higher' if difference.mean > 0 else 'lower'} than A's"
    if difference.p_value is None:
        where = "the one fold" if n == 1 else f"each of {n} folds"
        return (
            f"B's balanced accuracy is {much} in {where}, which says nothing about chance. Take more folds."
        )
    a, b = result.values()
    return (
        f"B's balanced accuracy is {much} on average over {n} folds; {chance_in_words(difference.p_value)}. It "
        f"is ahead in {int((b > a).sum())} of {n} folds, behind in {int((b < a).sum())}."
    )


def cv_blocks(result: CrossValidation) -> list[Block]:
    """Return every fold's scores, their means, and the finding."""
    folds, letters = result.folds, "AB"[: len(result.sources)]
    a, *b = result.values()
    rows = [
        (
            f"repeat {one.repeat + 1} fold {one.fold + 1}",
            *(f"{values[i]:.4f}" for values in (a, *b)),
            *(f"{values[i] - a[i]:+.4f}" for values in b),
            f"{sum(each[i].seconds for each in folds):.1f}",
        )
        for i, one in enumerate(folds[0])
    ]
    sources = [f"{letter}: {source}" for letter, source in zip(letters, result.sources, strict=True)]
    found: list[Block] = [
        f"Balanced accuracy on {result.n_samples} samples of {result.data}, each tested once a repeat"
    ]
    if result.n_left_out:
        found.append(
            f"({result.n_left_out} left out: exact {'copy' if result.n_left_out == 1 else 'copies'})"
        )
    found.append((("", *sources, *(["B minus A"] if b else []), "seconds"), rows))
    for metric in ("balanced_accuracy", "accuracy"):
        parts = [f"{letter} {_mean(one)}" for letter, one in zip(letters, result.means(metric), strict=True)]
        difference = result.difference(metric)
        if difference is not None:
            parts.append(f"B minus A {_mean(difference, '+.4f')}")
        found.append(f"Mean {metric.replace('_', ' ')}, with 95 % intervals: {'; '.join(parts)}.")
    if not result.is_complete:
        found.append(
            f"Stopped after {len(folds[0])} of {result.n_splits * result.n_repeats} folds, as asked."
        )
    return [*found, *(f"Note: {note}" for note in result.notes), result.finding]


def _mean(one: FoldMean, digits: str = ".4f") -> str:
    interval = "" if one.low is None else f" ({one.low:{digits}} to {one.high:{digits}})"
    return f"{one.mean:{digits}}{interval}"


def seed_findings(result: SeedComparison) -> list[str]:
    """Return what the seeds mean: a paragraph for each network, and one for the two together."""
    found = [_seeds_of(result, runs) for runs in result.runs]
    difference = result.difference()
    if difference is None:
        return found
    interval = ""
    if difference.low is not None and difference.high is not None:
        interval = f" (95 % interval {difference.low:+.3f} to {difference.high:+.3f})"
    found.append(
        f"B's accuracy minus A's, mean over random starts: {difference.mean:+.3f}{interval}. Of pairs of one start "
        f"each, B is higher in {percent(difference.wins)} and equal in {percent(difference.ties)}. This is about "
        f"the random start, on these {result.n_test} {result.noun} only."
    )
    return found


def _seeds_of(result: SeedComparison, runs: SeedRuns) -> str:
    values, n = runs.accuracies, len(runs.accuracies)
    title = f"{runs.letter} ({runs.source})"
    if runs.is_deterministic:
        return (
            f"{title}: all {n} starts give the same network, accuracy {values[0]:.3f}. Nothing in this training "
            "depends on the seed."
        )

    def show(value: float) -> str:
        return f"{value:.{result.digits}f}"

    spread = runs.spread()
    scores = f"accuracy {show(spread['min'])} in all of them, on {result.n_test} test {result.noun}"
    if spread["max"] > spread["min"]:
        scores = (
            f"accuracy {show(spread['min'])} to {show(spread['max'])} on {result.n_test} test {result.noun}; the "
            f"middle half lies between {spread['lower_quartile']:.3f} and {spread['upper_quartile']:.3f}"
        )
    reference, of = result.reference()
    at_least = runs.n_at_least(reference)
    low, high = (f"{100 * end:.0f}" for end in wilson_interval(at_least, n))
    whose = "The published accuracy" if of == "published" else of.capitalize()
    luck = "depends on luck" if at_least < 0.5 * n else "takes no luck"
    words = (
        f"{title}: {plural(n, 'start')}, {scores}. {whose}, {show(reference)}, or better {luck}: {at_least} of {n} "
        f"starts reach it; of all starts that would be {low} to {high} % (95 % interval). "
        f"{runs.n_above(result.baseline)} of {n} are above the majority-class baseline, always "
        f"{result.majority_class!r}, {show(result.baseline)}."
    )
    n_failed = len(runs.failed)
    if n_failed:
        words += f" {plural(n_failed, 'start')} failed and {'is' if n_failed == 1 else 'are'} left out."
    return words


def seed_blocks(result: SeedComparison) -> list[Block]:
    """Return the spread of the accuracies, how many reach baseline and reference, and the findings."""
    first = result.runs[0].starts
    value, of = result.reference()
    rows: list[Any] = [
        (name.replace("_", " "), *(f"{runs.spread()[name]:.4f}" for runs in result.runs))
        for name in result.runs[0].spread()
    ]
    rows += [
        (
            f"above baseline {result.majority_class!r} ({result.baseline:.{result.digits}f})",
            *(f"{runs.n_above(result.baseline)} of {len(runs.accuracies)}" for runs in result.runs),
        ),
        (
            f"{value:.{result.digits}f} ({of}) or better",
            *(f"{runs.n_at_least(value)} of {len(runs.accuracies)}" for runs in result.runs),
        ),
    ]
    stopped = [f"Stopped after {len(first)} of {result.n_seeds} starts, as asked."]
    return [
        *(stopped if not result.is_complete else []),
        f"Test accuracy over {len(first)} starts on {result.data}, seeds {first[0].seed} to {first[-1].seed}",
        (("", *(f"{runs.letter}: {runs.source}" for runs in result.runs)), rows),
        *(f"{runs.letter}, seed {one.seed}: {one.fault}" for runs in result.runs for one in runs.failed[:3]),
        *seed_findings(result),
    ]
