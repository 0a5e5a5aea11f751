"""The curves show the figures that were measured, and the sheet the pictures that the model was shown."""

from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from tests.evaluation.robustness.models import SHAPE, brightness_model
from tests.every import every
from tests.pictures import assert_readable, frames, page_text, shown, words

from pellucid.data.dataset import Dataset
from pellucid.evaluation.robustness.curves import Robustness
from pellucid.evaluation.robustness.perturbations import PERTURBATIONS, REASONS
from pellucid.evaluation.robustness.plot_robustness import RING, perturbation_sheet, robustness_curves
from pellucid.evaluation.robustness.try_perturbations import change_photo, robustness
from pellucid.plotting.style import BLUE, INK, ORANGE, RED


@pytest.fixture
def photos(rng: np.random.Generator) -> np.ndarray:
    level = np.where(np.arange(20) < 12, 180, 60)[:, None, None, None]
    return (level + rng.integers(-20, 21, (20, *SHAPE))).astype(np.uint8)


@pytest.fixture
def result(photos: np.ndarray) -> Robustness:
    y = (np.arange(20) < 12).astype(int)
    return robustness(brightness_model(), Dataset(photos, y, ("dark", "bright")))


def test_a_panel_for_each_perturbation_with_its_figures(result: Robustness) -> None:
    figure = robustness_curves(result)
    titles = [p.title for p in PERTURBATIONS.values()]
    assert [axes.get_title(loc="left") for axes in figure.axes] == titles
    for axes, curve in zip(figure.axes, result.curves, strict=True):
        clean, baseline, *rest = axes.lines
        np.testing.assert_array_equal(clean.get_ydata(), [1.0, 1.0])
        np.testing.assert_array_equal(baseline.get_ydata(), [0.6, 0.6])
        assert (clean.get_color(), baseline.get_color()) == (INK, ORANGE)
        line = next(item for item in rest if item.get_label() == "Accuracy, 95 % interval")
        np.testing.assert_array_equal(line.get_xdata(), [row.strength for row in curve.rows])
        np.testing.assert_array_equal(line.get_ydata(), [row.accuracy for row in curve.rows])
        ring = rest[-1]
        broken = [] if curve.breaks_at is None else [curve.breaks_at]
        assert ring.get_color() == RED
        np.testing.assert_array_equal(ring.get_xdata(), broken)
        assert axes.texts[0].get_text() == REASONS[curve.perturbation.reason]
        assert axes.get_ylim() == (0, 1)
    assert [axes for axes, c in zip(figure.axes, result.curves, strict=True) if c.breaks_at is not None]
    (legend,) = figure.legends
    labels = ["Photos as they are", "Always 'bright'", "Accuracy, 95 % interval", RING]
    assert [text.get_text() for text in legend.get_texts()] == labels


def test_the_sheet_shows_what_the_model_was_shown(photos: np.ndarray) -> None:
    model = brightness_model()
    drawn = shown(perturbation_sheet(model, photos[0], label=1, seed=4, row=5))
    yes_or_no = ["mirror", "upside-down"]  # in the photo's own row
    changes = [(p, s) for p in PERTURBATIONS.values() if p.name in yes_or_no for s in p.strengths]
    changes += [(p, s) for p in PERTURBATIONS.values() if p.name not in yes_or_no for s in p.strengths]
    pictures = [photos[0], *(change_photo(photos[0], p, s, 4, row=5) for p, s in changes)]
    assert len(drawn) == len(pictures) == 1 + sum(len(p.strengths) for p in PERTURBATIONS.values())
    for one, picture in zip(drawn, pictures, strict=True):
        np.testing.assert_array_equal(one, picture)


def test_verdicts_are_told_in_words_and_colour(photos: np.ndarray) -> None:
    asked: Any = {"perturbations": ["darker"], "strengths": {"darker": [0.1, 0.25, 0.5]}}
    figure = perturbation_sheet(brightness_model(), photos[0], label=1, **asked)
    texts = [text for axes in figure.axes for text in axes.texts]
    verdicts = [text for text in texts if text.get_text()[:1] in "✓✗" and "%" in text.get_text()]
    answers = [text.get_text() for text in verdicts]
    assert [answer[:2] for answer in answers] == ["✓ ", "✓ ", "✓ ", "✗ "]
    assert answers[3].startswith("✗ dark ")
    p = brightness_model().predict_proba(change_photo(photos[0], PERTURBATIONS["darker"], 0.5, 0)[None])[0, 0]
    assert answers[3] == f"✗ dark {100 * p:.0f} %"
    assert [to_rgb(text.get_color()) for text in verdicts] == [to_rgb(c) for c in (BLUE, BLUE, BLUE, RED)]
    assert sum(frames(axes, RED) for axes in figure.axes) == 1
    titles = {
        "✓ correct, ✗ wrong, with the predicted probability.",
        "One photo of class 'bright', changed more and more",
    }
    assert titles | {"as it is", "−10 %", "−25 %", "−50 %"} <= set(words(figure))


def test_without_the_truth_verdicts_are_as_before_or_another(photos: np.ndarray) -> None:
    figure = perturbation_sheet(brightness_model(), photos[0], perturbations=["darker", "mirror"])
    found = words(figure)
    assert {"The photo", "horizontal flip", "Darker"} <= set(found)
    assert "brightness and contrast" in page_text(figure)


@pytest.mark.slow
def test_no_text_touches_another(photos: np.ndarray, result: Robustness) -> None:
    assert_readable(robustness_curves(result))
    long = ("a class with a very long name", "another one\nin two lines")
    figure = perturbation_sheet(brightness_model(classes=long), photos[0], label=1)
    assert_readable(figure)


@pytest.mark.slow
@every("shape", [(8, 8), (8, 8, 1), (30, 6, 3), (4, 40, 3)])
def test_grey_and_long_photos(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, shape, dtype=np.uint8)
    figure = perturbation_sheet(brightness_model(shape, classes=()), photo, label=0)
    FigureCanvasAgg(figure).draw()
    assert ("Hue" in words(figure)) == (shape[2:] == (3,))
    assert any(text.startswith(("✓ 0, ", "✗ 1, ")) for text in words(figure))


def test_a_model_without_probabilities_says_none(photos: np.ndarray) -> None:
    figure = perturbation_sheet(brightness_model(loss="hinge"), photos[0], label=1, perturbations=["darker"])
    assert {"✓ bright", "✗ dark"} <= set(words(figure))
