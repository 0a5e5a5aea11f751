"""Kinds of findings: title, why it matters, and what to try."""

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of finding."""

    title: str
    why: str  # why it matters
    advice: str


KINDS = {
    "leak": Kind(
        "In both parts",
        "A memorized copy is classified correctly: the test score is too high.",
        "Remove it from one part, or report the score without it.",
    ),
    "conflict": Kind(
        "Conflicting labels",
        "No model can classify all of them correctly.",
        "Correct the label, or remove them.",
    ),
    "duplicate": Kind(
        "Twice in one part", "A copy counts twice and adds no information.", "Keep one of them."
    ),
    "near_duplicate": Kind(
        "Nearly the same in one part",
        "Copies add no information, and a random split can put one on each side.",
        "Keep one of them, or keep all in the same part.",
    ),
    "unreadable": Kind(
        "Cannot be read",
        "Such a file stops training, or is skipped and makes its class smaller.",
        "Repair it, save it again as JPEG or PNG, or remove it.",
    ),
    "constant": Kind("Empty picture", "There is nothing in it to learn from.", "Remove it."),
    "tiny": Kind(
        "Tiny",
        "It is blurred when enlarged, and a model may learn the blur instead of the subject.",
        "Find a larger original, or remove it.",
    ),
    "prior_shift": Kind(
        "Classes differ between the parts",
        "Accuracy says more about the mix of classes than about the model.",
        "Draw the test part again, stratified; or report balanced accuracy.",
    ),
    "imbalance": Kind(
        "Imbalanced classes",
        "A model that never predicts the rare class still has a high accuracy.",
        "Report balanced accuracy, gather more of the rare class, or train with --class-weight balanced.",
    ),
    "absent_class": Kind(
        "Class missing",
        "It cannot be learned, or cannot be tested.",
        "Add samples of it, or remove the class.",
    ),
    "few_samples": Kind(
        "Very small class",
        "Its score is mostly chance.",
        "Add samples of it, or merge it with another class.",
    ),
    "missing_values": Kind(
        "Missing values",
        "Numbers and dates get the training median, yes or no the more common value, words a category of their "
        "own; a missing target, or NaN in arrays, is refused.",
        "Fill in what is known; remove rows without a target.",
    ),
    "constant_column": Kind(
        "Constant column", "It carries no information about the target.", "Remove the column."
    ),
}
