"""The parts that every report of a run has: which figures, and what is said about them."""

import numpy as np

from pellucid.evaluation.scores.mistakes_figure import mistakes
from pellucid.plotting.data import class_histogram, confusion_matrix_figure, sample_grid
from pellucid.plotting.network import network_diagram
from pellucid.plotting.photo import new_photo
from pellucid.plotting.training import cost_curve
from pellucid.plotting.vector import image_to_vector
from pellucid.report.draft import Draft
from pellucid.report.parts import Captioned, Section, Table
from pellucid.report.sections.photos import confusion_of, galleries
from pellucid.report.sections.summary import count, interval
from pellucid.text import by, percent

MOST_MISTAKES = 60  # pictures in figures/mistakes.png

# The tutorial's six, in our words.
WHY_MISREAD = (
    "what is shown lies, climbs or curls up in a position that few training photos have",
    "the background has its own colour",
    "its colour or kind is rare among the training photos",
    "the camera looks from an unusual angle",
    "the picture is very dark or very bright",
    "it is very large or very small in the frame",
)


def data_section(draft: Draft) -> Section:
    """Return what there is of each class and, of photos, what they look like."""
    result = draft.result
    split = result.split
    shown = [
        draft.figures.add(
            "classes",
            class_histogram(split),
            "How many there are of each class. Where one class is much more common, always answering it "
            "already scores well: compare accuracies with that.",
            f"Bars: how many samples each class ({', '.join(split.classes[:12])}) has in either part.",
            is_chart=True,
        )
    ]
    if draft.shelf is not None:
        shown += _samples(draft)
    return Section(
        "The data",
        intro=(
            f"{count(len(split.train), 'training ' + result.thing)} and "
            f"{count(len(split.test), 'test ' + result.thing)} "
            f"of {by(split.train.X.shape[1:])} numbers, of {count(len(split.classes), 'class')}: "
            f"{', '.join(split.classes[:40])}. The test {result.thing}s are looked at only once, at the end.",
        ),
        figures=shown,
    )


def _samples(draft: Draft) -> list[Captioned]:
    split = draft.result.split
    return [
        draft.figures.add(
            "samples-train",
            sample_grid(split.train, "Training images"),
            "Training images drawn at random, with their label y and its class.",
            "A grid of training images with their labels.",
        ),
        draft.figures.add(
            "samples-test",
            sample_grid(split.test, "Test images"),
            "Test images drawn at random. They should look like the training images, and not be the same ones.",
            "A grid of test images with their labels.",
        ),
    ]


def vector_section(draft: Draft) -> Section | None:
    """Return how a photo becomes numbers; of other data nothing."""
    result = draft.result
    if draft.shelf is None:
        return None
    part = result.split.train
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
            draft.figures.add(
                "image-to-vector",
                image_to_vector(part.X[at], part.classes[part.y[at]]),
                f"Read from left to right: the photo, its first pixels with their {colours}, and the long column "
                "that they become, row by row.",
                "A photo, an enlarged corner of it with pixel values, and the column of numbers.",
            ),
        ),
    )


def network_section(draft: Draft) -> Section:
    """Return the network as a diagram and a table."""
    result = draft.result
    rows = list(result.model.summary().layers)
    if result.model.loss == "binary_cross_entropy":  # the sigmoid is in the loss, and belongs in the picture
        rows[-1] = rows[-1]._replace(activation="sigmoid")
    table = [(row.name, by(row.output_shape), row.activation or "none", row.n_params) for row in rows]
    largest = max(rows, key=lambda row: row.n_params)
    return Section(
        "The network",
        intro=("Each layer multiplies by its weights, adds its biases and bends the result.",),
        figures=(
            draft.figures.add(
                "network",
                network_diagram(rows, input_shape=result.model.input_shape),
                f"Data flows from left to right. Most parameters, {largest.n_params:,} of "
                f"{result.model.theta.size:,}, are in {largest.name}.",
                "A diagram of the layers with their sizes and numbers of parameters.",
            ),
        ),
        table=Table(("Layer", "Output", "Activation", "Parameters"), table),
    )


