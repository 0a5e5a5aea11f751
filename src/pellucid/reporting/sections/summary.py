"""What a report says first: how good it is, next to the baseline, and what was done."""

import numpy as np

from pellucid.checks.findings import alike
from pellucid.evaluation.scores.estimate_text import accuracy_line, title_of
from pellucid.prediction.confusion import ConfusionMatrix
from pellucid.reporting.elements import Fact
from pellucid.reporting.findings import Findings
from pellucid.reporting.sections.gap import gap_line
from pellucid.reporting.sections.regression import lead
from pellucid.runs.run import Run
from pellucid.shares import share
from pellucid.text import in_seconds, join, join_some, plural

MOST_CLASSES = 3  # named in a sentence; more are counted
MOST_LEAKS = 5  # named, too


def summary(found: Findings) -> tuple[str, ...]:
    """Return the first lines: how good it is, next to the baseline, and what was done."""
    run = found.run
    if found.scores is not None and run.kind == "regression":
        return lead(found.scores), what_was_done(run)
    return accuracy_line(run.test_predictions, train=run.train_confusion), what_was_done(run)


def points(found: Findings) -> tuple[str, ...]:
    """Return what else a reader must know, a point each: mistakes, the gap, leaks, what else was found."""
    run, influence = found.run, found.influence
    said = [] if run.kind == "regression" else [most_common_mistake(run.test_confusion, run.noun)]
    if found.linear is not None:
        said.append(found.linear.headline)
    said += [gap_line(run, found.scores), leaks(run)]
    if not run.history.is_complete:
        said.append(f"The training was stopped early, after {plural(run.history.n_steps, 'step')}.")
    for one in found.advice:
        said.append(f"What to try next: {one.finding}{f' Try `{one.command}`.' if one.command else ''}")
    if found.check is not None and found.check.findings:
        said.append(f"Data check: {plural(len(found.check.findings), 'finding')}.")
    if found.robustness is not None:
        said.append(f"Robustness: {found.robustness.headline}")
    if influence is not None and influence.is_retrained:
        said.append(f"Influence: {influence.headline}")
    return (*said, *run.notes)


def facts(found: Findings) -> tuple[Fact, ...]:
    """Return the numbers that stand under the summary."""
    run = found.run
    if found.scores is not None and run.kind == "regression":
        estimates = found.scores.estimates.items()
        values = [Fact(title_of(name), "–" if one.value is None else one.value) for name, one in estimates]
        return (*values[:3], *of_the_training(run))
    test = run.test_confusion
    totals = test.counts.sum(axis=1)
    shares = np.where(totals, np.diag(test.counts) / np.maximum(totals, 1), np.nan)
    recalls = {"Highest recall": int(np.nanargmax(shares)), "Lowest recall": int(np.nanargmin(shares))}
    if (positive := run.test_predictions.positive) is not None:
        recalls = {"Sensitivity": positive, "Specificity": 1 - positive}
    balanced = share(test.balanced_accuracy, test.n_samples)
    return (
        Fact("Balanced accuracy", balanced, "mean recall of the classes"),
        *(
            Fact(name, share(shares[i], totals[i]), f"recall of '{test.classes[i]}'")
            for name, i in recalls.items()
        ),
        *of_the_training(run),
    )


def of_the_training(run: Run) -> tuple[Fact, Fact, Fact]:
    """Return how long was trained, and how much there was to learn."""
    history, batch = run.history, run.config.options.batch_size
    each = f"up to {plural(batch, run.noun)}" if batch else f"all {run.noun}s"
    kernels = "compiled loops" if history.kernels == "numba" else "NumPy"
    frozen = f"{run.model._n_frozen:,} more are frozen" if run.model._n_frozen else "trained"
    return (
        Fact("Epochs", len(history.losses), f"{plural(history.n_steps, 'step')} on {each} each"),
        Fact("Training time", in_seconds(history.seconds), f"{kernels}, {plural(history.n_threads, 'core')}"),
        Fact("Parameters", run.model.theta.size, frozen),
    )


def what_was_done(run: Run) -> str:
    """Return on what the network was trained, and to do what."""
    model, config, is_regression = run.model, run.config, run.kind == "regression"
    what, size = "network", f"{model.n_params:,} parameters"
    if model._n_body:
        what, size = "last layer", f"{model.theta.size:,} parameters, after a pretrained network,"
    if config.start is not None:
        size += f" that began from the trained model '{config.model_name}'"
    names = [f"'{name}'" for name in (run.targets if is_regression else run.split.classes)]
    some = join(names) if is_regression or len(names) <= MOST_CLASSES else f"{len(names)} classes"
    task = f"to predict {some}" if is_regression else f"to tell {some} apart"
    on = plural(len(run.split.train), run.noun)
    return f"A {what} of {size} was trained on {on} {task}."


def most_common_mistake(test: ConfusionMatrix, noun: str) -> str:
    """Return which class is most often taken for which.

    Examples
    --------
    >>> from pellucid.prediction.confusion import confusion_matrix
    >>> y, answers = np.array([0, 0, 0, 1]), np.array([1, 1, 0, 1])
    >>> most_common_mistake(confusion_matrix(y, answers, ("cat", "dog")), "photo")
    "Most common mistake: 'cat' taken for 'dog' (2 of 3 photos)."
    """
    wrong = test.counts - np.diag(np.diag(test.counts))
    if not wrong.any():
        return "No mistakes on the test part."
    i, j = (int(at) for at in np.unravel_index(wrong.argmax(), wrong.shape))
    of = f"{wrong[i, j]} of {plural(int(test.counts[i].sum()), noun)}"
    return f"Most common mistake: '{test.classes[i]}' taken for '{test.classes[j]}' ({of})."


def leaks(run: Run) -> str:
    """Return which test samples are training samples too, how many with the same target, and the score without.

    In a table, the same columns may come with other targets: then the network has not seen the answer.
    """
    twins = {leak.test: leak for leak in reversed(run.leaks)}  # of several, the first
    if not twins:
        return f"No test {run.noun} is in the training part."
    named = [
        f"{run.split.place('test', row)} is {alike(run.split.place('training', leak.train), leak.kind)}"
        for row, leak in sorted(twins.items())
    ]
    train, test = run.split.train.y, run.split.test.y
    n_same = sum(np.array_equal(test[twin.test], train[twin.train]) for twin in twins.values())
    what = "target" if run.kind == "regression" else "class"
    words = f"Leak: {join_some(named, most=MOST_LEAKS)} (same {what} in {n_same:,} of {len(twins):,})."
    if run.kind == "regression" or len(twins) == len(test):
        return words
    kept = np.delete(run.test_predictions.is_correct, list(twins))
    n_right = int(kept.sum())
    return f"{words} Accuracy without: {share(n_right / len(kept), len(kept))} ({n_right:,}/{len(kept):,})."
