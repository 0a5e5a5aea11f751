"""Colours, noise, cutout, mixup and cutmix: the usual formulas, and what each must leave alone."""

import colorsys
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data.augmentation.augment import Augment
from pellucid.data.augmentation.colour import LUMA, Brightness, Contrast, Hue, Saturation
from pellucid.data.augmentation.geometry import HorizontalFlip
from pellucid.data.augmentation.mixing import Blend, CutMix, Mixup
from pellucid.data.augmentation.pixels import Cutout, Noise
from pellucid.errors import OptionError, ShapeError
from pellucid.ops.colour import mean_colours
from pellucid.training.loss_setup import augment_weighted


def at(transform: Any, X: np.ndarray, value: float) -> np.ndarray:
    result: np.ndarray = transform.apply(X, np.full((len(X), 1), value), np.random.default_rng(0))
    return result


@pytest.fixture(params=[(2, 8, 8, 3), (1, 5, 7, 3), (3, 1, 1, 3), (2, 6, 6, 1)], ids=str)
def photos(request: pytest.FixtureRequest, rng: np.random.Generator) -> np.ndarray:
    return rng.random(request.param)


def luma(X: np.ndarray) -> np.ndarray:
    return X if X.shape[-1] == 1 else (X @ LUMA)[..., None]


@every("factor", [0.0, 0.6, 1.0, 1.7])
def test_factors_equal_their_formulas(photos: np.ndarray, factor: float) -> None:
    """As torchvision's adjust_brightness, adjust_contrast and adjust_saturation on floats."""
    gray = luma(photos)
    mean = gray.mean(axis=(1, 2, 3), keepdims=True)
    expected = {
        Brightness(): factor * photos,
        Contrast(): factor * photos + (1 - factor) * mean,
        Saturation(): factor * photos + (1 - factor) * gray,
    }
    for transform, formula in expected.items():
        np.testing.assert_allclose(at(transform, photos, factor), formula.clip(0, 1), rtol=0, atol=1e-14)
        single = at(transform, photos.astype(np.float32), factor)
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, formula.clip(0, 1), rtol=0, atol=1e-6)


def test_hue_turns_the_colour_plane_of_yiq(rng: np.random.Generator) -> None:
    """The standard library's YIQ has slightly other coefficients: equal to about a hundredth."""
    colours = rng.uniform(0.3, 0.7, (40, 3))
    turned = at(Hue(), colours[None, None], 0.2)[0, 0]
    angle = -0.2 * 2 * np.pi
    for before, after in zip(colours, turned, strict=True):
        y, i, q = colorsys.rgb_to_yiq(*before)
        z = complex(i, q) * np.exp(1j * angle)
        np.testing.assert_allclose(after, colorsys.yiq_to_rgb(y, z.real, z.imag), rtol=0, atol=0.015)


def test_hue_keeps_brightness_and_greys_and_adds_up(rng: np.random.Generator) -> None:
    X = rng.uniform(0.45, 0.55, (2, 4, 4, 3))  # near grey: nothing is cut off
    np.testing.assert_allclose(luma(at(Hue(), X, 0.3)), luma(X), rtol=0, atol=1e-12)
    gray = np.repeat(rng.random((2, 4, 4, 1)), 3, axis=3)
    np.testing.assert_allclose(at(Hue(), gray, 0.3), gray, rtol=0, atol=1e-4)  # the printed YIQ is rounded
    np.testing.assert_allclose(at(Hue(), at(Hue(), X, 0.1), 0.15), at(Hue(), X, 0.25), rtol=0, atol=1e-13)
    for turn, photos in ((turn, rng.random((2, 6, 6, c))) for turn in (-1.0, 0.0, 1.0) for c in (1, 3)):
        np.testing.assert_allclose(at(Hue(), photos, turn), photos, rtol=0, atol=1e-14)


def test_each_image_has_its_own_map(rng: np.random.Generator) -> None:
    X = rng.random((3, 4, 4, 3)) / 2
    result = Brightness().apply(X, np.array([[1.0], [0.5], [2.0]]), rng)
    np.testing.assert_allclose(result, X * np.array([1, 0.5, 2]).reshape(3, 1, 1, 1), rtol=0, atol=1e-15)
    np.testing.assert_allclose(mean_colours(X), X.mean(axis=(1, 2)), rtol=1e-14)