def training_section(draft: Draft) -> Section:
    """Return how the cost fell."""
    result = draft.result
    history, options = result.history, result.config.options
    marks = history.marks()
    at = sorted({*range(0, len(history.losses), max(1, len(history.losses) // 500)), *marks})
    shown = (
        ()
        if not history.losses
        else (
            draft.figures.add(
                "cost",
                cost_curve(at, [history.losses[i] for i in at], learning_rate=options.learning_rate),
                "The cost says how wrong and how unsure the network is on its training samples; lower is better, "
                f"and ln {len(result.test.classes)} = {np.log(len(result.test.classes)):.2f} is blind guessing. "
                "Bumps are steps that went too far.",
                f"The cost falls from {history.losses[0]:.3f} to {history.losses[-1]:.3f}.",
                is_chart=True,
            ),
        )
    )
    return Section(
        "Training",
        intro=(
            f"{count(history.n_steps, 'step')} of gradient descent at learning rate {options.learning_rate:g} took "
            f"{history.seconds:.2f} s" + (f" ({history.note})." if history.note else "."),
        ),
        figures=shown,
        table=Table(("Iteration", "Cost"), _spread(list(marks.items())), fold="The costs in numbers"),
    )


def _spread(marks: list[tuple[int, float]], most: int = 26) -> list[tuple[int, str]]:
    """Return the marks as rows of a table, the first and the last among them, not too many."""
    at = np.unique(np.linspace(0, len(marks) - 1, min(most, len(marks))).round().astype(int))
    return [(marks[i][0], f"{marks[i][1]:.6f}") for i in at]


def evaluation_section(draft: Draft) -> Section:
    """Return accuracies with their intervals, and the confusion matrix with the photos behind each cell."""
    result = draft.result
    test = result.test
    draft.figures.keep("confusion", confusion_matrix_figure(test.counts, test.classes))
    rows = [
        (
            name,
            part.n_samples,
            part.n_correct,
            percent(part.accuracy),
            interval(part.n_correct, part.n_samples),
            percent(part.balanced_accuracy),
        )
        for name, part in (("training", result.train), ("test", test))
    ]
    return Section(
        "How good is it?",
        intro=(
            f"With {count(test.n_samples, 'test ' + result.thing)}, one more or one fewer right moves the accuracy "
            f"by {percent(1 / test.n_samples, 0 if test.n_samples <= 100 else 1)}: a difference that stays within "
            "the interval may well be chance. The interval of the training part is no measure of new ones: the "
            "network has seen them.",
        ),
        table=Table(("Part", "Samples", "Right", "Accuracy", "95 % interval", "Balanced accuracy"), rows),
        parts=(Section("Which class is taken for which?", confusion=confusion_of(result, draft.shelf)),),
    )


def photos_section(draft: Draft) -> Section | None:
    """Return the galleries; of other data than photos nothing."""
    result = draft.result
    if draft.shelf is None:
        return None
    test = result.split.test
    draft.figures.keep(
        "mistakes",
        mistakes(test, result.predictions, max_images=MOST_MISTAKES),
    )
    reasons = "Photos are misread for reasons that can often be seen. Look for these: "
    wrong = result.test.n_samples - result.test.n_correct
    return Section(
        "Mistakes and hits",
        intro=(reasons + "; ".join(WHY_MISREAD) + ".",)
        if wrong
        else (f"All {test.y.size} test photos are right.",),
        parts=galleries(result, draft.shelf),
    )


def new_photo_section(draft: Draft) -> Section | None:
    """Return the verdict on a photo from outside; without one nothing."""
    photo = draft.result.photo
    if photo is None:
        return None
    return Section(
        "A new photo",
        intro=(f"{photo.name}: in neither part of the data.",),
        figures=(
            draft.figures.add(
                "new-photo",
                new_photo(
                    photo.original, photo.seen, label=photo.label, probability=photo.probability, y=photo.y
                ),
                "Left, the photo as given; right, all that the network sees of it.",
                f"The new photo, read as {photo.label}.",
            ),
        ),
    )
