"""What the report says of the scores: the confusion matrix, and every score with its interval."""

from pellucid.evaluation.scores import plot_scores as drawn
from pellucid.evaluation.scores.scores import Scores
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Section, Table

FEW_CLASSES = 12  # that are shown at once
CAPTIONS = {
    "roc": ("Nearer to the top left is better; dotted: guessing.", "ROC curves."),
    "precision-recall": ("Nearer to the top right is better.", "Curves of precision against recall."),
    "calibration": ("Below the dotted line the network is overconfident.", "Calibration curves."),
}
MEANINGS = {
    "accuracy": "the share of samples that are predicted correctly",
    "baseline": "the accuracy of always predicting the most common class",
    "balanced_accuracy": "the mean recall of the classes",
    "precision": "of the samples predicted as a class, the share that belongs to it",
    "recall": "of the samples of a class, the share that is predicted as it",
    "f1": "the harmonic mean of recall and precision",
    "roc_auc": "how often a sample of a class scores above another; 0.5 is guessing",
    "average_precision": "the precision, averaged over every recall",
    "brier": "mean squared distance of the probabilities from the truth; 0 is perfect",
    "log_loss": "minus the logarithm of the true class's probability; 0 is perfect",
}


def scores_section(draft: Draft, scores: Scores) -> Section:
    """Return every score with its interval and its meaning: overall, for each class, and as figures."""
    rows = [(*scores.cells(row), MEANINGS.get(row["score"], "")) for row in scores.to_rows()]
    curves = [
        draft.add(name, drawn.draw(scores, name), *words)
        for name, words in CAPTIONS.items()
        if scores.predictions.has_probabilities or name != "calibration"
    ]
    table, of_classes = Table((*scores.columns, "meaning"), rows), Table(*scores.class_table())
    are_many = len(scores.per_class) > FEW_CLASSES
    parts = (
        Section("Each class by itself", table=of_classes, is_folded=are_many),
        Section("Curves over every threshold, and calibration", figures=curves, is_folded=True),
    )
    return Section("Every score and its interval", intro=scores.notes, table=table, parts=parts)
