"""Every map against its formula done plainly, against PyTorch, and against networks that learned nothing."""

from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid.errors import DataError, OptionError, ShapeError
from pellucid.evaluation.saliency.compute_maps import METHODS, saliency, saliency_of_samples
from pellucid.evaluation.saliency.grad_cam import enlarged, feature_layer
from pellucid.evaluation.saliency.gradients import smooth_grad
from pellucid.evaluation.saliency.integrated import integrate, integrated_gradients
from pellucid.evaluation.saliency.occlusion import occlusion
from pellucid.evaluation.saliency.scoring import Scorer, prepared_image, target_of
from pellucid.nn.activation import Activation
from pellucid.nn.blocks import Parallel, Residual
from pellucid.nn.container import Container
from pellucid.nn.conv import Conv2D
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.graph import Graph
from pellucid.nn.model import Model
from pellucid.nn.norm import BatchNorm
from pellucid.nn.pooling import GlobalAvgPool2D, MaxPool2D
from pellucid.nn.presets import preset
from pellucid.nn.sequential import Sequential
from pellucid.rng import stream
from pellucid.types import Array


def spread(model: Model, shape: tuple[int, ...] = (12, 12, 3), seed: int = 3) -> Model:
    """Initialize in float64, away from where anything is special."""
    rng = np.random.default_rng(seed)
    model.initialize(shape, seed=seed, dtype="float64")
    for leaf in model._leaves():
        for key, array in {**leaf.params, **leaf.state}.items():
            array += (
                rng.random(array.shape) if key == "running_var" else 0.1 * rng.standard_normal(array.shape)
            )
    return model


def small_cnn(units: int = 3) -> Sequential:
    return Sequential(
        [
            Conv2D(6, use_bias=False),
            BatchNorm(),
            Activation("relu"),
            MaxPool2D(),
            Conv2D(8),
            BatchNorm(),
            Activation("relu"),
            MaxPool2D(),
            Flatten(),
            Dense(units),
        ]
    )


def two_ways() -> Graph:
    nodes: dict[str, Any] = {
        "first": (Conv2D(4, activation="relu"), "photo"),
        "wide": (Conv2D(4), "first"),
        "norm": (BatchNorm(), "wide"),
        "bent": (Activation("relu"), "norm"),
        "sum": ("add", ["bent", "first"]),
        "mean": (GlobalAvgPool2D(), "sum"),
        "out": (Dense(3), "mean"),
    }
    return Graph(["photo"], nodes, "out")


MODELS = {
    "mlp": lambda: preset("mlp", 3),
    "cnn": small_cnn,
    "resnet": lambda: preset("resnet-small", 3),
    "graph": two_ways,
}


@pytest.fixture
def photo() -> Array:
    return np.random.default_rng(8).random((12, 12, 3))


def scorer_of(model: Model, target: int = 1) -> Scorer:
    weights = np.zeros(model.output_shape[0])
    weights[target] = 1
    return Scorer(model, weights)


@every("name", MODELS)
def test_the_gradient_is_the_slope_of_the_logit(name: str, photo: Array, rng: np.random.Generator) -> None:
    model = spread(MODELS[name]())
    maps = saliency(model, photo, target=2, methods=["gradient", "gradient_x_input"], sanity_check=False)
    gradient = maps["gradient"].values
    assert gradient is not None
    v, h = rng.standard_normal(photo.shape), 1e-6
    slope = (
        model.decision_function((photo + h * v)[None]) - model.decision_function((photo - h * v)[None])
    ) / 2
    assert np.vdot(gradient, v) == pytest.approx(slope[0, 2] / h, rel=1e-6)
    assert maps["gradient"].heat == pytest.approx(np.abs(gradient).max(axis=2))
    assert maps["gradient_x_input"].values == pytest.approx(gradient * photo, rel=1e-12)
    assert maps["gradient_x_input"].heat == pytest.approx((gradient * photo).sum(axis=2))


def test_one_logit_speaks_for_the_second_class_and_against_the_first(photo: Array) -> None:
    model = spread(preset("mlp"))
    model.classes = ("no", "yes")
    for_yes, for_no = (saliency(model, photo, target=name, sanity_check=False) for name in ("yes", "no"))
    for method, found in for_yes.items():
        if found.values is not None:
            assert found.values == pytest.approx(-for_no[method].values, rel=1e-9, abs=1e-12)
    says_yes = bool(model.predict(photo[None])[0])
    chosen = saliency(model, photo, methods=["gradient"], sanity_check=False)["gradient"]
    assert chosen.target == ("yes" if says_yes else "no")
    model._leaves()[-1].params["b"][:] = -1e3 if says_yes else 1e3
    turned = saliency(model, photo, methods=["gradient"], sanity_check=False)["gradient"]
    assert turned.target == ("no" if says_yes else "yes")
    assert turned.values == pytest.approx(-chosen.values, rel=1e-9)


