"""Mixup and cutmix."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data.augmentation.augment import Augment
from pellucid.data.augmentation.geometry import HorizontalFlip
from pellucid.data.augmentation.pixels import Blend, CutMix, Mixup
from pellucid.errors import OptionError, ShapeError
from pellucid.training.loss_setup import augment_weighted


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
@every("Y", [np.zeros(4), np.zeros((4, 1), int), np.zeros((4, 2, 2))], ids=lambda Y: str(Y.shape))
def test_targets_that_cannot_be_mixed_are_refused(
    blend: Blend, Y: np.ndarray, rng: np.random.Generator
) -> None:
    with pytest.raises(ShapeError, match=r"(Mixup|CutMix): expected targets of floats.*rows of 0 and 1"):
        blend.mix_targets(Y, blend.draw(4, (4, 4, 3), rng))


@every("blend", [Mixup(), CutMix()], ids=["mixup", "cutmix"])
def test_by_itself_it_would_forget_the_targets(blend: Blend, rng: np.random.Generator) -> None:
    with pytest.raises(OptionError, match=r"(Mixup|CutMix): it mixes targets too. Use Augment"):
        blend(np.zeros((2, 4, 4, 3)), rng)


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
        assert (
            pasted.sum() == rows.sum() * columns.sum() == round(fraction * h * w)
        )  # the same rectangle in all
        assert (
            abs(rows.sum() / h - columns.sum() / w) < 0.5 / h + 0.5 / w
        )  # with the proportions of the image
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
