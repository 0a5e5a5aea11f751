"""What the report says of the scores: accuracies, the confusion matrix, and every score with its interval."""

from collections.abc import Sequence

from pellucid.evaluation.scores import figures as drawn
from pellucid.evaluation.scores.calibration_figure import calibration_figure
from pellucid.evaluation.scores.of_run import RunResult
from pellucid.evaluation.scores.records import Scores
from pellucid.evaluation.scores.text import in_words, with_interval
from pellucid.plotting.data import confusion_matrix_figure
from pellucid.plotting.style import class_name
from pellucid.report.draft import Draft
from pellucid.report.parts import Captioned, Cell, Section, Table
from pellucid.report.sections.photos import confusion_of
from pellucid.report.sections.summary import interval
from pellucid.text import percent, plural

MOST_CLASSES = 40  # in the table


def accuracy_section(draft: Draft, result: RunResult) -> Section:
    """Return accuracies with their intervals, and the confusion matrix with the photos behind each cell."""
    test = result.test
    draft.keep("confusion", confusion_matrix_figure(test.counts, test.classes))
    rows = [
        (
            name,
            part.n_samples,
            part.n_correct,
            percent(part.accuracy),
            interval(part),
            percent(part.balanced_accuracy),
        )
        for name, part in (("training", result.train), ("test", test))
    ]
    one = percent(1 / test.n_samples, 0 if test.n_samples <= 100 else 1)
    return Section(
        "How good is it?",
        intro=(
            f"With {plural(test.n_samples, 'test ' + result.noun)}, one more or one fewer right moves the accuracy "
            f"by {one}: a difference that stays within the interval may well be chance. The interval of the "
            "training part says nothing about new samples: the network has seen these.",
        ),
        table=Table(("Part", "Samples", "Right", "Accuracy", "95 % interval", "Balanced accuracy"), rows),
        parts=(Section("Which class is taken for which?", confusion=confusion_of(draft, result)),),
    )


def scores_section(draft: Draft, scores: Scores) -> Section:
    """Return every score with its interval: in words, as figures, and for each class."""
    columns = ("precision", "recall", "f1", "roc_auc")
    rows: list[Sequence[Cell]] = [
        (
            class_name((each.name,), 0),
            each.n_samples,
            *(with_interval(each.estimates[name]) for name in columns),
        )
        for each in scores.per_class[:MOST_CLASSES]
    ]
    return Section(
        "Every score and its interval",
        intro=in_words(scores),
        figures=_figures(draft, scores),
        table=Table(("Class", "Samples", "Precision", "Recall", "F1", "ROC area"), rows),
    )


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
