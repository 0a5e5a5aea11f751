"""Saliency maps against their definitions, and their check against untrained networks."""

from itertools import chain
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.evaluation.saliency.compute_maps import METHODS, saliency_of_samples
from pellucid.evaluation.saliency.grad_cam import enlarged, feature_layer
from pellucid.evaluation.saliency.maps import Attribution, SaliencyMap, SanityCheck
from pellucid.evaluation.saliency.methods import integrated_gradients, occlusion, smooth_grad
from pellucid.evaluation.saliency.sanity import MapToCheck, check_maps, redraw, untrained_copy
from pellucid.evaluation.saliency.scoring import Scorer, prepared_image, target_of
from pellucid.rng import stream
from pellucid.types import Array


def spread(model: pl.Model, shape: tuple[int, ...] = (12, 12, 3), seed: int = 3) -> pl.Model:
    """Initialize in float64, away from where anything is special."""
    rng = np.random.default_rng(seed)
    model.initialize(shape, seed=seed, dtype="float64")
    for leaf in model._leaves():
        for key, array in {**leaf.params, **leaf.state}.items():
            array += (
                rng.random(array.shape) if key == "running_var" else 0.1 * rng.standard_normal(array.shape)
            )
    return model


def small_cnn(units: int = 3) -> pl.Sequential:
    blocks = (
        [conv, pl.BatchNorm(), pl.Activation("relu"), pl.MaxPool2D()]
        for conv in (pl.Conv2D(6, use_bias=False), pl.Conv2D(8))
    )
    return pl.Sequential([*chain(*blocks), pl.Flatten(), pl.Dense(units)])


def two_ways() -> pl.Graph:
    nodes: dict[str, Any] = {
        "first": (pl.Conv2D(4, activation="relu"), "photo"),
        "wide": (pl.Conv2D(4), "first"),
        "norm": (pl.BatchNorm(), "wide"),
        "bent": (pl.Activation("relu"), "norm"),
        "sum": ("add", ["bent", "first"]),
        "mean": (pl.GlobalAvgPool2D(), "sum"),
        "out": (pl.Dense(3), "mean"),
    }
    return pl.Graph(["photo"], nodes, "out")


MODELS = {
    "mlp": lambda: pl.preset("mlp", 3),
    "cnn": small_cnn,
    "resnet": lambda: pl.preset("resnet-small", 3),
    "graph": two_ways,
}


@pytest.fixture
def photo() -> Array:
    return np.random.default_rng(8).random((12, 12, 3))


def scorer_of(model: pl.Model, target: int = 1) -> Scorer:
    weights = np.zeros(model.output_shape[0])
    weights[target] = 1
    return Scorer(model, weights)


def map_of(model: pl.Model, photo: Array, method: str, **options: Any) -> SaliencyMap:
    return pl.saliency(model, photo, methods=[method], sanity_check=False, **options)[method]


@every("name", MODELS)
def test_the_gradient_is_the_slope_of_the_logit(name: str, photo: Array, rng: np.random.Generator) -> None:
    model = spread(MODELS[name]())
    maps = pl.saliency(model, photo, target=2, methods=["gradient", "gradient_x_input"], sanity_check=False)
    gradient = maps["gradient"].values
    assert gradient is not None
    v, h = rng.standard_normal(photo.shape), 1e-6
    ahead, behind = model.decision_function(np.stack([photo + h * v, photo - h * v]))
    assert np.vdot(gradient, v) == pytest.approx((ahead - behind)[2] / (2 * h), rel=1e-6)
    assert maps["gradient"].heat == pytest.approx(np.abs(gradient).max(axis=2))
    assert maps["gradient_x_input"].values == pytest.approx(gradient * photo, rel=1e-12)
    assert maps["gradient_x_input"].heat == pytest.approx((gradient * photo).sum(axis=2))


