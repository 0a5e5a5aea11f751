"""The dual form equals the direct one: same losses, same weights, whatever the options."""

from typing import Any

import numpy as np
import pytest
from tests.every import every
from tests.ops.cases import HAS_NUMBA
from threadpoolctl import threadpool_info, threadpool_limits

from pellucid import Dataset, Dense, Flatten, Preprocessing, Sequential, dispatch, train
from pellucid.errors import OptionError
from pellucid.training.dual.dense import DualDense
from pellucid.training.dual.form import dual_form, operations, why_not_dual
from pellucid.training.dual.full_batch import FullBatchStep, fits
from pellucid.training.dual.rows import SlicedRows
from pellucid.training.events import StepEnd
from pellucid.training.optimizers import SGD, Optimizer

needs_numba = pytest.mark.skipif(not HAS_NUMBA, reason="needs Numba: pip install 'pellucid[fast]'")


def network(hidden: tuple[int, ...] = (4,), dtype: str = "float64") -> Sequential:
    return Sequential([Flatten(), *(Dense(n, activation="relu") for n in hidden), Dense(1)], dtype=dtype)


def wide(rng: np.random.Generator, m: int = 12, n_in: int = 60) -> Dataset:
    return Dataset(rng.standard_normal((m, n_in)), rng.integers(0, 2, m))


def both(data: Dataset, hidden: tuple[int, ...] = (4,), dtype: str = "float64", **options: Any) -> list[Any]:
    sgd = options.pop("sgd", {"learning_rate": 0.1})
    histories = [
        train(network(hidden, dtype), data, optimizer=SGD(**sgd), form=form, **options)
        for form in ("direct", "dual")
    ]
    return [(history.model, history) for history in histories]


PIXELS = Dataset(np.random.default_rng(0).integers(0, 256, (9, 5000), dtype=np.uint8), np.arange(9) % 2)
CLIPPED = {"learning_rate": 0.1, "clip_norm": 0.05, "momentum": 0.5, "weight_decay": 0.1}


@every(
    ("options", "limit"),
    [
        ({"validation": wide(np.random.default_rng(2), m=7)}, 1e-11),
        ({"loss": {"type": "auto", "label_smoothing": 0.3}}, 1e-11),  # by the layers, not by the flat step
        ({"sample_weight": np.linspace(0, 1, 12), "class_weight": "balanced"}, 1e-11),
        ({"sgd": CLIPPED}, 1e-11),  # by the length of the true gradient
        ({"sgd": {**CLIPPED, "clip_norm": None, "nesterov": True}, "batch_size": 5}, 1e-11),
        ({"hidden": (), "batch_size": 5, "shuffle": False}, 1e-11),
        ({"dtype": "float32"}, 2e-5),
        # More columns than one slice.
        ({"dtype": "float32", "data": PIXELS, "sgd": {"learning_rate": 0.01}}, 1e-4),
    ],
)
def test_equals_direct_under_every_option(
    options: dict[str, Any], limit: float, rng: np.random.Generator
) -> None:
    (direct, one), (dual, two) = both(**{"data": wide(rng), "n_epochs": 20, **options})
    assert (one.form, two.form, dual.theta.dtype) == ("direct", "dual", direct.theta.dtype)
    for name, column in one.columns.items():
        np.testing.assert_allclose(two[name], column, rtol=limit)
    np.testing.assert_allclose(dual.theta, direct.theta, rtol=0, atol=limit)


def test_the_model_predicts_rightly_in_the_middle(rng: np.random.Generator) -> None:
    data, fresh = wide(rng), rng.standard_normal((5, 60))
    seen: dict[str, list[np.ndarray]] = {"direct": [], "dual": []}
    for form, outputs in seen.items():
        model = network()

        def look(event: Any, model: Sequential = model, outputs: list[np.ndarray] = outputs) -> None:
            if isinstance(event, StepEnd) and event.step == 7:
                outputs.append(model.decision_function(fresh))

        train(model, data, optimizer=SGD(0.1), n_epochs=15, form=form, callbacks=[look])
        outputs.append(model.decision_function(fresh))
    np.testing.assert_allclose(seen["dual"], seen["direct"], rtol=1e-11)


def test_auto_takes_the_cheaper(rng: np.random.Generator) -> None:
    for m, n_in, n_epochs, form, words in (
        (10, 2000, 100, "dual", "fewer operations"),
        (200, 20, 100, "direct", "would cost more"),
        (50, 2000, 1, "direct", "would cost more"),  # the set-up alone costs more than one step
    ):
        history = train(network(), wide(rng, m=m, n_in=n_in), n_epochs=n_epochs)
        assert history.form == form
        assert words in history.note


