"""The report of a run: which figures, and what is said about them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pellucid.app.config import TrainingConfig
from pellucid.evaluation.diagrams import network_diagram
from pellucid.evaluation.figures import class_histogram, confusion_matrix_figure, cost_curve
from pellucid.evaluation.gallery import mistake_rows, mistakes
from pellucid.evaluation.metrics import Evaluation
from pellucid.evaluation.pictures import image_to_vector, new_photo, sample_grid
from pellucid.evaluation.report import Captioned, ReportContent, Section, Table, save_figure, write_report
from pellucid.evaluation.style import percent
from pellucid.nn.model import Model
from pellucid.training.records import History
from pellucid.types import Array, Split

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_MISTAKES = 60  # pictures in the report; the table beside it names them all

# The tutorial's six, in our words.
WHY_MISREAD = (
    "the animal lies, climbs or curls up in a position that few training photos show",
    "the background has the animal's own colour",
    "its colour or kind is rare among the training photos",
    "the camera looks from an unusual angle",
    "the picture is very dark or very bright",
    "the animal is very large or very small in the frame",
)


@dataclass(frozen=True, eq=False)
class NewPhoto:
    """A photo that is in neither part of the data, and the model's verdict on it."""

    name: str
    original: Array  # (h, w, 3) uint8
    seen: Array  # one sample of the model's input
    y: int
    label: str
    probability: float


@dataclass(frozen=True, eq=False)
class RunResult:
    """All that a run found out."""

    split: Split
    config: TrainingConfig
    model: Model
    history: History
    train: Evaluation
    test: Evaluation
    predicted: Array  # (m_test,)
    probabilities: Array  # (m_test, k)
    photo: NewPhoto | None


class _Figures:
    """Draws each figure once, for its file and for the report."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, figure: "Figure", caption: str, alt: str) -> Captioned:
        return Captioned(
            save_figure(figure, self.folder / "figures" / f"{name}.png"), caption=caption, alt=alt
        )


def write_run_report(result: RunResult, folder: Path) -> Path:
    """Write the figures and report.html into the folder, and return the report's path."""
    figures = _Figures(folder)
    parts: list[Callable[[RunResult, _Figures], Section]] = [_network, _training, _evaluation]
    if result.split.train.X.ndim == 4:  # images
        parts = [_data, _vector, *parts, _mistakes]
    if result.photo is not None:
        parts.append(_photo)
    content = ReportContent(
        title=f"{result.config.model} on {result.split.name}",
        summary=_summary(result),
        facts=_facts(result),
        sections=tuple(part(result, figures) for part in parts),
        closing="; ".join(result.split.notes),
    )
    return write_report(content, folder / "report.html")


def _summary(result: RunResult) -> tuple[str, ...]:
    test, history = result.test, result.history
    verdict = "more than" if test.accuracy > test.baseline else "no more than"
    first = (
        f"A network was trained on {result.train.n_samples} samples to tell {_either(result.split.classes)}. "
        f"On {test.n_samples} samples that it had never seen it was right {test.n_correct} times "
        f"({percent(test.accuracy)}), {verdict} always answering “{test.most_common}” would be "
        f"({percent(test.baseline)})."
    )
    second = (
        f"On its own training samples it was right {percent(result.train.accuracy)} of the time. The gap between "
        "the two numbers is what it learned by heart rather than understood."
    )
    if history.is_complete:
        return first, second
    return first, second, f"The training was stopped early, after {history.n_steps} steps."


def _either(classes: tuple[str, ...]) -> str:
    return " from ".join(f"“{name}”" for name in classes)


def _facts(result: RunResult) -> tuple[tuple[str, str | int | float], ...]:
    history = result.history
    return (
        ("Test accuracy", percent(result.test.accuracy)),
        ("Training accuracy", percent(result.train.accuracy)),
        ("Always the commonest class", percent(result.test.baseline)),
        ("Last cost", f"{history.losses[-1]:.4f}" if history.losses else "none"),
        ("Steps", history.n_steps),
        ("Training time", f"{history.seconds:.2f} s"),
        ("Parameters", result.model.theta.size),
    )


def _data(result: RunResult, figures: _Figures) -> Section:
    split = result.split
    names = ", ".join(split.classes)
    return Section(
        "The data",
        intro=(
            f"{len(split.train)} training and {len(split.test)} test images of {split.train.X.shape[1:]} numbers, "
            f"of the classes {names}. The test images are looked at only once, at the end.",
        ),
        figures=(
            figures.add(
                "classes",
                class_histogram(split),
                "How many images of each class there are. Where one class is much more common, always answering it "
                "already scores well: compare accuracies with that.",
                f"Bars: images of each class ({names}) in the training and the test part.",
            ),
            figures.add(
                "samples-train",
                sample_grid(split.train, "Training images"),
                "Training images drawn at random, with their label y and its class.",
                "A grid of training images with their labels.",
            ),
            figures.add(
                "samples-test",
                sample_grid(split.test, "Test images"),
                "Test images drawn at random. They should look like the training images, and not be the same ones.",
                "A grid of test images with their labels.",
            ),
        ),
    )


