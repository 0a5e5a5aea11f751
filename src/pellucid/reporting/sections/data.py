"""What the report says of the data: how many of each class, what they look like, and what the data check found."""

from collections.abc import Sequence

import numpy as np

from pellucid.checks.check import DataReport
from pellucid.checks.findings import Sample
from pellucid.checks.kinds import KINDS
from pellucid.data.dataset import Dataset, Split
from pellucid.nn.model import Model
from pellucid.plotting.data import class_histogram, sample_grid
from pellucid.plotting.style import class_name
from pellucid.plotting.tables import target_histograms
from pellucid.plotting.vector import image_to_vector
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Captioned, Card, Gallery, Section
from pellucid.rng import stream
from pellucid.runs.run import Run
from pellucid.text import by, join, join_some, plural

MOST_SENTENCES = 8  # findings of one kind that have a sentence each
MOST_SHOWN = 24  # and pictures of them
MOST_LETTERS = 300  # of the names of all classes; of more, a few are named
MOST_TARGETS = 3  # numbers under a picture
N_TRAINING, N_TEST = 20, 10  # pictures that are shown


def data_section(draft: Draft, run: Run) -> Section:
    """Return how many samples there are, what they look like, and what is to be predicted."""
    split, noun = run.split, run.noun
    intro = (
        f"{plural(len(split.train), 'training ' + noun)} and {plural(len(split.test), 'test ' + noun)} "
        f"of {by(split.train.X.shape[1:])} numbers{_classes(split)}. "
        f"The test {noun}s are used only once, at the end."
    )
    parts = []
    if draft.has_photos:
        parts = [*_samples(draft, run), vector_section(draft, split.train, run.model)]
    return Section("The data", intro=(intro,), figures=(_targets(draft, run),), parts=parts)


def _classes(split: Split) -> str:
    if not split.classes:
        return ""
    names = ", ".join(split.classes)
    named = names if len(names) <= MOST_LETTERS else join_some(split.classes)
    return f", of {plural(len(split.classes), 'class', 'classes')}: {named}"


def _targets(draft: Draft, run: Run) -> Captioned:
    split, noun = run.split, run.noun
    if not split.classes:
        names = run.targets
        return draft.add(
            "targets",
            target_histograms(split, names),
            "The numbers to predict, in bins. A network that always predicts their mean is the one to beat.",
            f"Histograms of {join([f'“{name}”' for name in names])} in either part.",
        )
    return draft.add(
        "classes",
        class_histogram(split),
        f"The number of {noun}s of each class. Where one class is much more common, always predicting it "
        "already scores well: compare accuracies with that.",
        f"Bars: how many {noun}s each class ({', '.join(split.classes[:12])}) has in either part.",
    )


def _samples(draft: Draft, run: Run) -> list[Section]:
    """Return photos of both parts, drawn at random; as figures they are kept for themselves."""
    split, noun, sections = run.split, run.noun, []
    for part, data, n in (("training", split.train, N_TRAINING), ("test", split.test, N_TEST)):
        name = {"training": "train", "test": "test"}[part]
        draft.keep(f"samples-{name}", sample_grid(data, f"{part.capitalize()} {noun}s"))
        rows = np.sort(stream(1, f"report, {part}").permutation(len(data))[:n])
        cards = [
            Card(
                draft.photo(part, i),
                (_label(run, part, int(i)), *draft.file(part, i), f"{noun} {i}"),
            )
            for i in rows
        ]
        like = " They should look like the training ones, and not be the same." if part == "test" else ""
        file = "" if data.files is None else ", file"
        caption = (
            f"Drawn at random, each with its {'class' if split.classes else 'target'}{file} and number.{like}"
        )
        sections.append(Section(f"{part.capitalize()} {noun}s", gallery=Gallery(cards, caption, True)))
    return sections


def _label(run: Run, part: str, i: int) -> str:
    data = run.split.train if part == "training" else run.split.test
    if data.classes:
        return class_name(data.classes, int(data.y[i]), 16)
    return " ".join(f"{value:.4g}" for value in np.atleast_1d(data.y[i])[:MOST_TARGETS])


def vector_section(draft: Draft, part: Dataset, model: Model) -> Section:
    """Return how a picture becomes numbers: for a network that flattens it, one long column of them."""
    at, channels = int(np.argmax(part.y)) if part.classes else 0, 1 if part.X.ndim == 3 else part.X.shape[3]
    scaled = ", over 255" if part.X.dtype == np.uint8 else ""
    colours = {1: "brightness", 3: "red, green and blue", 4: "red, green, blue and alpha"}[channels]
    intro = (
        f"The network sees no {part.noun}, only {int(np.prod(part.X.shape[1:])):,} numbers: "
        f"every pixel's {colours}{scaled}."
    )
    title = f"From {part.noun} to numbers"
    if next((row.kind for row in model.summary().layers), "") not in ("Flatten", "Dense"):
        intro += (
            f" They keep their places in a grid of {by(part.X.shape[1:3])} pixels, in which the first layer "
            "compares neighbours."
        )
        return Section(title, intro=(intro,), is_folded=True)
    figure = draft.add(
        "image-to-vector",
        image_to_vector(part.X[at], part.classes[part.y[at]] if part.classes else ""),
        f"Read from left to right: the {part.noun}, its first pixels with their {colours}, and the long column "
        "that they become, row by row.",
        f"A {part.noun}, an enlarged corner of it with pixel values, and the column of numbers.",
    )
    return Section(title, intro=(intro,), figures=(figure,), is_folded=True)


def check_section(draft: Draft, check: DataReport) -> Section:
    """Return what the data check found, with the pictures of it."""
    kinds = [kind for kind in KINDS if check.of_kind(kind)]
    n = len(check.findings)
    known = check.split.notes if check.split else ()
    return Section(
        "Is the data sound?",
        intro=(
            f"The data check looked for {join(_looked_for(draft))} and has "
            f"{plural(n, 'finding') if n else 'no findings'}.",
            *(note for note in check.notes if draft.has_photos and note not in known),
        ),
        parts=[_findings(draft, check, kind) for kind in kinds],
    )


def _looked_for(draft: Draft) -> list[str]:
    """Return what the data check looks for in data of this kind."""
    classes = ["conflicting labels", "uneven classes"] if draft.data["training"].classes else []
    return ["copies", *classes, "empty pictures" if draft.has_photos else "missing values"]


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
    intro = (*sentences, f"{KINDS[kind].why} {KINDS[kind].advice}")
    return Section(KINDS[kind].title, intro=intro, gallery=_pictures(draft, samples))


def _pictures(draft: Draft, samples: Sequence[Sample]) -> Gallery | None:
    places = [(s.part, s.index, s.label) for s in samples if s.index is not None]
    if not draft.has_photos or not places:
        return None
    names = {"train": "training", "test": "test"}
    cards = [
        Card(
            draft.photo(names[part], i),
            (label or "no class", *draft.file(names[part], i), f"{names[part]} {i}"),
        )
        for part, i, label in dict.fromkeys(places[:MOST_SHOWN])
    ]
    more = f", the first {MOST_SHOWN} of {len(places)}" if len(places) > MOST_SHOWN else ""
    return Gallery(cards, f"What was found{more}: the class under which it is filed, and its place.", True)