def test_one_logit_speaks_for_the_second_class_and_against_the_first(photo: Array) -> None:
    model = spread(pl.preset("mlp"))
    model.classes = ("no", "yes")
    for_yes, for_no = (pl.saliency(model, photo, target=name, sanity_check=False) for name in ("yes", "no"))
    for method, found in for_yes.items():
        if found.values is not None:
            assert found.values == pytest.approx(-for_no[method].values, rel=1e-9, abs=1e-12)
    says_yes = bool(model.predict(photo[None])[0])
    chosen = map_of(model, photo, "gradient")
    assert chosen.target == ("yes" if says_yes else "no")
    model._leaves()[-1].params["b"][:] = -1e3 if says_yes else 1e3
    turned = map_of(model, photo, "gradient")
    assert turned.target == ("no" if says_yes else "yes")
    assert turned.values == pytest.approx(-chosen.values, rel=1e-9)


def test_grad_cam_weighs_each_feature_map_by_its_mean_slope(photo: Array) -> None:
    model = spread(small_cnn())

    def through(layers: Any, A: Array) -> Array:
        for layer in layers:
            A = layer.forward(A)
        return A.copy()

    A, h = through(model.layers[:7], photo[None]), 1e-6  # the last convolution's maps, activated
    scores = [[through(model.layers[7:], A + step * one)[0, 1] for step in (h, -h)] for one in np.eye(8)]
    weights = np.diff(scores)[:, 0] / (-2 * h * A[0, ..., 0].size)
    found = map_of(model, photo, "grad_cam", target=1)
    expected = enlarged(np.maximum(A[0] @ weights, 0), (12, 12))
    assert found.heat == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert expected.max() > 0
    ramp = enlarged(np.arange(4.0)[None], (1, 8))[0]
    assert np.diff(ramp)[1:-1] == pytest.approx(0.5)
    assert enlarged(np.eye(3), (3, 3)) == pytest.approx(np.eye(3))


def test_smoothgrad_is_the_mean_over_noisy_copies(photo: Array) -> None:
    model = spread(small_cnn())
    scorer = scorer_of(model)
    noise = stream(0, "smoothgrad").standard_normal((25, *photo.shape))
    sigma = 0.15 * (photo.max() - photo.min())
    plain = np.mean([scorer.gradients((photo + sigma * one)[None])[1][0] for one in noise], axis=0)
    assert smooth_grad(scorer, photo).values == pytest.approx(plain, rel=1e-10)


@pytest.mark.slow
@every("name", MODELS)
def test_integrated_gradients_add_up_and_equal_many_plain_steps(name: str, photo: Array) -> None:
    model = spread(MODELS[name]())
    scorer = scorer_of(model)
    found = integrated_gradients(scorer, photo)
    assert found.values is not None
    start, end = scorer.scores(np.stack([np.zeros_like(photo), photo]))
    missed = abs(found.values.sum() - (end - start)) / abs(end - start)
    assert found.completeness_error == pytest.approx(missed, abs=1e-12)
    assert missed < 1.01e-2
    t = (np.arange(400) + 0.5) / 400
    plain = photo * scorer.gradients(t[:, None, None, None] * photo)[1].mean(axis=0)
    largest = np.abs(plain).max()
    assert found.values == pytest.approx(plain, abs=0.05 * largest)


@every("dtype", ["float32", "float64"])
def test_the_path_is_cut_until_the_sum_is_right(dtype: str) -> None:
    for seed in range(12):
        model = pl.preset("mlp")
        model.initialize((12, 12, 3), seed=seed, dtype=dtype)
        rng = np.random.default_rng(seed)
        for leaf in model._leaves():
            for array in leaf.params.values():
                array += 0.3 * rng.standard_normal(array.shape)
        found = map_of(model, rng.random((12, 12, 3)), "integrated_gradients")
        assert found.completeness_error is not None
        assert found.completeness_error < 0.01
        assert f"{100 * found.completeness_error:.2g} % off" in found.note


def test_of_a_black_picture_there_is_nothing_to_attribute(photo: Array) -> None:
    black = integrated_gradients(scorer_of(spread(pl.preset("mlp", 3))), np.zeros_like(photo))
    assert black.completeness_error is None
    assert "nothing to attribute" in black.note
    assert not np.any(black.values)