@every("name", ["cnn", "resnet"])
def test_gradient_and_grad_cam_equal_pytorchs(name: str, photo: Array) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install 'pellucid[oracle]'")
    torch.set_num_threads(1)
    model = spread(MODELS[name]())
    kept: list[Any] = []
    X = torch.tensor(photo.transpose(2, 0, 1)[None].copy(), requires_grad=True)
    score = in_torch(torch, model, X, feature_layer(model), kept)[0, 1]
    maps_grad, input_grad = torch.autograd.grad(score, [kept[0], X])
    maps = saliency(model, photo, target=1, methods=["gradient", "grad_cam"], sanity_check=False)
    assert maps["gradient"].values == pytest.approx(
        input_grad[0].numpy().transpose(1, 2, 0), rel=1e-8, abs=1e-11
    )
    A, G = kept[0][0].detach(), maps_grad[0]
    cam = torch.relu((G.mean((1, 2))[:, None, None] * A).sum(0))
    large = torch.nn.functional.interpolate(cam[None, None], (12, 12), mode="bilinear", align_corners=False)
    assert maps["grad_cam"].heat == pytest.approx(large[0, 0].numpy(), rel=1e-8, abs=1e-11)
    assert float(cam.max()) > 0


def in_torch(torch: Any, layer: Any, X: Any, wanted: Any, kept: list[Any]) -> Any:
    """Do in PyTorch what a layer predicts, and keep what the wanted one gives."""
    arrays = {} if isinstance(layer, Container) else {**layer.params, **layer.state}
    own = {key: torch.tensor(array) for key, array in arrays.items()}
    ops = torch.nn.functional
    match layer:
        case Sequential():
            for child in layer.layers:
                X = in_torch(torch, child, X, wanted, kept)
        case Residual():
            around = X if layer.shortcut is None else in_torch(torch, layer.shortcut, X, wanted, kept)
            X = in_torch(torch, layer.body, X, wanted, kept) + around
        case Conv2D():
            (top, bottom), (left, right) = layer.pads
            padded = ops.pad(X, (left, right, top, bottom))
            X = ops.conv2d(padded, own["W"].permute(3, 2, 0, 1), own.get("b"), stride=layer.stride)
        case BatchNorm():
            X = ops.batch_norm(X, own["running_mean"], own["running_var"], own["gamma"], own["beta"])
        case Activation():
            X = torch.relu(X)
        case MaxPool2D():
            X = ops.max_pool2d(X, 2)
        case GlobalAvgPool2D():
            X = X.mean((2, 3))
        case Flatten():
            X = X.permute(0, 2, 3, 1).flatten(1)
        case Dense():
            X = X @ own["W"] + own["b"]
    if layer is wanted:
        kept.append(X)
    return X


def test_smoothgrad_is_the_mean_over_noisy_copies(photo: Array) -> None:
    model = spread(small_cnn())
    scorer = scorer_of(model)
    noise = stream(5, "smoothgrad").standard_normal((7, *photo.shape))
    sigma = 0.3 * (photo.max() - photo.min())
    plain = np.mean([scorer.gradients((photo + sigma * one)[None])[1][0] for one in noise], axis=0)
    assert smooth_grad(scorer, photo, n=7, noise=0.3, seed=5).values == pytest.approx(plain, rel=1e-10)


@pytest.mark.slow
@every("name", MODELS)
def test_integrated_gradients_add_up_and_equal_many_plain_steps(name: str, photo: Array) -> None:
    model = spread(MODELS[name]())
    scorer = scorer_of(model)
    found = integrated_gradients(scorer, photo, tolerance=1e-3)
    assert found.values is not None
    start, end = scorer.scores(np.stack([np.zeros_like(photo), photo]))
    assert found.values.sum() == pytest.approx(end - start, rel=1.01e-3)
    assert found.completeness_error == pytest.approx(
        abs(found.values.sum() - (end - start)) / abs(end - start), abs=1e-12
    )
    t = (np.arange(400) + 0.5) / 400
    plain = photo * scorer.gradients(t[:, None, None, None] * photo)[1].mean(axis=0)
    largest = np.abs(plain).max()
    assert found.values == pytest.approx(plain, abs=0.03 * largest)


@every("dtype", ["float32", "float64"])
def test_the_path_is_cut_until_the_sum_is_right(dtype: str) -> None:
    for seed in range(12):
        model = preset("mlp")
        model.initialize((12, 12, 3), seed=seed, dtype=dtype)
        rng = np.random.default_rng(seed)
        for leaf in model._leaves():
            for array in leaf.params.values():
                array += 0.3 * rng.standard_normal(array.shape)
        found = saliency(
            model, rng.random((12, 12, 3)), methods=["integrated_gradients"], sanity_check=False
        )["integrated_gradients"]
        assert found.completeness_error is not None
        assert found.completeness_error < 0.01
        assert f"{100 * found.completeness_error:.2g} % off" in found.note


