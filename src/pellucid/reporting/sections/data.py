"""What the report says of the data: how many of each class, what they look like, and what the data check found."""

import numpy as np

from pellucid.checks.check import DataReport
from pellucid.checks.kinds import KINDS
from pellucid.data.dataset import Dataset, Split
from pellucid.nn.model import Model
from pellucid.plotting.data import class_histogram
from pellucid.plotting.style import class_name
from pellucid.plotting.tables import target_histograms
from pellucid.plotting.vector import image_to_vector
from pellucid.reporting.draft import Draft
from pellucid.reporting.elements import Gallery, Section
from pellucid.rng import stream
from pellucid.runs.run import Run
from pellucid.text import by, capitalized, join_some, plural
from pellucid.types import Array

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
        f"of {by(split.train.X.shape[1:])} numbers{_classes(split)}."
    )
    if split.classes:
        name, figure, caption = "classes", class_histogram(split), f"The {noun}s of each class"
    else:
        name, caption = "targets", "The numbers to predict, in bins"
        figure = target_histograms(split, run.targets)
    targets = draft.add(name, figure, f"{caption}.", f"{caption}, in either part.")
    parts = []
    if draft.has_photos:
        for part, n in (("training", N_TRAINING), ("test", N_TEST)):
            data, cards = draft.data[part], []
            for i in drawn(data, n, f"report, {part}"):
                label = " ".join(f"{value:.4g}" for value in np.atleast_1d(data.y[i])[:MOST_TARGETS])
                label = class_name(data.classes, int(data.y[i]), 16) if data.classes else label
                cards.append(draft.card(part, i, label, last=f"{noun} {i}"))
            each = ", at least one of each class" if data.classes else ""
            gallery = Gallery(cards, f"Chosen at random{each}.", True)
            parts.append(Section(f"{part.capitalize()} {noun}s", gallery=gallery))
        parts.append(vector_section(draft, split.train, run.model))
    return Section("The data", intro=(intro,), figures=(targets,), parts=parts)


def drawn(data: Dataset, n: int, purpose: str) -> Array:
    """Return n rows drawn at random, in order; of classes one each first, as far as they go.

    Examples
    --------
    >>> rare = Dataset(np.zeros((100, 2)), np.arange(100) // 99, ("ok", "defect"))
    >>> int(drawn(rare, 5, "report, test")[-1])
    99
    """
    rows = stream(1, purpose).permutation(len(data))
    if data.classes and data.y.ndim == 1:
        firsts = np.sort(np.unique(data.y[rows], return_index=True)[1])
        rows = np.concatenate([rows[firsts], np.delete(rows, firsts)])
    return np.sort(rows[:n])


def _classes(split: Split) -> str:
    if not split.classes:
        return ""
    names = ", ".join(split.classes)
    named = names if len(names) <= MOST_LETTERS else join_some(split.classes)
    return f", of {plural(len(split.classes), 'class', 'classes')}: {named}"


def vector_section(draft: Draft, part: Dataset, model: Model) -> Section:
    """Return how a picture becomes numbers: for a network that flattens it, one long column of them."""
    at, n = int(np.argmax(part.y)) if part.classes else 0, int(np.prod(part.X.shape[1:]))
    title, scaled = f"From {part.noun} to numbers", ", divided by 255" if part.X.dtype == np.uint8 else ""
    if next((row.kind for row in model.summary().layers), "") not in ("Flatten", "Dense"):
        words = f"{n:,} numbers{scaled}, in a grid of {by(part.X.shape[1:3])} pixels whose neighbours are compared."
        return Section(title, intro=(words,), is_folded=True)
    figure = draft.add(
        "image-to-vector",
        image_to_vector(part.X[at], part.classes[part.y[at]] if part.classes else ""),
        f"The {part.noun}, its first pixels, and the column of {n:,} numbers{scaled} that they become, row by row.",
        f"A {part.noun}, an enlarged corner of it with pixel values, and the column of numbers.",
    )
    return Section(title, figures=(figure,), is_folded=True)


def check_section(draft: Draft, check: DataReport) -> Section:
    """Return what the data check found, with the pictures of it."""
    kinds = [kind for kind in KINDS if check.of_kind(kind)]
    known = check.split.notes if check.split else ()
    return Section(
        "Is the data sound?",
        intro=(
            f"{plural(len(check.findings), 'finding') if kinds else 'Nothing was found'}. {check.searched}",
            *(note for note in check.notes if draft.has_photos and note not in known),
        ),
        parts=[_of_kind(draft, check, kind) for kind in kinds],
    )


def _of_kind(draft: Draft, check: DataReport, kind: str) -> Section:
    """Return the findings of one kind, with the pictures of their samples."""
    findings = check.of_kind(kind)
    sentences = [capitalized(finding.found) for finding in findings[:MOST_SENTENCES]]
    if len(findings) > MOST_SENTENCES:
        sentences.append(f"And {len(findings) - MOST_SENTENCES} more of the same kind.")
    samples = [sample for finding in findings for sample in finding.samples]
    places = [(s.part, s.index, s.label or "no class") for s in samples if s.index is not None]
    gallery = None
    if draft.has_photos and places:
        cards = [draft.card(*place) for place in dict.fromkeys(places[:MOST_SHOWN])]
        more = f", the first {MOST_SHOWN} of {len(places)}" if len(places) > MOST_SHOWN else ""
        words = f"What was found{more}: the class under which it is filed, and its place."
        gallery = Gallery(cards, words, is_small=True)
    intro = (*sentences, f"{KINDS[kind].why} {KINDS[kind].advice}")
    return Section(KINDS[kind].title, intro=intro, gallery=gallery)