def test_occlusion_is_what_covering_each_place_does(photo: Array) -> None:
    model = spread(small_cnn())
    scorer = scorer_of(model)
    total, count = np.zeros((12, 12)), np.zeros((12, 12))
    for top in range(11):
        for left in range(11):
            covered = photo.copy()
            covered[top : top + 2, left : left + 2] = photo.mean(axis=(0, 1))
            fall = scorer.scores(photo[None])[0] - scorer.scores(covered[None])[0]
            total[top : top + 2, left : left + 2] += fall
            count[top : top + 2, left : left + 2] += 1
    found = occlusion(scorer, photo)
    assert found.heat == pytest.approx(total / count, rel=1e-10, abs=1e-13)
    assert "121 patches" in found.note


def test_where_grad_cam_looks() -> None:
    cnn = spread(small_cnn())
    assert feature_layer(cnn) is cnn.children()[6]  # normalized and bent, before it is pooled
    resnet = spread(pl.preset("resnet-small", 3))
    block = feature_layer(resnet)
    assert isinstance(block, pl.Activation)
    assert block.output_shape == (3, 3, 64)
    assert block is resnet.children()[-3].children()[-1]  # behind the shortcut
    graph = spread(two_ways())
    assert feature_layer(graph) is graph.nodes["bent"][0]
    inside = spread(pl.Sequential([pl.Conv2D(4, activation="relu"), pl.Flatten(), pl.Dense(2)]))
    assert feature_layer(inside) is inside.children()[0]
    ends = [pl.Sequential([pl.Conv2D(4), pl.Activation("relu"), pl.GlobalAvgPool2D()]) for _ in range(2)]
    parallel = spread(pl.Sequential([pl.Parallel(ends), pl.Dense(2)]))
    assert feature_layer(parallel) is ends[1].layers[1]
    assert feature_layer(spread(pl.preset("mlp"))) is None


def test_grad_cam_without_a_convolution_is_said_and_not_crashed(photo: Array) -> None:
    found = pl.saliency(spread(pl.preset("mlp")), photo)["grad_cam"]
    assert found.heat is None
    assert found.values is None
    assert found.sanity is None
    assert "this network has none" in found.note
    assert found.to_dict()["applies"] is False


def test_a_dead_network_is_said_and_not_crashed(photo: Array) -> None:
    model = spread(pl.preset("mlp"))
    for leaf in model._leaves()[1:-1]:
        leaf.params["b"][:] = -1e3
    maps = pl.saliency(model, photo)
    assert "0 everywhere" in maps["gradient"].note
    check = maps["gradient"].sanity
    assert check is not None
    assert check.outcome == "unknown"
    assert check.correlation is None
    assert "nothing to attribute" in maps["integrated_gradients"].note


def test_grey_photos_of_two_axes_and_pixels_as_bytes() -> None:
    model = spread(pl.preset("two-layer", 10), (8, 8))
    photo = np.random.default_rng(0).random((8, 8))
    maps = pl.saliency(model, photo)
    for name in METHODS:
        heat, values = maps[name].heat, maps[name].values
        if heat is not None and values is not None:
            assert heat.shape == (8, 8)
            assert values.shape == (8, 8, 1)
    model.preprocessing = pl.Preprocessing("divide", 255.0)
    pixels = np.rint(photo * 255).astype(np.uint8)
    assert (prepared_image(model, pixels) == pixels / 255.0).all()


def test_targets_by_loss() -> None:
    x = np.random.default_rng(0).random((4, 4, 1))
    model = spread(pl.preset("logistic", 3), (4, 4, 1))
    model._leaves()[-1].params["b"][:] = [0, 0, 50]
    assert target_of(model, model.forward(x[None])[0]).index == 2
    model.set_loss("multi_label")
    assert target_of(model, model.forward(x[None])[0]).weights.tolist() == [0, 0, 1]
    model.set_loss("mean_squared_error")
    assert target_of(model, model.forward(x[None])[0]).index == 0
    one = spread(pl.preset("logistic"), (4, 4, 1))
    one.set_loss("mean_squared_error")
    assert target_of(one, one.forward(x[None])[0]).weights.tolist() == [1.0]
    one._leaves()[-1].params["b"][:] = -50
    below_0 = target_of(one, one.forward(x[None])[0])
    assert below_0.weights.tolist() == [1.0], "a quantity below 0 is not another class"