def test_noise_has_each_images_own_deviation_and_no_bias(rng: np.random.Generator) -> None:
    X = np.full((4, 100, 100, 1), 0.5)
    deviations = np.array([0.0, 0.01, 0.05, 0.1])
    noise = Noise().apply(X, deviations[:, None], rng) - X
    np.testing.assert_allclose(noise.std(axis=(1, 2, 3)), deviations, rtol=0.03)
    assert np.abs(noise.mean(axis=(1, 2, 3))).max() < 5 * 0.1 / 100
    assert np.abs(np.corrcoef(noise[1].ravel(), noise[2].ravel())[0, 1]) < 0.05
    noisy = Noise(2.0)(rng.random((8, 16, 16, 3), dtype=np.float32), rng)
    assert (noisy.dtype, noisy.min(), noisy.max()) == (np.float32, 0, 1)  # cut off to the range


def test_cutout_covers_exactly_its_square_anywhere(rng: np.random.Generator) -> None:
    X = rng.random((3, 10, 12, 3))
    places = np.array([[5, 6, 4], [0, 0, 4], [10, 12, 6]])  # the middle, and two corners
    result = Cutout(fill=0.25).apply(X, places, rng)
    expected = X.copy()
    expected[0, 3:7, 4:8] = expected[1, :2, :2] = expected[2, 7:, 9:] = 0.25
    np.testing.assert_array_equal(result, expected)
    covered = Cutout(0.5, fill=1.0)(np.zeros((500, 8, 8, 1)), rng)
    assert covered.any(axis=0).all()
    areas = covered.sum(axis=(1, 2, 3))
    assert areas.max() == 16  # 4 x 4 where it is all inside
    assert areas.min() >= 4  # a quarter of it at a corner
    assert Cutout(0.0)(np.zeros((5, 8, 8, 1)), rng).max() == 0


def test_mixup_mixes_images_and_targets_alike(rng: np.random.Generator) -> None:
    X, Y = rng.random((6, 4, 4, 3)), np.eye(6)
    mixup = Mixup(1.0)
    values = mixup.draw(6, (4, 4, 3), rng)
    mixed, targets = mixup.apply(X, values, rng), mixup.mix_targets(Y, values)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-15)
    # Row i of the targets says what was mixed: the images must be that very mixture.
    np.testing.assert_allclose(mixed, np.einsum("ij,jhwc->ihwc", targets, X), rtol=0, atol=1e-15)
    assert (targets.max(axis=1) < 1).any()
    np.testing.assert_array_equal(np.sort(values[:, 1]), np.arange(6))


@every("blend", [Mixup(), CutMix()], ids=["mixup", "cutmix"])
def test_targets_that_cannot_be_mixed_are_refused(blend: Blend, rng: np.random.Generator) -> None:
    for Y in (np.zeros(4), np.zeros((4, 1), int), np.zeros((4, 2, 2))):
        with pytest.raises(ShapeError, match=r"(Mixup|CutMix): expected targets of floats.*rows of 0 and 1"):
            blend.mix_targets(Y, blend.draw(4, (4, 4, 3), rng))
    with pytest.raises(OptionError, match=r"(Mixup|CutMix): it mixes targets too. Use Augment"):
        blend(np.zeros((2, 4, 4, 3)), rng)  # by itself it would forget the targets


def test_cutmix_puts_in_one_piece_of_the_size_that_the_targets_tell(rng: np.random.Generator) -> None:
    m, (h, w) = 20, (12, 20)
    X = np.arange(m, dtype=float)[:, None, None, None] / m + np.zeros((m, h, w, 3))
    fractions = set()
    for _ in range(30):
        values = CutMix().draw(m, X.shape[1:], rng)
        mixed, targets = CutMix().apply(X, values, rng), CutMix().mix_targets(np.eye(m), values)
        # Each photo has one colour, so that the colours say which pixels are whose.
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-15)
        np.testing.assert_allclose(mixed.mean(axis=(1, 2, 3)), targets @ X[:, 0, 0, 0], rtol=0, atol=1e-14)
        np.testing.assert_array_equal(np.sort(values[:, 1]), np.arange(m))
        fraction, pasted = values[0, 0], (mixed != X).any(axis=(0, 3))
        rows, columns = pasted.any(axis=1), pasted.any(axis=0)
        # the same rectangle in all, with the proportions of the image
        assert pasted.sum() == rows.sum() * columns.sum() == round(fraction * h * w)
        assert abs(rows.sum() / h - columns.sum() / w) < 0.5 / h + 0.5 / w
        fractions.add(fraction)
    assert len(fractions) > 8


