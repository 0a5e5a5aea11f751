"""What a report says first of a classifier: in plain language, for somebody who reads nothing else."""

from typing import TYPE_CHECKING

import numpy as np

from pellucid.prediction.confusion import ConfusionMatrix
from pellucid.report.parts import Fact
from pellucid.report.sections.gap import gap_in_words
from pellucid.report.sections.leaks import leaks
from pellucid.report.sections.recipe import is_step_by_step, optimizer_in_words
from pellucid.runs.run import Run
from pellucid.shares import share, share_range
from pellucid.stats.paired import mcnemar
from pellucid.text import in_seconds, join, plural
from pellucid.training.history import History
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.report.findings import Findings

CHANCE = 0.05  # p values from here on are put down to chance
MOST_CLASSES = 3  # named in a sentence; more are counted
WIDE, NARROW = 0.1, 0.03  # of an interval: above the first much is open, below the second little


def summary(found: "Findings") -> tuple[str, ...]:
    """Return the first paragraphs: how good it is beside the baseline, and what was done."""
    run = found.run
    if run.kind == "regression":
        from pellucid.report.sections.regression import lead

        return lead(found)
    return (_how_good(run), _against_the_baseline(run), what_was_done(run))


def points(found: "Findings") -> tuple[str, ...]:
    """Return what else a reader must know, a point each: mistakes, the gap, leaks, what else was found."""
    run = found.run
    wrong = () if run.kind == "regression" else (_what_goes_wrong(run.test_confusion, run.noun),)
    own = (gap_in_words(run), leaks(run), *_stopped(run), *_advice(found))
    return (*wrong, *own, *_of_the_rest(found), *run.notes)


def _stopped(run: Run) -> tuple[str, ...]:
    if run.history.is_complete:
        return ()
    return (f"The training was stopped early, after {plural(run.history.n_steps, 'step')}.",)


def _advice(found: "Findings") -> tuple[str, ...]:
    return tuple(f"What to try next: {one.finding} `{one.command}`" for one in found.advice)


def _of_the_rest(found: "Findings") -> list[str]:
    """Return what the parts of a full report add, a sentence each."""
    sentences: list[str] = []
    if found.check is not None:
        from pellucid.report.sections.data import check_in_short

        sentences += check_in_short(found.check)
    if found.robustness is not None:
        sentences.append(f"Robustness: {found.robustness.headline}")
    if found.influence is not None and found.influence.is_proved:
        sentences.append(f"Influence: {found.influence.headline}")
    return [sentence for sentence in sentences if sentence]


def facts(run: Run) -> tuple[Fact, ...]:
    """Return the numbers that stand under the summary, each with its plain meaning: eight, in full rows."""
    test, noun = run.test_confusion, run.noun
    return (
        Fact(
            "Balanced accuracy",
            share(test.balanced_accuracy, test.n_samples),
            "the mean share found of the classes",
        ),
        *_recalls(test),
        Fact(
            "Majority-class baseline",
            share(test.baseline, test.n_samples),
            f"right if it always said “{test.majority_class}”, the most common class of {test.majority_of}",
        ),
        Fact(
            "Training accuracy",
            share(run.train_confusion.accuracy, test.n_samples),
            f"on the {noun}s that it was trained on",
        ),
        *of_the_training(run),
    )


def _recalls(test: ConfusionMatrix) -> tuple[Fact, Fact]:
    """Return sensitivity and specificity of two classes; of more the classes found best and worst."""
    totals = test.counts.sum(axis=1)
    shares = [
        n / total if total else float("nan") for n, total in zip(np.diag(test.counts), totals, strict=True)
    ]
    if len(shares) == 2:
        return (
            Fact(
                "Sensitivity", share(shares[1], totals[1]), f"the share of “{test.classes[1]}” that is found"
            ),
            Fact(
                "Specificity", share(shares[0], totals[0]), f"the share of “{test.classes[0]}” that is found"
            ),
        )
    best, worst = int(np.nanargmax(shares)), int(np.nanargmin(shares))
    if best == worst:
        return (
            Fact("Highest recall", share(shares[best], totals[best]), "the share of a class that is found"),
            Fact("Lowest recall", share(shares[worst], totals[worst]), "of every class the same"),
        )
    return (
        Fact(
            "Highest recall",
            share(shares[best], totals[best]),
            f"the share of “{test.classes[best]}” that is found",
        ),
        Fact(
            "Lowest recall",
            share(shares[worst], totals[worst]),
            f"the share of “{test.classes[worst]}” that is found",
        ),
    )


def of_the_training(run: Run) -> tuple[Fact, Fact, Fact]:
    """Return how long was trained, and how much there was to learn."""
    history, batch = run.history, run.config.options.batch_size
    each = plural(batch, run.noun) if batch else f"all {run.noun}s"
    return (
        Fact("Epochs", len(history.losses), f"{plural(history.n_steps, 'step')} on {each} each"),
        Fact("Training time", in_seconds(history.seconds), _speed(history)),
        Fact("Parameters", run.model.theta.size, f"numbers that the training adjusts{_frozen(run)}"),
    )


