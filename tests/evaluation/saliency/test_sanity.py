"""The model-randomization check: it passes maps that know the weights and fails one that does not."""

import numpy as np
import pytest
from tests.evaluation.saliency.test_compute_maps import scorer_of, small_cnn, spread

import pellucid as pl
from pellucid.evaluation.saliency.compute_maps import MapToCheck, check_maps, redraw, untrained_copy
from pellucid.evaluation.saliency.maps import Attribution, SanityCheck
from pellucid.evaluation.saliency.scoring import Scorer
from pellucid.types import Array


def sanity_check(model: pl.Model, image: Array, method: str, **options: int) -> SanityCheck:
    check = pl.saliency(model, image, methods=[method], **options)[method].sanity
    assert check is not None
    return check


def edges(scorer: Scorer, x: Array) -> Attribution:
    """A map that looks like one, and knows nothing of the network."""
    heat = np.abs(np.diff(x.mean(axis=2), axis=1, append=0))
    return Attribution(heat[..., None], heat, False, "")


def test_a_map_that_ignores_the_weights_is_found_out() -> None:
    photo = np.random.default_rng(1).random((12, 12, 3))
    scorer = scorer_of(spread(small_cnn()))
    (check,) = check_maps(scorer.model, [MapToCheck(scorer, photo, edges, edges(scorer, photo).heat, 3)])
    assert check.correlations == pytest.approx((1.0, 1.0, 1.0))
    assert check.outcome == "hardly"


def test_maps_of_a_trained_network_depend_on_what_it_learned() -> None:
    digits = pl.load_data("digits").train.take(slice(0, 300))
    model = pl.preset("two-layer", 10)
    pl.train(model, digits, n_epochs=60)
    maps = pl.saliency(model, digits.X[3])
    check = maps["gradient"].sanity
    assert check is not None
    assert check.outcome == "depends"
    assert len(check.correlations) == 8
    assert check.heat is not None
    assert check.heat.shape == (8, 8)
    assert maps["smoothgrad"].sanity is not None
    assert len(maps["smoothgrad"].sanity.correlations) == 2


def test_the_check_can_be_repeated_and_moves_with_the_seed() -> None:
    photo = np.random.default_rng(1).random((12, 12, 3))
    model = spread(small_cnn())
    first, again = (sanity_check(model, photo, "gradient", n_draws=3) for _ in range(2))
    assert first.correlations == again.correlations
    assert len(set(first.correlations)) == 3
    assert sanity_check(model, photo, "gradient", n_draws=3, seed=2).correlations != first.correlations
    inside = pl.saliency(model, photo, methods=["gradient"], n_draws=3)["gradient"].sanity
    assert inside is not None
    assert inside.correlations == first.correlations


def test_untrained_networks_have_he_weights_whatever_the_layers_own_start() -> None:
    for model in (spread(pl.preset("mlp"), (32, 32, 3)), spread(pl.preset("logistic"), (32, 32, 3))):
        copy = untrained_copy(model)
        redraw(copy._leaves(), np.random.default_rng(0))
        for leaf in copy._leaves():
            if leaf.params and leaf.params["W"].size > 500:
                assert leaf.params["W"].std() == pytest.approx(
                    np.sqrt(2 / leaf.params["W"].shape[0]), rel=0.1
                )
                assert not leaf.params["b"].any()
    norm = untrained_copy(spread(small_cnn()))._leaves()[1]
    assert (norm.params["gamma"] == 1).all()
    assert (norm.state["running_var"] == 1).all()


def test_a_silent_untrained_network_is_replaced_by_another() -> None:
    """A single relu unit is off for half of all draws."""
    from pellucid.nn.dense import Dense, Flatten

    model = spread(pl.Sequential([Flatten(), Dense(1, activation="relu"), Dense(1)]), (6, 6, 1))
    photo = np.full((6, 6, 1), 0.9)
    model._leaves()[1].params["b"][:] = 5.0
    check = sanity_check(model, photo, "gradient", n_draws=4)
    assert len(check.correlations) == 4
    assert None not in check.correlations


class Doubling(pl.Layer):
    """A layer of the user's own that is not registered."""

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return 2 X."""
        return 2 * X

    def backward(self, dY: Array) -> Array:
        """Return 2 dY."""
        return 2 * dY


def test_a_layer_of_ones_own() -> None:
    from pellucid.nn.dense import Dense, Flatten

    model = spread(pl.Sequential([Doubling(), Flatten(), Dense(3)]), (5, 5, 1))
    check = sanity_check(model, np.random.default_rng(2).random((5, 5, 1)), "gradient", n_draws=2)
    assert len(check.correlations) == 2


def test_outcomes() -> None:
    assert SanityCheck((0.1, -0.3)).outcome == "depends"
    assert SanityCheck((0.3, 0.4)).outcome == "partly"
    assert SanityCheck((-0.6,)).outcome == "hardly"
    assert SanityCheck(()).outcome == "unknown"
