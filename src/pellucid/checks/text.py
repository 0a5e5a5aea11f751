"""A checkup in a few plain sentences, and its findings kind by kind."""

from typing import TYPE_CHECKING, NamedTuple

from pellucid.checks.records import ConstantScore, Finding
from pellucid.checks.words import TITLES

if TYPE_CHECKING:
    from pellucid.checks.check import DataReport


class KindRow(NamedTuple):
    """One line of a table of findings."""

    kind: str
    title: str
    n: int  # samples concerned, or findings where they have none
    first: str  # what was found, of the first
    n_more: int  # findings


def summary_of(checkup: "DataReport") -> tuple[str, ...]:
    """Return the checkup in plain sentences: sizes, leaks, what else was found, and the score to beat."""
    sizes = f"{_count(checkup.n_train, 'training sample')} and {_count(checkup.n_test, 'test sample')}"
    classes = f", {_count(len(checkup.counts['train']), 'class')}" if checkup.counts else ""
    sentences = [f"{checkup.name or 'The data'}: {sizes}{classes}.", _leak_sentence(checkup)]
    others = [row for row in kind_rows(checkup) if row.kind != "leak"]
    if others:
        words = ", ".join(f"{row.title.lower()} ({row.n})" for row in others)
        sentences.append(f"Also found: {words}.")
    elif not checkup.leaks:
        sentences.append("Nothing odd was found.")
    if checkup.shift is not None and not checkup.of_kind("prior_shift"):
        sentences.append(checkup.shift_words)
    if checkup.baseline:
        sentences.append(_baseline_sentence(**checkup.baseline))
    return tuple(sentences)


def kind_rows(checkup: "DataReport") -> list[KindRow]:
    """Return one row for each kind of finding that there is."""
    rows = []
    for kind, title in TITLES.items():
        findings = checkup.of_kind(kind)
        if findings:
            rows.append(
                KindRow(kind, title, _concerned(kind, findings), findings[0].found, len(findings) - 1)
            )
    return rows


def _concerned(kind: str, findings: tuple[Finding, ...]) -> int:
    if kind == "leak":  # each has one test sample, and its copies
        return len(findings)
    return sum(max(1, finding.n_samples) for finding in findings)


def _leak_sentence(checkup: "DataReport") -> str:
    leaked = {leak.test for leak in checkup.leaks}
    if not leaked:
        return "No test sample is in the training part too, as far as such copies are found."
    exact = {leak.test for leak in checkup.leaks if leak.kind == "exact"}
    kinds = "exactly" if exact == leaked else "nearly" if not exact else f"{len(exact)} of them exactly"
    are = "is" if len(leaked) == 1 else "are"
    return (
        f"{len(leaked)} of {_count(checkup.n_test, 'test sample')} {are} in the training part too, {kinds}."
    )


def _baseline_sentence(train_majority: ConstantScore, best_constant: ConstantScore) -> str:
    first = (
        f"Answering {train_majority.answer!r} every time, the commonest class in training, is right for "
        f"{_scored(train_majority)}"
    )
    if train_majority.n_correct == best_constant.n_correct:
        return f"{first}: a model has to beat that."
    return f"{first}; {best_constant.answer!r} every time for {_scored(best_constant)}: a model has to beat that."


def _scored(score: ConstantScore) -> str:
    low, high = (f"{100 * end:.0f}" for end in score.interval)
    return (
        f"{score.n_correct} of {score.n_samples} test samples ({100 * score.accuracy:.0f} %, 95 % interval {low} "
        f"to {high} %)"
    )


def _count(n: int, noun: str) -> str:
    if n == 1:
        return f"1 {noun}"
    return f"{n:,} {noun}{'es' if noun.endswith('s') else 's'}"