def test_where_it_does_not_hold_auto_is_direct_and_dual_is_refused(rng: np.random.Generator) -> None:
    class Curved(Optimizer):
        def start(self, theta: np.ndarray, decay_mask: np.ndarray) -> None: ...
        def step(self, theta: np.ndarray, grad: np.ndarray) -> None: ...

    assert "Curved is not linear" in why_not_dual(network(), Curved(0.1), 10)
    assert "would not fit" in why_not_dual(network(), SGD(), 20_000)
    nested = Sequential([network()])
    assert "does not begin with" in why_not_dual(nested, SGD(), 10)
    data = wide(rng, n_in=2000)
    assert train(network(), data, optimizer=Curved(0.1), n_epochs=100).form == "direct"
    with pytest.raises(OptionError, match="the dual form does not hold here: Curved"):
        train(network(), data, optimizer=Curved(0.1), n_epochs=1, form="dual")


def test_an_exception_swaps_the_plain_layer_back(rng: np.random.Generator) -> None:
    model, data = network(), wide(rng)
    model.initialize((60,))
    before = model.theta.copy()
    form = dual_form(model, SlicedRows(data.X))
    form.__enter__()
    assert isinstance(model.layers[0], DualDense)
    with pytest.raises(KeyError):
        form.gen.throw(KeyError())  # type: ignore[attr-defined]
    np.testing.assert_allclose(model.theta, before, rtol=0, atol=1e-15)
    assert not any(isinstance(layer, DualDense) for layer in model.layers)


def test_the_count_of_operations_is_that_of_the_published_run() -> None:
    direct, dual = operations(12288, 20, 209, 0, 209, 2500)
    assert direct / dual == pytest.approx(84.2, abs=0.1)


@every("hidden", [(), (4,), (6, 3), (5, 4, 3)])
def test_the_flat_step_equals_its_twin(rng: np.random.Generator, hidden: tuple[int, ...]) -> None:
    model, data = network(hidden), wide(rng)
    model.initialize((60,), seed=3)
    with dual_form(model, SlicedRows(data.X)) as dual:
        assert fits(model, dual)
        model.theta[...] = rng.standard_normal(model.theta.size) * 0.5
        Y = model._encode(data.y)
        loss = model.loss_and_grad(dual.rows_train, Y)
        grad = model.grad.copy()
        model.grad[...] = 7
        assert FullBatchStep(model, dual, Y).loss_and_grad(None, None) == pytest.approx(loss, rel=1e-13)
        np.testing.assert_allclose(model.grad, grad, rtol=0, atol=1e-13)


def test_the_flat_step_is_exact_for_saturated_logits(rng: np.random.Generator) -> None:
    model, data = network(()), wide(rng)
    model.initialize((60,), seed=3)
    with dual_form(model, SlicedRows(data.X)) as dual:
        for bias in (-900.0, 900.0):
            dual.params["C"][:, -1] = bias
            step = FullBatchStep(model, dual, model._encode(data.y))
            loss = step.loss_and_grad(None, None)
            assert loss == pytest.approx(model.loss_and_grad(dual.rows_train, data.y), rel=1e-14)


STACKS = [((), "relu", 0.9), ((4,), "relu", 0.0), ((6, 3), "relu", 0.9), ((4,), "tanh", 0.9)]


@every(("hidden", "name", "momentum"), [*STACKS, ((5, 4, 3), "gelu", 0.0)])
def test_many_compiled_steps_equal_the_layers(hidden: tuple[int, ...], name: str, momentum: float) -> None:
    pytest.importorskip("numba")
    rng = np.random.default_rng(2)
    X, weights = rng.standard_normal((12, 60)), rng.random(12)
    for y, n_out, loss in [
        (rng.integers(0, 2, 12), 1, {"type": "binary_cross_entropy", "label_smoothing": 0.1}),
        (rng.integers(0, 3, 12), 3, "categorical_cross_entropy"),
        (rng.standard_normal((12, 2)), 2, "mean_squared_error"),
    ]:
        found = []
        for kernels, callbacks in [("numpy", ()), ("numba", ()), ("numba", (lambda event: False,))]:
            layers = [*(Dense(n, name) for n in hidden), Dense(n_out)]
            model = Sequential([Flatten(), *layers], dtype="float64")
            sgd = SGD(0.05, momentum, nesterov=momentum > 0, weight_decay=0.1)
            options: dict[str, Any] = {"loss": loss, "sample_weight": weights, "callbacks": callbacks}
            options |= {"n_epochs": 25, "form": "dual", "kernels": kernels}
            history = train(model, Dataset(X, y), optimizer=sgd, **options)
            assert (history.form, history.kernels, history.n_steps) == ("dual", kernels, 25)
            assert history.is_complete
            found.append((model.theta, history.losses))
        for theta, losses in found[1:]:
            np.testing.assert_allclose(losses, found[0][1], rtol=1e-12)
            np.testing.assert_allclose(theta, found[0][0], rtol=0, atol=1e-12)


