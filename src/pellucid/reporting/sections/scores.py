"""What the report says of the scores: the confusion matrix, and every score with its interval."""

from pellucid.evaluation.scores import plot_scores as drawn
from pellucid.evaluation.scores.scores import Scores
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Section, Table

FEW_CLASSES = 12  # that are shown at once
CAPTIONS = {
    "roc": ("Nearer to the top left is better; dotted: guessing.", "ROC curves."),
    "precision-recall": ("Nearer to the top right is better.", "Curves of precision against recall."),
    "calibration": (
        "On the dotted line the probabilities are right; of the predicted class, below it the network is "
        "overconfident. Whiskers: {level:g} % intervals.",
        "Calibration curves.",
    ),
}
MEANINGS = {
    "accuracy": "the share of samples that are predicted correctly",
    "baseline": "the accuracy of always predicting the most common class",
    "balanced_accuracy": "the mean recall of the classes",
    "precision": "of the samples predicted as a class, the share that belongs to it; mean of the classes",
    "f1": "the harmonic mean of recall and precision; mean of the classes",
    "roc_auc": "how often a sample of a class scores above another; 0.5 is guessing; mean of the classes",
    "average_precision": "the precision, averaged over every recall; mean of the classes",
    "brier": "mean squared distance of the probabilities from the truth; 0 is perfect",
    "log_loss": "minus the logarithm of the true class's probability; 0 is perfect",
    "sensitivity": "the share of this class that is found: its recall",
    "specificity": "the share of the other class that is recognized: its recall",
}


def scores_section(draft: Draft, scores: Scores) -> Section:
    """Return every score with its interval and its meaning: overall, for each class, and as figures."""
    rows = [(*scores.cells(row), MEANINGS.get(row["score"], "")) for row in scores.to_rows()]
    curves = [
        draft.add(name, drawn.draw(scores, name), caption.format(level=100 * scores.level), alt)
        for name, (caption, alt) in CAPTIONS.items()
        if scores.predictions.has_probabilities or name != "calibration"
    ]
    table, of_classes = Table((*scores.columns, "meaning"), rows), Table(*scores.class_table())
    are_many = len(scores.per_class) > FEW_CLASSES
    parts = (
        Section("Each class by itself", table=of_classes, is_folded=are_many),
        Section("Curves over every threshold, and calibration", figures=curves, is_folded=True),
    )
    return Section("Every score and its interval", intro=scores.notes, table=table, parts=parts)