def test_a_straight_path_needs_no_more_points_and_a_bent_one_does(photo: Array) -> None:
    straight = spread(preset("logistic", 3))
    path = integrate(scorer_of(straight), photo, np.zeros_like(photo))
    assert path.n_points == 9
    x_times_w = photo.ravel() * straight._leaves()[-1].params["W"][:, 1]
    found = integrated_gradients(scorer_of(straight), photo).values
    assert found is not None
    assert found.ravel() == pytest.approx(x_times_w, rel=1e-10)
    bent = spread(preset("mlp", 3))
    assert integrate(scorer_of(bent), photo, np.zeros_like(photo), tolerance=1e-6).n_points > 20


def test_another_baseline_and_the_baseline_itself(photo: Array) -> None:
    scorer = scorer_of(spread(preset("mlp", 3)))
    grey = np.full_like(photo, 0.5)
    found = integrated_gradients(scorer, photo, baseline=grey, tolerance=1e-4).values
    assert found is not None
    start, end = scorer.scores(np.stack([grey, photo]))
    assert found.sum() == pytest.approx(end - start, rel=1e-4)
    black = integrated_gradients(scorer, np.zeros_like(photo))
    assert black.completeness_error is None
    assert "nothing to attribute" in black.note
    assert not np.any(black.values)


def test_occlusion_is_what_covering_each_place_does(photo: Array) -> None:
    model = spread(small_cnn())
    scorer = scorer_of(model)
    total, count = np.zeros((12, 12)), np.zeros((12, 12))
    for top in (0, 3, 6, 7):  # the last patch is flush with the edge
        for left in (0, 3, 6, 7):
            covered = photo.copy()
            covered[top : top + 5, left : left + 5] = photo.mean(axis=(0, 1))
            fall = scorer.scores(photo[None])[0] - scorer.scores(covered[None])[0]
            total[top : top + 5, left : left + 5] += fall
            count[top : top + 5, left : left + 5] += 1
    found = occlusion(scorer, photo, patch=5, stride=3)
    assert found.heat == pytest.approx(total / count, rel=1e-10, abs=1e-13)
    assert "16 patches" in found.note


def test_occlusion_finds_the_only_place_that_counts() -> None:
    model = Sequential([Flatten(), Dense(1, initializer="zeros")], dtype="float64")
    model.initialize((16, 16, 1))
    W = model._leaves()[-1].params["W"].reshape(16, 16)
    W[2:4, 10:12] = 1
    photo = np.zeros((16, 16, 1))
    photo[2:4, 10:12] = 1
    heat = saliency(model, photo, target=1, methods=["occlusion"], sanity_check=False)["occlusion"].heat
    assert heat is not None
    assert (heat[2:4, 10:12] > 0).all()
    assert heat[8:, :].max() == pytest.approx(0, abs=1e-12)


def test_where_grad_cam_looks() -> None:
    cnn = spread(small_cnn())
    assert feature_layer(cnn) is cnn.children()[6]  # normalized and bent, before it is pooled
    resnet = spread(preset("resnet-small", 3))
    block = feature_layer(resnet)
    assert isinstance(block, Activation)
    assert block.output_shape == (3, 3, 64)
    assert block is resnet.children()[-3].children()[-1]  # behind the shortcut
    graph = spread(two_ways())
    assert feature_layer(graph) is graph.nodes["bent"][0]
    inside = spread(Sequential([Conv2D(4, activation="relu"), Flatten(), Dense(2)]))
    assert feature_layer(inside) is inside.children()[0]
    ends = [Sequential([Conv2D(4), Activation("relu"), GlobalAvgPool2D()]) for _ in range(2)]
    parallel = spread(Sequential([Parallel(ends), Dense(2)]))
    assert feature_layer(parallel) is ends[1].layers[1]
    assert feature_layer(spread(preset("mlp"))) is None


def test_grad_cam_without_a_convolution_is_said_and_not_crashed(photo: Array) -> None:
    found = saliency(spread(preset("mlp")), photo)["grad_cam"]
    assert found.heat is None
    assert found.values is None
    assert found.sanity is None
    assert "this network has none" in found.note
    assert found.to_dict()["applies"] is False


