"""Galleries as figures: the right photos, with the right ones of the training part beside them."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from pellucid.data.dataset import Dataset
from pellucid.errors import OptionError, ShapeError
from pellucid.evaluation.photo.near_gallery import photo_gallery
from pellucid.evaluation.photo.neighbours import nearest
from pellucid.evaluation.scores.predictions import GALLERIES, pick

NAMES = ("cat", "dog", "owl")


def photos(rng: np.random.Generator, m: int, names: tuple[str, ...] = NAMES) -> Dataset:
    return Dataset(rng.integers(0, 256, (m, 6, 6, 3), dtype=np.uint8), rng.integers(0, len(names), m), names)


@pytest.mark.parametrize("kind", GALLERIES)
def test_each_row_is_a_photo_and_the_training_photos_nearest_to_it(
    rng: np.random.Generator, kind: str
) -> None:
    train, test = photos(rng, 40), photos(rng, 30)
    P = rng.dirichlet(np.ones(3), 30)
    figure = photo_gallery(test, P, kind, n=4, train=train, n_nearest=3)
    chosen = pick(kind, test.y, P, 4)
    near, distances = nearest(train.X, test.X[chosen], 3)
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    assert len(shown) == 16
    for at, i in enumerate(chosen):
        row, axes = shown[at * 4 : at * 4 + 4], figure.axes[at * 4 : at * 4 + 4]
        assert (row[0] == test.X[i]).all()
        guess = NAMES[P[i].argmax()]
        assert (
            axes[0].get_title()
            == f"Prediction: {guess} ({100 * P[i].max():.0f} %)\nClass: {NAMES[test.y[i]]}"
        )
        for place, picture, j, distance in zip(axes[1:], row[1:], near[at], distances[at], strict=True):
            assert (picture == train.X[j]).all()
            assert place.get_title() == NAMES[train.y[j]]
            assert place.get_xlabel() == f"training image {j}\ndistance {distance:.3g}"
    assert figure.texts[0].get_text().startswith(GALLERIES[kind])


@pytest.mark.parametrize("n", [1, 7, None])
def test_any_number_without_a_training_part(rng: np.random.Generator, n: int | None) -> None:
    test = photos(rng, 20)
    P = rng.dirichlet(np.ones(3), 20)
    assert len(photo_gallery(test, P, "highest losses", n=n).axes) == (n or 20)


def test_fewer_training_photos_than_asked_for_are_all_shown(rng: np.random.Generator) -> None:
    test = photos(rng, 3)
    P = np.full((3, 3), 1 / 3)
    assert len(photo_gallery(test, P, "highest losses", n=1, train=photos(rng, 2), n_nearest=7).axes) == 3


def test_an_empty_gallery_says_so(rng: np.random.Generator) -> None:
    test = photos(rng, 5)
    right = np.eye(3)[test.y]
    assert photo_gallery(test, right, "mistakes").texts[0].get_text().startswith("No mistakes: all 5 images")
    assert (
        photo_gallery(test, np.roll(right, 1, axis=1), "confident hits")
        .texts[0]
        .get_text()
        .startswith("No hit")
    )


def test_what_does_not_fit_is_refused(rng: np.random.Generator) -> None:
    test = photos(rng, 5)
    with pytest.raises(OptionError, match="n_nearest from 1 to 7, got 0"):
        photo_gallery(test, np.eye(3)[test.y], train=test, n_nearest=0)
    with pytest.raises(ShapeError, match="photo_gallery: expected images"):
        photo_gallery(Dataset(np.zeros((2, 4)), np.array([0, 1])), np.array([0.2, 0.7]))


@pytest.mark.parametrize("names", [NAMES, ("a name far too long " * 2, "b", "c")])
@pytest.mark.parametrize("n_nearest", [1, 3, 5, 7])
def test_texts_do_not_touch(rng: np.random.Generator, names: tuple[str, ...], n_nearest: int) -> None:
    train, test = photos(rng, 12, names), photos(rng, 6, names)
    P = rng.dirichlet(np.ones(3), 6)
    figure = photo_gallery(test, P, "highest losses", train=train, n_nearest=n_nearest)
    FigureCanvasAgg(figure).draw()
    boxes = [text.get_window_extent() for axes in figure.axes for text in (axes.title, axes.xaxis.label)]
    boxes += [axes.get_window_extent() for axes in figure.axes] + [figure.texts[0].get_window_extent()]
    for i, box in enumerate(boxes):
        assert min(box.x0, box.y0, figure.bbox.x1 - box.x1, figure.bbox.y1 - box.y1) >= 0
        assert not any(box.overlaps(other) for other in boxes[:i])
