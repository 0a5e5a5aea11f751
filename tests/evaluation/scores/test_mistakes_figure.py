"""The gallery shows exactly the mistakes, the surest first."""

import numpy as np
import pytest
from tests.every import every
from tests.pictures import assert_readable, shown, words

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, ShapeError
from pellucid.evaluation.scores.mistakes_figure import mistakes
from pellucid.prediction.predict import Predictions

CATS = ("non-cat", "cat")


def data(
    rng: np.random.Generator, m: int, classes: tuple[str, ...] = CATS, shape: tuple[int, ...] = (6, 6, 3)
) -> Dataset:
    return Dataset(
        rng.integers(0, 256, (m, *shape), dtype=np.uint8), np.arange(m) % max(len(classes), 2), classes
    )


def predictions(data: Dataset, P: np.ndarray) -> Predictions:
    """Predictions of given probabilities, (m, k)."""
    logits = np.log(P) - np.log1p(-P)
    return Predictions("classification", data.y, P.argmax(axis=1), logits, True, data.classes or ("0", "1"))


@every("n_wrong", [1, 2, 6, 7, 37])
def test_every_mistake_is_shown_with_its_own_image_and_title(rng: np.random.Generator, n_wrong: int) -> None:
    photos = data(rng, 60)
    P = rng.uniform(0.5, 0.99, 60)
    wrong = rng.permutation(60)[:n_wrong]
    predicted = photos.y.copy()
    predicted[wrong] = 1 - predicted[wrong]
    P_cat = np.where(predicted == 1, P, 1 - P)
    figure = mistakes(photos, predictions(photos, np.stack([1 - P_cat, P_cat], axis=1)))

    surest_first = wrong[np.argsort(-P[wrong])]
    assert len(shown(figure)) == n_wrong
    lines = []
    for picture, i in zip(shown(figure), surest_first, strict=True):
        assert np.array_equal(picture, photos.X[i])
        guess, actual = CATS[predicted[i]], CATS[photos.y[i]]
        lines += [f"Prediction: {guess} ({100 * P[i]:.0f} %)", f"True class: {actual}", f"{photos.noun} {i}"]
    assert words(figure)[0].startswith(f"{n_wrong} of 60 {photos.noun}s")
    assert words(figure)[1:] == lines
    assert max(len(axes.images) for axes in figure.axes) <= 6


def test_no_mistake_is_said_in_words(rng: np.random.Generator) -> None:
    photos = data(rng, 9)
    figure = mistakes(photos, predictions(photos, np.eye(2)[photos.y] * 0.8 + 0.1))
    assert [t.get_text() for t in figure.texts] == ["No mistakes: all 9 photos are predicted correctly."]
    assert not figure.axes


def test_max_images_keeps_the_surest_and_says_how_many_there_are(rng: np.random.Generator) -> None:
    photos = data(rng, 20)
    P = np.linspace(0.55, 0.9, 20)
    wrong = predictions(photos, np.where(photos.y[:, None] == [1, 0], P[:, None], 1 - P[:, None]))
    figure = mistakes(photos, wrong, max_images=3)
    assert len(shown(figure)) == 3
    assert words(figure)[0].startswith(f"20 of 20 {photos.noun}s")
    assert "the 3 most confident" in words(figure)[0]
    with pytest.raises(OptionError, match="max_images"):
        mistakes(photos, wrong, max_images=0)


def test_a_table_has_no_gallery() -> None:
    table = Dataset(np.zeros((2, 5)), np.array([0, 1]))
    with pytest.raises(ShapeError, match="mistakes: expected images"):
        mistakes(table, predictions(table, np.array([[0.3, 0.7], [0.3, 0.7]])))


@pytest.mark.slow
@every(
    ("classes", "shape"),
    [
        (("cat", "dog"), (8, 8)),
        (CATS, (64, 64, 3)),
        (CATS, (90, 20, 1)),
        (("airplane", "automobile", "horse"), (64, 64, 3)),
        (("airplane", "automobile", "horse"), (90, 20, 1)),
        *(
            (("a name far too long " * 2, "b"), shape)
            for shape in [(8, 8), (64, 64, 3), (20, 90, 3), (90, 20, 1)]
        ),
    ],
)
def test_titles_do_not_touch(
    rng: np.random.Generator, classes: tuple[str, ...], shape: tuple[int, ...]
) -> None:
    photos = data(rng, 13, classes, shape)
    k = len(classes)
    P = np.full((13, k), 0.0009 / (k - 1))
    predicted = (photos.y + 1) % k
    P[np.arange(13), predicted] = 0.9991
    figure = mistakes(photos, predictions(photos, P))
    assert_readable(figure)