def _frozen(run: Run) -> str:
    n = run.model.n_frozen
    return f"; {n:,} more are frozen" if n else ""


def _speed(history: History) -> str:
    compiled = "compiled loops" if history.kernels == "numba" else "NumPy"
    return f"{compiled}, {plural(history.n_threads, 'core')}"


def interval(part: ConfusionMatrix) -> str:
    """Return Wilson's interval of an accuracy in words: ``67 to 89 %``."""
    return share_range(*part.accuracy_interval, part.n_samples)


def what_was_done(run: Run) -> str:
    """Return on what the network was trained, to do what, and how."""
    model, config = run.model, run.config
    size = f"{model.n_params:,} parameters"
    if config.start is not None:
        frozen = f", {model.n_frozen:,} of them kept as they were" if model.n_frozen else ""
        size += f" that began from the trained model “{config.model_name}”{frozen},"
    return f"A network of {size} was trained on {_task(run)}; it took {_way(run)}."


def _way(run: Run) -> str:
    options, history = run.config.options, run.history
    steps = f"{plural(history.n_steps, 'step')} of {optimizer_in_words(options, run.config.stages)}"
    return steps if is_step_by_step(run) else f"{steps} in {plural(len(history.losses), 'epoch')}"


def _task(run: Run) -> str:
    on = plural(len(run.split.train), run.noun)
    if run.kind == "regression":
        return f"{on} to predict {join([f'“{name}”' for name in run.targets])}"
    names = run.split.classes
    quoted = [f"“{name}”" for name in names]
    classes = f"{len(names)} classes apart"
    if len(names) <= MOST_CLASSES:
        classes = " from ".join(quoted) if len(names) == 2 else f"{join(quoted)} apart"
    return f"{on} to tell {classes}"


def _how_good(run: Run) -> str:
    test, noun = run.test_confusion, run.noun
    low, high = test.accuracy_interval
    doubt = (
        f"With so few {noun}s"
        if high - low > WIDE
        else "As far as that is known"
        if high - low > NARROW
        else ""
    )
    ends = f"{share(low, test.n_samples)} and {share(high, test.n_samples)}"
    would = f"between {ends} of all such {noun}s would be (95 % interval)"
    return (
        f"{test.n_correct:,} of {plural(test.n_samples, 'test ' + noun)} "
        f"{'is' if test.n_correct == 1 else 'are'} classified correctly: {share(test.accuracy, test.n_samples)}. "
        + (f"{doubt}, {would}." if doubt else f"{would[0].upper()}{would[1:]}.")
    )


def _against_the_baseline(run: Run) -> str:
    test = run.test_confusion
    compared = mcnemar(run.test_predictions.is_correct, run.test_predictions.is_majority)
    often = share(test.baseline, test.n_samples)
    words = f"Always predicting “{test.majority_class}” would be right {often} of the time"
    if not compared.only_a and not compared.only_b:
        return f"{words}, and is right on the very same {run.noun}s: the network is no better than that."
    only = plural(compared.only_a, run.noun)
    words += f". {only} only the network classifies correctly, {compared.only_b:,} only that baseline: "
    if compared.p_value >= CHANCE:
        return words + (
            f"two equally good ones would differ as much by chance {_how_often(compared.p_value)}, so this "
            "test does "
            "not settle which is better."
        )
    if compared.only_a > compared.only_b:
        return words + "more than chance explains, so the network has learned something."
    return words + "the network does worse, and by more than chance explains."


def _how_often(p: float) -> str:
    return f"{round(100 * p)} times in 100" if p < 0.995 else "nearly always"


def _what_goes_wrong(test: ConfusionMatrix, noun: str) -> str:
    wrong = test.counts - np.diag(np.diag(test.counts))
    if not wrong.any():
        return f"It made no mistake on these {noun}s."
    i, j = (int(at) for at in np.unravel_index(wrong.argmax(), wrong.shape))
    names, totals = test.classes, test.counts.sum(axis=1)
    worst = (
        f"Its most common mistake: it takes “{names[i]}” for “{names[j]}” ({wrong[i, j]} of {totals[i]} {noun}s, "
        f"{share(wrong[i, j] / totals[i], totals[i])})"
    )
    if len(names) == 2:
        other = f"the other way round it errs in {wrong[j, i]} of {totals[j]}"
        return f"{worst}; {other if totals[j] else f'no test {noun} is of class “{names[j]}”'}."
    there = np.flatnonzero(totals)
    recalls = np.diag(test.counts)[there] / totals[there]
    low, high = recalls.min(), recalls.max()
    if low == high:
        return f"{worst}. It classifies every class equally well ({share(high, totals.max())} right)."
    best, last = (_named(names, there[recalls == edge]) for edge in (high, low))
    most, least = share(high, totals.max()), share(low, totals.max())
    return f"{worst}. It is best at {best} ({most} right) and worst at {last} ({least})."


def _named(names: tuple[str, ...], rows: Array) -> str:
    """Return the names of some classes; how many there are where they are many."""
    return f"{len(rows)} classes" if len(rows) > MOST_CLASSES else join([f"“{names[i]}”" for i in rows])
