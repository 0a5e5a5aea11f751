"""The full report on the numbers: every score with its interval, and what the data check finds."""

from collections.abc import Sequence

from pellucid.checks.findings import Sample
from pellucid.plotting.style import class_name
from pellucid.report.draft import Draft
from pellucid.report.parts import Card, Cell, Gallery, Section, Table
from pellucid.report.sections.summary import count

MOST_TOLD = 8  # findings of one kind that are told in words
MOST_SHOWN = 24  # and pictures of them
MOST_CLASSES = 40  # in the table


def metrics_section(draft: Draft) -> Section:
    """Return every score with its interval: in words, as figures, and for each class."""
    from pellucid.evaluation.scores import figures as drawn
    from pellucid.evaluation.scores.calibration_figure import calibration_figure
    from pellucid.evaluation.scores.measure import score
    from pellucid.evaluation.scores.text import in_words, with_interval

    result = draft.result
    found = score(result.predictions)
    figures = [
        draft.figures.add(
            "scores",
            drawn.intervals_figure(found),
            "Each dot is a score on the test part, each bar what it may be on other samples of the same kind "
            "(95 %): scores whose bars overlap much may well be the same.",
            "Dots with bars: each score and its interval.",
        ),
        draft.figures.add(
            "roc",
            drawn.roc_figure(found),
            "Let the network be bolder, and it finds more of a class, but raises more false alarms. The nearer the "
            "curve comes to the top left corner, the better; the dotted line is guessing.",
            "ROC curves: the share found against the share of false alarms.",
        ),
        draft.figures.add(
            "precision-recall",
            drawn.precision_recall_figure(found),
            "Of what it calls by a class, how much is right, the more of the class it finds. The dotted line is "
            "how common the class is: what guessing has.",
            "Curves of precision against recall.",
        ),
    ]
    if found.calibration is not None:
        figures.append(
            draft.figures.add(
                "calibration",
                calibration_figure(found),
                "Does it know how sure it may be? Answers given with 80 % should be right in 80 %: on the dotted "
                "line. Below it the network is too sure. The bars at the bottom count the answers.",
                "Calibration curves: the share that is right against the probability that was said.",
            )
        )
    rows: list[Sequence[Cell]] = [
        (
            class_name((each.name,), 0),
            each.n_samples,
            *(with_interval(each.estimates[name]) for name in ("precision", "recall", "f1", "roc_auc")),
        )
        for each in found.per_class[:MOST_CLASSES]
    ]
    return Section(
        "Every score and its interval",
        intro=in_words(found),
        figures=figures,
        table=Table(("Class", "Samples", "Precision", "Recall", "F1", "ROC area"), rows),
    )


def data_check_section(draft: Draft) -> Section:
    """Return what the data check finds, with the pictures of it."""
    from pellucid.checks.check import check_data
    from pellucid.checks.text import KINDS

    result = draft.result
    checked = check_data(result.split)
    kinds = [kind for kind in KINDS if checked.of_kind(kind)]
    n = sum(len(checked.of_kind(kind)) for kind in kinds)
    named = ", ".join(f"“{KINDS[kind].title.lower()}”" for kind in kinds)
    if n:
        draft.told.append(f"The data check has {count(n, 'finding')}: {named}.")
    parts = []
    for kind in kinds:
        findings = checked.of_kind(kind)
        told = [finding.found[:1].upper() + finding.found[1:] for finding in findings[:MOST_TOLD]]
        if len(findings) > MOST_TOLD:
            told.append(f"And {len(findings) - MOST_TOLD} more of the same kind.")
        samples = [sample for finding in findings for sample in finding.samples]
        parts.append(
            Section(
                KINDS[kind].title,
                intro=(*told, f"{findings[0].why} {findings[0].advice}"),
                gallery=_pictures(draft, samples),
            )
        )
    return Section(
        "Is the data sound?",
        intro=(
            f"The data check looked for copies, conflicting labels, empty pictures and uneven classes and has "
            f"{count(n, 'finding') if n else 'no findings'}.",
            *([checked.shift_words] if checked.shift_words and "prior_shift" not in kinds else []),
            *(note for note in checked.notes if note not in result.split.notes),
        ),
        parts=parts,
    )


def _pictures(draft: Draft, samples: Sequence[Sample]) -> Gallery | None:
    places = [(s.part, s.index, s.label) for s in samples if s.index is not None]
    if draft.shelf is None or not places:
        return None
    names = {"train": "training", "test": "test"}
    cards = [
        Card(draft.shelf.photo(names[part], i), (label or "no class", f"{names[part]} {i}"))
        for part, i, label in dict.fromkeys(places[:MOST_SHOWN])
    ]
    more = f", the first {MOST_SHOWN} of {len(places)}" if len(places) > MOST_SHOWN else ""
    return Gallery(cards, f"What was found{more}: the class under which it is filed, and its place.", True)
