"""What the report says of the data: how many of each class, what they look like, and what the data check found."""

from collections.abc import Sequence

import numpy as np

from pellucid.checks.check import DataReport
from pellucid.checks.findings import Sample
from pellucid.checks.text import KINDS
from pellucid.data.dataset import Dataset
from pellucid.evaluation.scores.of_run import RunResult
from pellucid.plotting.data import class_histogram, sample_grid
from pellucid.plotting.vector import image_to_vector
from pellucid.report.draft import Draft
from pellucid.report.parts import Captioned, Card, Gallery, Section
from pellucid.text import by, plural

MOST_SENTENCES = 8  # findings of one kind that have a sentence each
MOST_SHOWN = 24  # and pictures of them


def data_section(draft: Draft, result: RunResult) -> Section:
    """Return what there is of each class and, of photos, what they look like."""
    split, noun = result.split, result.noun
    shown = [
        draft.add(
            "classes",
            class_histogram(split),
            "The number of samples of each class. Where one class is much more common, always predicting it "
            "already scores well: compare accuracies with that.",
            f"Bars: how many samples each class ({', '.join(split.classes[:12])}) has in either part.",
            is_chart=True,
        )
    ]
    if draft.has_photos:
        shown += _samples(draft, result)
    return Section(
        "The data",
        intro=(
            f"{plural(len(split.train), 'training ' + noun)} and {plural(len(split.test), 'test ' + noun)} "
            f"of {by(split.train.X.shape[1:])} numbers, of {plural(len(split.classes), 'class', 'classes')}: "
            f"{', '.join(split.classes[:40])}. The test {noun}s are used only once, at the end.",
        ),
        figures=shown,
    )


def _samples(draft: Draft, result: RunResult) -> list[Captioned]:
    return [
        draft.add(
            "samples-train",
            sample_grid(result.split.train, "Training images"),
            "Training images drawn at random, with their label y and its class.",
            "A grid of training images with their labels.",
        ),
        draft.add(
            "samples-test",
            sample_grid(result.split.test, "Test images"),
            "Test images drawn at random. They should look like the training images, and not be the same ones.",
            "A grid of test images with their labels.",
        ),
    ]


def vector_section(draft: Draft, part: Dataset) -> Section:
    """Return how a photo becomes numbers."""
    at, channels = int(np.argmax(part.y)), 1 if part.X.ndim == 3 else part.X.shape[3]
    scaled = ", over 255" if part.X.dtype == np.uint8 else ""
    colours = {1: "brightness", 3: "red, green and blue", 4: "red, green, blue and alpha"}[channels]
    return Section(
        "From photo to numbers",
        intro=(
            f"The network sees no photo, only {int(np.prod(part.X.shape[1:])):,} numbers: "
            f"every pixel's {colours}{scaled}.",
        ),
        figures=(
            draft.add(
                "image-to-vector",
                image_to_vector(part.X[at], part.classes[part.y[at]]),
                f"Read from left to right: the photo, its first pixels with their {colours}, and the long column "
                "that they become, row by row.",
                "A photo, an enlarged corner of it with pixel values, and the column of numbers.",
            ),
        ),
    )


def check_section(draft: Draft, check: DataReport) -> Section:
    """Return what the data check found, with the pictures of it."""
    kinds = [kind for kind in KINDS if check.of_kind(kind)]
    n = len(check.findings)
    known = check.split.notes if check.split else ()
    return Section(
        "Is the data sound?",
        intro=(
            "The data check looked for copies, conflicting labels, empty pictures and uneven classes and has "
            f"{plural(n, 'finding') if n else 'no findings'}.",
            *([check.shift_words] if check.shift_words and "prior_shift" not in kinds else []),
            *(note for note in check.notes if note not in known),
        ),
        parts=[_findings(draft, check, kind) for kind in kinds],
    )


def check_in_short(check: DataReport) -> tuple[str, ...]:
    """Return what the data check adds to the summary; nothing where it found nothing."""
    named = ", ".join(f"“{KINDS[kind].title.lower()}”" for kind in KINDS if check.of_kind(kind))
    return (f"The data check has {plural(len(check.findings), 'finding')}: {named}.",) if named else ()


def _findings(draft: Draft, check: DataReport, kind: str) -> Section:
    findings = check.of_kind(kind)
    sentences = [finding.found[:1].upper() + finding.found[1:] for finding in findings[:MOST_SENTENCES]]
    if len(findings) > MOST_SENTENCES:
        sentences.append(f"And {len(findings) - MOST_SENTENCES} more of the same kind.")
    samples = [sample for finding in findings for sample in finding.samples]
    intro = (*sentences, f"{findings[0].why} {findings[0].advice}")
    return Section(KINDS[kind].title, intro=intro, gallery=_pictures(draft, samples))


def _pictures(draft: Draft, samples: Sequence[Sample]) -> Gallery | None:
    places = [(s.part, s.index, s.label) for s in samples if s.index is not None]
    if not draft.has_photos or not places:
        return None
    names = {"train": "training", "test": "test"}
    cards = [
        Card(draft.photo(names[part], i), (label or "no class", f"{names[part]} {i}"))
        for part, i, label in dict.fromkeys(places[:MOST_SHOWN])
    ]
    more = f", the first {MOST_SHOWN} of {len(places)}" if len(places) > MOST_SHOWN else ""
    return Gallery(cards, f"What was found{more}: the class under which it is filed, and its place.", True)
