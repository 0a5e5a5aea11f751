"""What the report says of the scores: accuracies, the confusion matrix, and every score with its interval."""

import math
from collections.abc import Sequence

from pellucid.evaluation.scores import plot_scores as drawn
from pellucid.evaluation.scores.calibration_figure import calibration_figure
from pellucid.evaluation.scores.estimate_text import score_in_words
from pellucid.evaluation.scores.scores import Scores
from pellucid.evaluation.scores.text import calibration_error
from pellucid.plotting.data import confusion_matrix_figure
from pellucid.plotting.style import class_name
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Captioned, Cell, Section, Table
from pellucid.reporting.sections.photos import confusion_of
from pellucid.runs.run import Run
from pellucid.shares import share

MOST_CLASSES = 40  # in the table
FEW_CLASSES = 12  # that are shown at once


def accuracy_section(draft: Draft, run: Run) -> Section:
    """Return the confusion matrix with the samples behind each cell, and how far the score can be trusted."""
    test = run.test_confusion
    draft.keep("confusion", confusion_matrix_figure(test.counts, test.classes))
    return Section(
        "Which class is taken for which?",
        confusion=confusion_of(draft, run),
    )


def scores_section(draft: Draft, scores: Scores) -> Section:
    """Return every score with its interval and its plain meaning: overall, for each class, and as figures."""
    columns = ("recall", "precision", "f1", "roc_auc")
    rows: list[Sequence[Cell]] = [
        (
            class_name((each.name,), 0),
            each.n_samples,
            *(score_in_words(name, each.estimates[name], each.n_samples) for name in columns),
        )
        for each in scores.per_class[:MOST_CLASSES]
    ]
    curves = _figures(draft, scores)
    return Section(
        "Every score and its interval",
        intro=_calibration(scores),
        figures=curves[:1],
        table=Table(("Score", "Value (95 % interval)", "Meaning"), _in_words(scores)),
        parts=(
            Section(
                "Each class by itself",
                intro=(BY_CLASS, *scores.notes),
                table=Table(
                    ("Class", "Samples", "Recall (sensitivity)", "Precision", "F1", "ROC area"), rows
                ),
                is_folded=len(rows) > FEW_CLASSES,
            ),
            Section("Curves over every threshold, and calibration", figures=curves[1:], is_folded=True),
        ),
    )


BY_CLASS = (
    "Recall is the share of a class that is found; of two classes the recall of one is called sensitivity, that of "
    "the other specificity. Precision is the share of the samples predicted as a class that belong to it."
)
MEANINGS = {
    "balanced_accuracy": (
        "Balanced accuracy",
        "The mean recall: the share found of each class, all counted alike.",
    ),
    "precision": (
        "Precision",
        "Of the samples predicted as a class, the share that belongs to it; mean of the classes.",
    ),
    "f1": ("F1", "One number for recall and precision, their harmonic mean; mean of the classes."),
    "roc_auc": (
        "ROC area (AUC)",
        "How often a sample of a class gets a higher score for it than one of another: 0.5 is guessing, 1 perfect.",
    ),
    "average_precision": ("PR area", "The precision, averaged over every share found: 1 is perfect."),
    "brier": (
        "Brier score",
        "The mean squared distance of the probabilities from the truth; 0 is perfect, {brier:.2f} {guess}.",
    ),
    "log_loss": (
        "Log loss",
        "Minus the logarithm of the true class's probability, the mean; 0 is perfect, {log_loss:.2f} {guess}.",
    ),
}


def _calibration(scores: Scores) -> tuple[str, ...]:
    """Return whether its confidence is justified."""
    curve = scores.calibration
    if curve is None:
        return ()
    confidence = float((curve.mean_predicted * curve.counts).sum() / curve.counts.sum())
    sure = share(confidence, len(scores))
    return (f"On average it gives the class that it predicts {sure}. {calibration_error(curve)}",)


def _in_words(scores: Scores) -> list[tuple[str, str, str]]:
    """Return each score of the whole test part, but for accuracy, which the summary says."""
    k = max(2, len(scores.per_class))
    guessing = {"brier": 0.25 if k == 2 else 1 - 1 / k, "log_loss": math.log(k)}
    guess = "a coin toss" if k == 2 else "guessing"
    rows = [
        (
            title,
            score_in_words(name, scores[name], len(scores), to=" to "),
            meaning.format(**guessing, guess=guess),
        )
        for name, (title, meaning) in MEANINGS.items()
        if name in scores.estimates
    ]
    if scores.calibration is not None:
        meaning = (
            "How far confidence and accuracy lie apart: of what is predicted with 80 %, 80 % should be right."
        )
        rows.append(("Calibration error", f"{scores.calibration.error:.2f}", meaning))
    return rows


def _figures(draft: Draft, scores: Scores) -> list[Captioned]:
    figures = [
        draft.add(
            "scores",
            drawn.intervals_figure(scores),
            "Each dot is a score on the test part, each bar its 95 % interval: what it may be on other samples of "
            "the same kind. Scores whose bars overlap much may well be the same.",
            "Dots with bars: each score and its interval.",
        ),
        draft.add(
            "roc",
            drawn.roc_figure(scores),
            "With a lower threshold the network finds more of a class, but raises more false alarms. The "
            "nearer the "
            "curve comes to the top left corner, the better; the dotted line is guessing.",
            "ROC curves: the true positive rate against the false positive rate.",
        ),
        draft.add(
            "precision-recall",
            drawn.precision_recall_figure(scores),
            "Of the samples predicted as a class, the fraction that is right, the more of the class is found. The "
            "dotted line is how common the class is: what guessing has.",
            "Curves of precision against recall.",
        ),
    ]
    if scores.calibration is not None:
        figures.append(
            draft.add(
                "calibration",
                calibration_figure(scores),
                "Is its confidence justified? Predictions made with 80 % should be right in 80 %: on the dotted "
                "line. Below it the network is overconfident. The bars at the bottom count the predictions.",
                "Calibration curves: the fraction of positives against the predicted probability.",
            )
        )
    return figures