def test_enlarging_keeps_constants_and_lines() -> None:
    assert enlarged(np.full((2, 3), 4.0), (7, 5)) == pytest.approx(np.full((7, 5), 4.0))
    assert enlarged(np.full((1, 1), 2.0), (3, 3)) == pytest.approx(np.full((3, 3), 2.0))
    ramp = enlarged(np.arange(4.0)[None], (1, 8))[0]
    assert np.diff(ramp)[1:-1] == pytest.approx(0.5)
    assert enlarged(np.eye(3), (3, 3)) == pytest.approx(np.eye(3))


def test_a_dead_network_is_said_and_not_crashed(photo: Array) -> None:
    model = spread(preset("mlp"))
    for leaf in model._leaves()[1:-1]:
        leaf.params["b"][:] = -1e3
    maps = saliency(model, photo)
    assert "0 everywhere" in maps["gradient"].note
    check = maps["gradient"].sanity
    assert check is not None
    assert check.outcome == "unknown"
    assert check.correlation is None
    assert "nothing to attribute" in maps["integrated_gradients"].note


def test_grey_photos_of_two_axes_and_pixels_as_bytes() -> None:
    model = spread(preset("two-layer", 10), (8, 8))
    photo = np.random.default_rng(0).random((8, 8))
    maps = saliency(model, photo)
    for name in METHODS:
        heat, values = maps[name].heat, maps[name].values
        if heat is not None and values is not None:
            assert heat.shape == (8, 8)
            assert values.shape == (8, 8, 1)
    from pellucid.data.preprocess import Preprocessing

    model.preprocessing = Preprocessing("divide", 255.0)
    pixels = np.rint(photo * 255).astype(np.uint8)
    assert (prepared_image(model, pixels) == pixels / 255.0).all()


def test_targets_by_loss() -> None:
    x = np.random.default_rng(0).random((4, 4, 1))
    model = spread(preset("logistic", 3), (4, 4, 1))
    model._leaves()[-1].params["b"][:] = [0, 0, 50]
    assert target_of(model, model.forward(x[None])[0]).index == 2
    model.set_loss("multi_label")
    assert target_of(model, model.forward(x[None])[0]).weights.tolist() == [0, 0, 1]
    model.set_loss("mean_squared_error")
    assert target_of(model, model.forward(x[None])[0]).index == 0
    one = spread(preset("logistic"), (4, 4, 1))
    one.set_loss("mean_squared_error")
    assert target_of(one, one.forward(x[None])[0]).weights.tolist() == [1.0]
    one._leaves()[-1].params["b"][:] = -50
    assert target_of(one, one.forward(x[None])[0]).weights.tolist() == [
        1.0
    ]  # a quantity below 0 is not another class


def test_what_cannot_be_explained_is_said(photo: Array) -> None:
    model = spread(preset("mlp", 3))
    model.classes = ("cat", "dog", "owl")
    with pytest.raises(OptionError, match=r"unknown method 'grad-cam'. Did you mean 'grad_cam'\?"):
        saliency(model, photo, methods=["grad-cam"])
    with pytest.raises(OptionError, match=r"unknown class 'cats'. Did you mean 'cat'\?"):
        saliency(model, photo, target="cats")
    with pytest.raises(OptionError, match="class from 0 to 2, got 3"):
        saliency(model, photo, target=3)
    with pytest.raises(
        ShapeError, match=r"image of shape \(12, 12, 3\), as the model takes, got \(9, 9, 3\)"
    ):
        saliency(model, np.zeros((9, 9, 3)))
    table = spread(Sequential([Dense(2)]), (5,))
    with pytest.raises(ShapeError, match="a model that takes one image"):
        saliency(table, np.zeros(5))
    with pytest.raises(ShapeError, match="a model that takes one image"):
        saliency(spread(Sequential([Conv2D(2)])), photo)
    two = Graph(
        ["a", "b"],
        {"both": ("concat", ["a", "b"]), "flat": (Flatten(), "both"), "o": (Dense(1), "flat")},
        "o",
    )
    two.initialize({"a": (4, 4, 3), "b": (4, 4, 3)})
    with pytest.raises(ShapeError, match="a model that takes one image"):
        saliency(two, np.zeros((4, 4, 3)))
    model.preprocessing = None
    with pytest.raises(DataError, match="numbers"):
        saliency(model, photo.astype(object))


def test_several_photos_have_the_maps_of_each_alone() -> None:
    model = preset("mlp")
    model.initialize((12, 12, 3), dtype="float64")
    X = np.random.default_rng(5).random((3, 12, 12, 3))
    for x, target, found in zip(X, (0, 1, 0), saliency_of_samples(model, X, (0, 1, 0)), strict=True):
        alone = saliency(model, x, target=target)
        assert found.to_dict() == alone.to_dict()
        for name in METHODS:
            np.testing.assert_array_equal(found[name].values, alone[name].values)
            np.testing.assert_array_equal(found[name].heat, alone[name].heat)
