"""The text of a data check: title, reason and advice for each kind of finding, and the report in sentences."""

import math
from typing import TYPE_CHECKING, NamedTuple

from pellucid.shares import share, share_range
from pellucid.text import plural

if TYPE_CHECKING:
    from pellucid.checks.check import DataReport
    from pellucid.checks.classes import ConstantScore
    from pellucid.checks.findings import Finding


class Kind(NamedTuple):
    """A kind of finding."""

    title: str
    why: str  # why it matters
    advice: str


KINDS = {
    "leak": Kind(
        "In both parts",
        "A model that memorized the copy classifies it correctly, so the test score is too high.",
        "Remove it from one part, or report the score without it.",
    ),
    "conflict": Kind(
        "Conflicting labels",
        "No model can classify all of them correctly, and training pulls the weights in both directions.",
        "Look at them and correct the label, or remove them.",
    ),
    "duplicate": Kind(
        "Twice in one part",
        "A copy counts twice in training or in the score and adds no information.",
        "Keep one of them.",
    ),
    "near_duplicate": Kind(
        "Nearly the same in one part",
        "Copies count several times in training or in the score and add no information; a later random split "
        "can put one on each side.",
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
        "What a model learned about how common each class is does not hold on the test part, and plain accuracy "
        "says more about the mix than about the model.",
        "Draw the test part again, at random or stratified; or report balanced accuracy.",
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
        "A few samples cannot show what a class has in common, and its score is mostly chance.",
        "Add samples of it, or merge it with another class.",
    ),
    "missing_values": Kind(
        "Missing values",
        "A model cannot learn from missing numbers, and rows with them are rejected.",
        "Fill them in, or remove those rows or columns.",
    ),
    "constant_column": Kind(
        "Constant column",
        "A constant column carries no information about the target.",
        "Remove the column.",
    ),
}


class KindRow(NamedTuple):
    """One line of a table of findings."""

    kind: str
    title: str
    n: int  # samples concerned, or findings where they have none
    first: str  # what was found, of the first
    n_more: int  # findings


def summary_of(report: "DataReport") -> tuple[str, ...]:
    """Return a report in plain sentences: sizes, leaks, what else was found, and the score to beat."""
    sizes = f"{plural(report.n_train, 'training sample')} and {plural(report.n_test, 'test sample')}"
    classes = f", {plural(len(report.counts['train']), 'class', 'classes')}" if report.counts else ""
    sentences = [f"{report.name or 'The data'}: {sizes}{classes}.", _leak_sentence(report)]
    others = [row for row in kind_rows(report) if row.kind != "leak"]
    if others:
        words = ", ".join(f"{row.title.lower()} ({row.n})" for row in others)
        sentences.append(f"Also found: {words}.")
    elif not report.leaks:
        sentences.append("Nothing odd was found.")
    if report.shift is not None and not report.of_kind("prior_shift"):
        sentences.append(report.shift_words)
    if report.baseline:
        sentences.append(_baseline_sentence(**report.baseline))
    return tuple(sentences)


def kind_rows(report: "DataReport") -> list[KindRow]:
    """Return one row for each kind of finding that there is."""
    found = {kind: report.of_kind(kind) for kind in KINDS}
    return [
        KindRow(kind, KINDS[kind].title, _n_concerned(kind, its), its[0].found, len(its) - 1)
        for kind, its in found.items()
        if its
    ]


def _n_concerned(kind: str, findings: tuple["Finding", ...]) -> int:
    if kind == "leak":  # each has one test sample, and its copies
        return len(findings)
    return sum(max(1, finding.n_samples) for finding in findings)


def _leak_sentence(report: "DataReport") -> str:
    leaked = {leak.test for leak in report.leaks}
    if not leaked:
        return "No test sample is in the training part too, as far as such copies are found."
    exact = {leak.test for leak in report.leaks if leak.kind == "exact"}
    kinds = "exactly" if exact == leaked else "nearly" if not exact else f"{len(exact)} of them exactly"
    are = "is" if len(leaked) == 1 else "are"
    return f"{len(leaked)} of {plural(report.n_test, 'test sample')} {are} in the training part too, {kinds}."


def _baseline_sentence(train_majority: "ConstantScore", best_constant: "ConstantScore") -> str:
    first = (
        f"The majority-class baseline, always predicting {train_majority.answer!r}, is right for "
        f"{_scored(train_majority)}"
    )
    if train_majority.n_correct == best_constant.n_correct:
        return f"{first}: a model has to beat that."
    return f"{first}; always {best_constant.answer!r} for {_scored(best_constant)}: a model has to beat that."


def _scored(score: "ConstantScore") -> str:
    n = score.n_samples
    return (
        f"{score.n_correct} of {n} test samples ({share(score.accuracy, n)}, 95 % interval "
        f"{share_range(*score.interval, n)})"
    )


def odds(p: float) -> str:
    """Return a small probability in words.

    Examples
    --------
    >>> odds(0.004), odds(4.6e-05), odds(1e-30)
    ('about 4 times in 1,000 (p = 0.004)', 'about 5 times in 100,000 (p = 4.6e-05)',
     'less than once in a million times (p = 1e-30)')
    """
    if p < 1e-6:
        return f"less than once in a million times (p = {p:.2g})"
    scale = 10 ** math.ceil(-math.log10(p))
    times = max(1, round(p * scale))
    if times == 10:
        times, scale = 1, scale // 10
    return f"about {'once' if times == 1 else f'{times} times'} in {scale:,} (p = {p:.2g})"