@every("mean", [0.0, 20.0])
def test_rows_far_from_zero_cost_no_digits_in_float32(mean: float, rng: np.random.Generator) -> None:
    """Uncentred, the outputs at a mean of 20 are off by 4e-4; the direct form's by 2e-6."""
    m, n_in = 50, 100
    X = (mean + rng.standard_normal((m, n_in))).astype(np.float32)
    data, outputs = Dataset(X, rng.standard_normal(m)), []
    ways = [("direct", "float64", "numpy"), ("dual", "float32", "numpy"), ("dual", "float32", "numba")]
    for form, dtype, kernels in ways[: 2 + HAS_NUMBA]:
        model = Sequential([Dense(1)], dtype=dtype)
        model.initialize((n_in,), seed=1)
        model.preprocessing = Preprocessing()
        optimizer = SGD(0.5 / (n_in * (1 + mean**2)), momentum=0.9)
        with dispatch.use(kernels):
            history = train(model, data, optimizer=optimizer, batch_size=None, n_epochs=4000, form=form)
        assert history.form == form
        outputs.append(model.predict(X).astype(float))
    for ours in outputs[1:]:
        assert np.sqrt(np.mean((ours - outputs[0]) ** 2)) < 6e-6


def test_float32_with_more_samples_than_inputs_takes_the_direct_form(rng: np.random.Generator) -> None:
    data = Dataset(rng.standard_normal((70, 60)), np.arange(70) % 2)
    single, double = (
        train(Sequential([Dense(1)], dtype=dtype), data, optimizer=SGD(0.1), batch_size=None, n_epochs=2000)
        for dtype in ("float32", "float64")
    )
    assert single.note.endswith("with 70 samples of 60 numbers, float32 would lose digits in the dual form")
    assert (single.form, double.form) == ("direct", "dual")


def test_the_length_of_weights_and_gradient_is_that_of_the_plain_layer(rng: np.random.Generator) -> None:
    model, data = network(), wide(rng)
    model.initialize((60,), seed=3)
    X = data.X + 3
    with dual_form(model, SlicedRows(X)) as dual:
        for W0 in (None, rng.standard_normal((60, 4))):
            if W0 is not None:
                dual.restart_from(W0)
            model.theta[...] = rng.standard_normal(model.theta.size)
            dual.params["C"][:, len(X) + 1 : -1] = 0.7 * np.eye(4)
            W = dual.to_dense().params["W"]
            assert dual.weight_norm_squared() == pytest.approx(float((W**2).sum()), rel=1e-12)
            plain = Sequential([dual.to_dense(), *model.layers[1:]], dtype="float64")
            ours, theirs = dual.forward(dual.rows_train), plain.layers[0].forward(X)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)
            model.loss_and_grad(dual.rows_train, data.y)
            dZ = dual.grads["C"][:, : len(X)].T
            rest = model.grad[dual.grads["C"].size :]
            length = np.sqrt(((X.T @ dZ) ** 2).sum() + (dZ.sum(axis=0) ** 2).sum() + (rest**2).sum())
            assert dual.grad_norm(model.grad) == pytest.approx(length, rel=1e-11)


@pytest.mark.slow
@needs_numba
@every(("m", "is_held"), [(30, True), (1500, False)])
def test_blas_keeps_its_threads_where_the_product_with_the_gram_matrix_is_large(
    m: int, is_held: bool
) -> None:
    found: list[int] = []

    def look(event: Any) -> None:
        if isinstance(event, StepEnd):
            found.extend(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")

    rng = np.random.default_rng(5)
    with threadpool_limits(3, user_api="blas"):
        data = Dataset(rng.standard_normal((m, 4)), rng.integers(0, 2, m))
        how: dict[str, Any] = {"optimizer": "sgd", "form": "dual", "kernels": "numba"}
        train(network((20,)), data, n_epochs=1, callbacks=[look], **how)
    assert found
    assert all((n == 1) == is_held for n in found)
