"""What a report says first: how good it is, next to the baseline, and what was done."""

from typing import TYPE_CHECKING

import numpy as np

from pellucid.prediction.confusion import ConfusionMatrix
from pellucid.reporting.elements import Fact
from pellucid.reporting.sections.gap import gap_line
from pellucid.reporting.sections.leaks import leaks
from pellucid.reporting.sections.recipe import is_step_by_step, optimizer_in_words
from pellucid.runs.run import Run
from pellucid.shares import share, share_range
from pellucid.stats.paired import mcnemar
from pellucid.text import in_seconds, join, plural
from pellucid.training.history import History

if TYPE_CHECKING:
    from pellucid.reporting.findings import Findings

CHANCE = 0.05  # p values from here on are put down to chance
MOST_CLASSES = 3  # named in a sentence; more are counted


def summary(found: "Findings") -> tuple[str, ...]:
    """Return the first lines: how good it is, next to the baseline, and what was done."""
    run = found.run
    if run.kind == "regression":
        from pellucid.reporting.sections.regression import lead

        return lead(found)
    return (accuracy_line(run), what_was_done(run))


def points(found: "Findings") -> tuple[str, ...]:
    """Return what else a reader must know, a point each: mistakes, the gap, leaks, what else was found."""
    run = found.run
    wrong = () if run.kind == "regression" else (most_common_mistake(run.test_confusion, run.noun),)
    own = (gap_line(run), leaks(run), *_stopped(run), *_advice(found))
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
        from pellucid.reporting.sections.data import check_in_short

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


def accuracy_line(run: Run) -> str:
    """Return the accuracies of both parts and of the baseline; whether the model differs from the baseline."""
    test, n = run.test_confusion, run.test_confusion.n_samples
    compared = mcnemar(run.test_predictions.is_correct, run.test_predictions.is_majority)
    chance = f" Not distinguishable from the baseline (p = {compared.p_value:.2g})."
    return (
        f"Test accuracy {share(test.accuracy, n)} ({test.n_correct:,}/{n:,}, 95 % interval {interval(test)}). "
        f"Training {share(run.train_confusion.accuracy, n)}. "
        f"Baseline (always “{test.majority_class}”) {share(test.baseline, n)}."
        + (chance if compared.p_value >= CHANCE else "")
    )


def most_common_mistake(test: ConfusionMatrix, noun: str) -> str:
    """Return which class is most often taken for which.

    Examples
    --------
    >>> from pellucid.prediction.confusion import confusion_matrix
    >>> y, answers = np.array([0, 0, 0, 1]), np.array([1, 1, 0, 1])
    >>> most_common_mistake(confusion_matrix(y, answers, ("cat", "dog")), "photo")
    'Most common mistake: “cat” taken for “dog” (2 of 3 photos).'
    """
    wrong = test.counts - np.diag(np.diag(test.counts))
    if not wrong.any():
        return "No mistakes on the test part."
    i, j = (int(at) for at in np.unravel_index(wrong.argmax(), wrong.shape))
    of = f"{wrong[i, j]} of {plural(int(test.counts[i].sum()), noun)}"
    return f"Most common mistake: “{test.classes[i]}” taken for “{test.classes[j]}” ({of})."