def test_pieces_lie_everywhere_and_take_every_share(rng: np.random.Generator) -> None:
    X = np.zeros((2, 8, 8, 1))
    X[1] = 1
    drawn = [CutMix().draw(2, X.shape[1:], rng) for _ in range(4000)]
    pasted = np.array([CutMix().apply(X, values, rng)[0] for values in drawn])
    often = pasted.mean(axis=(0, 3))
    assert often.min() > 0.08  # corners too; half of the time the partner is the photo itself
    fractions = np.array([values[0, 0] for values in drawn])
    assert abs(fractions.mean() - 0.5) < 0.02
    assert {round(fraction * 64) for fraction in fractions} == {side * side for side in range(9)}


@every("blend", [Mixup(1.0), CutMix()], ids=["mixup", "cutmix"])
@every(
    ("loss", "n_out"),
    [("categorical_cross_entropy", 3), ("focal", 3), ("hinge", 3), ("binary_cross_entropy", 1)],
)
def test_labels_of_several_classes_are_trained_on(blend: Blend, loss: str, n_out: int) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, max(2, n_out), 60)
    X = np.zeros((60, 6, 6, 3), np.uint8) + (y * 100).astype(np.uint8)[:, None, None, None]
    model = pl.Sequential([pl.Flatten(), pl.Dense(16, activation="relu"), pl.Dense(n_out)])
    options: Any = {"loss": loss, "augment": Augment([blend]), "batch_size": 20, "n_epochs": 60}
    pl.train(model, pl.Dataset(X, y), optimizer=pl.optimizers.Adam(0.01), **options)
    assert (model.predict(X) == y).all()


def test_targets_by_name_are_mixed_alike(rng: np.random.Generator) -> None:
    X = rng.random((5, 4, 4, 3))
    Y = {"kind": np.eye(5), "size": rng.random((5, 1))}
    mixed, targets = Augment([Mixup(1.0)]).apply(X, Y, rng)
    np.testing.assert_allclose(mixed, np.einsum("ij,jhwc->ihwc", targets["kind"], X), rtol=0, atol=1e-15)
    np.testing.assert_allclose(targets["size"], targets["kind"] @ Y["size"], rtol=0, atol=1e-15)


@every("blend", [Mixup(1.0), CutMix()], ids=["mixup", "cutmix"])
def test_classes_keep_their_weight_where_samples_are_mixed(blend: Blend) -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(400) % 10 == 0).astype(int)
    weights = np.where(y == 1, 9.0, 1.0)  # as many of each class, weighted
    Y, X = np.eye(2)[y], rng.random((400, 4, 4, 1))
    total = np.zeros(2)
    for _ in range(50):
        _, targets, counts = augment_weighted(Augment([blend]), X, Y, weights, rng)
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-12)
        assert counts is not None
        total += counts @ targets
    np.testing.assert_allclose(total / 50, [360, 360], rtol=0.02)


def test_the_loss_of_a_weighted_mixture_is_the_weighted_mixture_of_losses(rng: np.random.Generator) -> None:
    X, y, weights = rng.random((6, 4, 4, 3)), np.array([0, 1, 2, 0, 1, 2]), np.array([1.0, 0, 3, 0, 0, 2])
    Y, Z = np.eye(3)[y], rng.standard_normal((6, 3))
    _, targets, counts = augment_weighted(Augment([Mixup(1.0)]), X, Y, weights, np.random.default_rng(3))
    values = Mixup(1.0).draw(6, X.shape[1:], np.random.default_rng(3))
    fraction, other = values[:, 0], values[:, 1].astype(int)
    log_P = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
    own, pasted = -(log_P * Y).sum(axis=1), -(log_P * Y[other]).sum(axis=1)
    expected = ((1 - fraction) * weights * own + fraction * weights[other] * pasted).sum()
    assert counts is not None
    np.testing.assert_allclose(-(counts[:, None] * targets * log_P).sum(), expected, rtol=1e-12)
    assert np.isfinite(targets).all()


def test_without_weights_or_mixing_weights_stay_as_they_are(rng: np.random.Generator) -> None:
    X, Y, weights = rng.random((3, 4, 4, 3)), np.eye(3), np.array([1.0, 2.0, 3.0])
    assert augment_weighted(Augment([CutMix()]), X, Y, None, rng)[2] is None
    _, targets, counts = augment_weighted(Augment([HorizontalFlip()]), X, Y, weights, rng)
    assert targets is Y
    assert counts is weights