def _vector(result: RunResult, figures: _Figures) -> Section:
    train_part = result.split.train
    n = int(np.prod(train_part.X.shape[1:]))
    at = int(np.argmax(train_part.y))
    return Section(
        "From image to numbers",
        intro=(
            f"The network sees no image, only {n:,} numbers: every pixel's red, green and blue, over 255.",
        ),
        figures=(
            figures.add(
                "image-to-vector",
                image_to_vector(train_part.X[at], train_part.classes[train_part.y[at]]),
                "Read from left to right: the image, its first pixels with their red, green and blue, and the long "
                "column that they become, row by row.",
                "An image, an enlarged corner of it with pixel values, and the column of numbers.",
            ),
        ),
    )


def _network(result: RunResult, figures: _Figures) -> Section:
    rows = result.model.rows()
    if result.model.loss == "binary_cross_entropy":  # the sigmoid is in the loss, and belongs in the picture
        rows[-1] = rows[-1]._replace(activation="sigmoid")
    table = [(row.name, str(row.output_shape), row.activation or "none", row.n_params) for row in rows]
    return Section(
        "The network",
        intro=("Each layer multiplies by its weights, adds its biases and bends the result.",),
        figures=(
            figures.add(
                "network",
                network_diagram(rows, input_shape=result.model.input_shape),
                "Data flows from left to right. Most parameters are in the first layer, which sees each pixel.",
                "A diagram of the layers with their sizes and numbers of parameters.",
            ),
        ),
        table=Table(("Layer", "Output", "Activation", "Parameters"), table),
    )


def _training(result: RunResult, figures: _Figures) -> Section:
    history, config = result.history, result.config
    marks = history.marks()
    at = sorted({*range(0, len(history.losses), max(1, len(history.losses) // 500)), *marks})
    shown = (
        ()
        if not history.losses
        else (
            figures.add(
                "cost",
                cost_curve(at, [history.losses[i] for i in at], learning_rate=config.learning_rate),
                "The cost says how wrong and how unsure the network is on its training samples; lower is better, "
                "and ln 2 = 0.69 is a coin toss. Bumps are steps that went too far.",
                f"The cost falls from {history.losses[0]:.3f} to {history.losses[-1]:.3f}.",
            ),
        )
    )
    return Section(
        "Training",
        intro=(
            f"{history.n_steps} steps of gradient descent at learning rate {config.learning_rate:g} took "
            f"{history.seconds:.2f} s ({history.note}).",
        ),
        figures=shown,
        table=Table(("Iteration", "Cost"), [(i, f"{cost:.6f}") for i, cost in marks.items()][:60]),
    )


def _evaluation(result: RunResult, figures: _Figures) -> Section:
    test = result.test
    rows = [
        (name, part.n_samples, part.n_correct, percent(part.accuracy), percent(part.balanced_accuracy))
        for name, part in (("training", result.train), ("test", test))
    ]
    return Section(
        "How good is it?",
        intro=(
            f"With {test.n_samples} test samples, one more or one fewer right moves the accuracy by "
            f"{percent(1 / test.n_samples)}: small differences mean nothing.",
        ),
        figures=(
            figures.add(
                "confusion",
                confusion_matrix_figure(np.array(test.confusion), test.classes),
                "Each row is a true class, each column an answer. What lies on the diagonal is right.",
                "The confusion matrix of the test part.",
            ),
        ),
        table=Table(("Part", "Samples", "Right", "Accuracy", "Balanced accuracy"), rows),
    )


def _mistakes(result: RunResult, figures: _Figures) -> Section:
    test = result.split.test
    wrong = mistake_rows(test, result.predicted, result.probabilities)
    table = [(row.index, row.predicted, row.actual, percent(row.probability)) for row in wrong]
    return Section(
        "The mistakes",
        intro=(
            "Photos are misread for reasons that can often be seen. Look for these: "
            + "; ".join(WHY_MISREAD)
            + ".",
        ),
        figures=(
            figures.add(
                "mistakes",
                mistakes(test, result.predicted, result.probabilities, max_images=MOST_MISTAKES),
                "Every misread test image, the surest mistake first: what the network said, how sure it was, and "
                "what it is.",
                f"{len(wrong)} misread test images with the answer given and the true class.",
            ),
        ),
        table=Table(("Image", "Answer", "True class", "How sure"), table) if table else None,
    )


def _photo(result: RunResult, figures: _Figures) -> Section:
    photo = result.photo
    assert photo is not None
    return Section(
        "A new photo",
        intro=(f"{photo.name}: in neither part of the data.",),
        figures=(
            figures.add(
                "new-photo",
                new_photo(
                    photo.original, photo.seen, label=photo.label, probability=photo.probability, y=photo.y
                ),
                "Left, the photo as given; right, all that the network sees of it.",
                f"The new photo, read as {photo.label}.",
            ),
        ),
    )