def test_what_cannot_be_explained_is_said(photo: Array) -> None:
    model, table = spread(pl.preset("mlp", 3)), spread(pl.Sequential([pl.Dense(2)]), (5,))
    model.classes = ("cat", "dog", "owl")
    nodes = {"both": ("concat", ["a", "b"]), "flat": (pl.Flatten(), "both"), "o": (pl.Dense(1), "flat")}
    two = pl.Graph(["a", "b"], nodes, "o")
    two.initialize({"a": (4, 4, 3), "b": (4, 4, 3)})
    bare = spread(pl.preset("mlp", 3))
    bare.preprocessing = None
    one_image = "a model that takes one image"
    size = r"image of shape \(12, 12, 3\), as the model takes, got \(9, 9, 3\)"
    for network, image, options, error, expected in (
        (model, photo, {"methods": ["grad-cam"]}, OptionError, "'grad-cam'. Did you mean 'grad_cam'"),
        (model, photo, {"target": "cats"}, OptionError, r"unknown class 'cats'. Did you mean 'cat'\?"),
        (model, photo, {"target": 3}, OptionError, "class from 0 to 2, got 3"),
        (model, np.zeros((9, 9, 3)), {}, ShapeError, size),
        (table, np.zeros(5), {}, ShapeError, one_image),
        (spread(pl.Sequential([pl.Conv2D(2)])), photo, {}, ShapeError, one_image),
        (two, np.zeros((4, 4, 3)), {}, ShapeError, one_image),
        (bare, photo.astype(object), {}, DataError, "numbers"),
    ):
        with pytest.raises(error, match=expected):
            pl.saliency(network, image, **options)  # type: ignore[arg-type]


def test_several_photos_have_the_maps_of_each_alone() -> None:
    model = pl.preset("mlp")
    model.initialize((12, 12, 3), dtype="float64")
    X = np.random.default_rng(5).random((3, 12, 12, 3))
    for x, target, found in zip(X, (0, 1, 0), saliency_of_samples(model, X, (0, 1, 0)), strict=True):
        alone = pl.saliency(model, x, target=target)
        assert found.to_dict() == alone.to_dict()
        for name in METHODS:
            np.testing.assert_array_equal(found[name].values, alone[name].values)
            np.testing.assert_array_equal(found[name].heat, alone[name].heat)


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


def test_untrained_networks_have_he_weights_whatever_the_layers_own_start() -> None:
    for model in (spread(pl.preset("mlp"), (32, 32, 3)), spread(pl.preset("logistic"), (32, 32, 3))):
        copy = untrained_copy(model)
        redraw(copy._leaves(), np.random.default_rng(0))
        for leaf in copy._leaves():
            if leaf.params and leaf.params["W"].size > 500:
                deviation = np.sqrt(2 / leaf.params["W"].shape[0])
                assert leaf.params["W"].std() == pytest.approx(deviation, rel=0.1)
                assert not leaf.params["b"].any()
    norm = untrained_copy(spread(small_cnn()))._leaves()[1]
    assert (norm.params["gamma"] == 1).all()
    assert (norm.state["running_var"] == 1).all()


def test_a_silent_untrained_network_is_replaced_by_another() -> None:
    """A single relu unit is off for half of all draws."""
    model = spread(pl.Sequential([pl.Flatten(), pl.Dense(1, activation="relu"), pl.Dense(1)]), (6, 6, 1))
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
    model = spread(pl.Sequential([Doubling(), pl.Flatten(), pl.Dense(3)]), (5, 5, 1))
    check = sanity_check(model, np.random.default_rng(2).random((5, 5, 1)), "gradient", n_draws=2)
    assert len(check.correlations) == 2


def test_outcomes() -> None:
    found = [SanityCheck(each).outcome for each in ((0.1, -0.2), (0.3, 0.4), (0.6, -0.6), ())]
    assert found == ["depends", "partly", "hardly", "unknown"]
