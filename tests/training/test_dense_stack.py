"""The compiled step of Dense layers trains as the layers do, on one thread and on several."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid import dispatch
from pellucid.data.dataset import Dataset
from pellucid.errors import PellucidError
from pellucid.nn.activation import Activation, Dropout
from pellucid.nn.dense import Dense, Flatten
from pellucid.nn.norm import Affine, BatchNorm
from pellucid.nn.sequential import Sequential
from pellucid.ops.losses import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Huber,
    MeanSquaredError,
    MultiLabel,
)
from pellucid.training.executor import dense_stack, stack_layers
from pellucid.training.executor.choose import executor_for
from pellucid.training.executor.dense_stack import DenseStack
from pellucid.training.executor.pace import Pace
from pellucid.training.executor.stack_layers import layers_of
from pellucid.training.fit import train
from pellucid.training.optimizers import LBFGS, SGD, Adam, AdamW, RMSprop

pytest.importorskip("numba")
M, N_IN = 150, 70
TOLERANCES = {"float64": 1e-12, "float32": 1e-5}
# A stack of float64 is compiled by slow tests alone, for half a minute.
both_dtypes = pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let layers of a few thousand operations be divided."""
    monkeypatch.setattr(stack_layers, "PART_OPERATIONS", 1e5)


def network(
    *widths: int, activation: str | None = "relu", n_out: int = 5, dtype: str = "float64"
) -> Sequential:
    return Sequential([*(Dense(n, activation) for n in widths), Dense(n_out)], dtype=dtype)


def classes(n: int = 5) -> Dataset:
    rng = np.random.default_rng(3)
    return Dataset(rng.standard_normal((M, N_IN)), rng.integers(0, n, M))


def quantities() -> Dataset:
    rng = np.random.default_rng(3)
    return Dataset(rng.standard_normal((M, N_IN)), rng.standard_normal((M, 5)))


def trained(model: Sequential, data: Dataset, kernels: str, **options: Any) -> tuple[np.ndarray, list[float]]:
    given: dict[str, Any] = {"n_epochs": 3, "batch_size": 32, "optimizer": SGD(0.05), **options}
    history = train(model, data, kernels=kernels, **given)
    assert history.kernels == kernels
    return model.theta, history.losses


def check(make: Any, data: Dataset, *, tolerance: float = 1e-12, **options: Any) -> None:
    """Compare a training with NumPy with one by the compiled step, in one part and in several."""
    first = make()
    optimizer = options.pop("optimizer", lambda: SGD(0.05))
    theta, losses = trained(first, data, "numpy", optimizer=optimizer(), n_threads=1, **options)
    assert layers_of(first)
    for n_threads in (1, 2):
        how: dict[str, Any] = {"optimizer": optimizer(), "n_threads": n_threads, **options}
        ours, our_losses = trained(make(), data, "numba", **how)
        assert np.linalg.norm(ours - theta) <= tolerance * np.linalg.norm(theta)
        np.testing.assert_allclose(our_losses, losses, rtol=10 * tolerance)


@pytest.mark.slow
@every("dtype", TOLERANCES)
@every("activation", ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "silu", "gelu", "selu", None])
def test_every_activation(activation: str | None, dtype: str) -> None:
    check(lambda: network(40, 64, activation=activation, dtype=dtype), classes(), tolerance=TOLERANCES[dtype])


@pytest.mark.slow
@every("widths", [(), (1,), (33,), (40, 64, 20), (3, 5, 4, 6, 2)])
def test_every_depth(widths: tuple[int, ...]) -> None:
    check(lambda: network(*widths), classes())
    check(lambda: network(*widths, n_out=1), classes(2), batch_size=None)  # the full batch


@every(
    ("dtype", "optimizer"),
    [
        ("float64", lambda: Adam(0.01, beta2=0.95, ntk=True)),
        ("float64", lambda: AdamW(0.01, weight_decay=0.1, ntk=True)),
        ("float64", lambda: SGD(0.1, momentum=0.9, weight_decay=0.1, ntk=True)),
        ("float64", lambda: SGD(0.05, clip_norm=0.1, ntk=True)),
        ("float64", lambda: RMSprop(0.01, ntk=True)),
        ("float64", lambda: SGD(0.05)),
        ("float32", lambda: SGD(0.05, ntk=True)),  # Adam follows the rounding of gradients that are 0
    ],
)
def test_scaled_inputs_and_rates_of_layers(dtype: str, optimizer: Any) -> None:
    def scaled() -> Sequential:
        first = [Affine(shift=False), Dense(40, "selu"), Dropout(0.2)]
        return Sequential([*first, Dense(64), BatchNorm(), Activation("silu"), Dense(5)], dtype=dtype)

    check(scaled, classes(), tolerance={"float64": 1e-11, "float32": 1e-5}[dtype], optimizer=optimizer)


def normed(*, dtype: str = "float64", momentum: float = 0.3) -> Sequential:
    groups = [
        (Dense(n), BatchNorm(momentum=momentum, epsilon=e), Activation(a))
        for n, e, a in [(40, 1e-3, "relu"), (64, 1e-5, "tanh")]
    ]
    layers = [*(layer for group in groups for layer in group), Dense(20, "relu"), Dense(5), BatchNorm()]
    return Sequential(layers, dtype=dtype)


@both_dtypes
@every(
    "options",
    [
        {},
        {"optimizer": lambda: SGD(0.05, 0.9, weight_decay=0.1, decay_biases=True), "batch_size": None},
        {"optimizer": lambda: SGD(0.05, clip_norm=0.1)},  # which asks for the whole gradient
        {"batch_size": 149},  # and a sample alone, which has no variance
    ],
)
def test_batch_norm(dtype: str, options: dict[str, Any]) -> None:
    """By rules that are linear: Adam would make steps of the rounding that is the gradient of b before a norm."""
    made: list[Sequential] = []

    def make() -> Sequential:
        made.append(normed(dtype=dtype))
        return made[-1]

    tolerance = {"float64": 1e-11, "float32": 2e-5}[dtype]
    check(make, classes(), tolerance=tolerance, **options)
    plain, *ours = ([leaf.state for leaf in model.layers if type(leaf) is BatchNorm] for model in made)
    for states in ours:
        for state, expected in zip(states, plain, strict=True):
            for name in expected:
                np.testing.assert_allclose(state[name], expected[name], rtol=100 * tolerance, atol=tolerance)


@both_dtypes
def test_dropout_draws_what_the_layer_draws(dtype: str) -> None:
    def make() -> Sequential:
        groups = [
            (Dense(40), BatchNorm(), Activation("relu"), Dropout(0.3)),
            # 32 * 33 numbers and 22 * 33, which 4 does not divide
            (Dense(33), Activation("tanh"), Dropout(0.5)),
            (Dense(64, "relu"), Dropout(0.2)),
            (Dense(20), Dropout(0.1)),
            (Dense(8), Dropout(0.0), Dense(5)),
        ]
        return Sequential([Flatten(), *(layer for group in groups for layer in group)], dtype=dtype)

    # SGD, as Adam would make steps of the rounding that is the gradient of b before a norm
    check(make, classes(), tolerance={"float64": 1e-11, "float32": 2e-5}[dtype])


def test_dropout_needs_a_stream() -> None:
    model = Sequential([Dense(3), Dropout(0.5), Dense(1)])
    model.initialize((N_IN,))
    X, Y = (np.zeros((4, n), model.dtype) for n in (N_IN, 1))
    refused = pytest.raises(PellucidError, match="set_step_rng")
    with dispatch.use("numba"), executor_for(model, 1) as executor, refused:
        executor.loss_and_grad(X, Y)


@pytest.mark.slow
def test_columns_far_from_zero_and_activations_apart_from_their_layers() -> None:
    data = classes()
    data.X[:, 0] += 1e3
    check(normed, data, tolerance=1e-8)

    def make() -> Sequential:
        activations = [Activation("leaky_relu", slope=0.3), Activation("elu", alpha=0.5)]
        layers = [Flatten(), Dense(8), activations[0], Dense(8), activations[1], Dense(5), Activation("tanh")]
        return Sequential(layers, dtype="float64")

    check(make, classes())


@pytest.mark.slow
@every(
    "optimizer",
    [
        lambda: SGD(0.05, weight_decay=0.1),
        lambda: SGD(0.05, momentum=0.9, decay_biases=True, weight_decay=0.1),
        lambda: SGD(0.05, momentum=0.9, nesterov=True, clip_value=0.01),
        lambda: Adam(0.01, weight_decay=0.1),
        lambda: AdamW(0.01, weight_decay=0.1),
        lambda: AdamW(0.01, weight_decay=0.1, decay_biases=True, clip_norm=0.1),
        lambda: RMSprop(0.001),
        lambda: LBFGS(5),  # which evaluates the loss itself
    ],
)
def test_every_rule_of_an_optimizer(optimizer: Any) -> None:
    is_whole = isinstance(optimizer(), LBFGS)
    how: dict[str, Any] = {"batch_size": None, "tolerance": 1e-9} if is_whole else {"tolerance": 1e-11}
    check(lambda: network(8) if is_whole else network(40, 64), classes(), optimizer=optimizer, **how)


@pytest.mark.slow
def test_every_loss(rng: np.random.Generator) -> None:
    weights = rng.random(M)
    smooth = {"type": "categorical_cross_entropy", "label_smoothing": 0.1}
    rows = Dataset(classes().X, np.eye(5)[classes().y])
    for data, options in [
        (classes(), {"loss": smooth, "sample_weight": weights}),
        (rows, {"loss": smooth, "sample_weight": weights}),
        (quantities(), {"sample_weight": weights}),
        (quantities(), {"loss": Huber(0.5), "sample_weight": weights}),  # which the kernel has not
        (rows, {"loss": MultiLabel(positive_weight=2.0)}),
    ]:
        check(lambda: network(40), data, **options)
    smooth = {"type": "binary_cross_entropy", "label_smoothing": 0.1}
    check(lambda: network(40, n_out=1), classes(2), loss=smooth, class_weight="balanced")


@pytest.mark.slow
def test_slices_of_read_only_data_serve_as_batches() -> None:
    data = classes()
    data.X.flags.writeable = data.y.flags.writeable = False
    check(lambda: network(40), data, shuffle=False)
    check(lambda: network(40), data, batch_size=None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_the_estimators_losses_and_penalty() -> None:
    from pellucid.estimators import MLPClassifier, MLPRegressor

    rng = np.random.default_rng(0)
    X, several = rng.standard_normal((M, 6)), rng.integers(0, 2, (M, 3))
    for make, y in [(MLPClassifier, several), (MLPRegressor, rng.standard_normal((M, 3)))]:
        fitted = []
        for kernels in ("numpy", "numba"):
            with dispatch.use(kernels):
                fitted.append(make(hidden_layer_sizes=8, alpha=0.1, max_iter=4, random_state=1).fit(X, y))
        np.testing.assert_allclose(fitted[1].loss_curve_, fitted[0].loss_curve_, rtol=1e-12)
        np.testing.assert_allclose(fitted[1].coefs_[0], fitted[0].coefs_[0], rtol=0, atol=1e-10)


def test_bits_repeat_and_do_not_depend_on_who_computes_the_parts() -> None:
    data, thetas = classes(), []
    for held in (nullcontext(), nullcontext(), dense_stack._threads):  # as by another training
        with held:
            model = network(40, 64, dtype="float32")
            thetas.append(trained(model, data, "numba", n_threads=2, optimizer=Adam(0.01))[0])
    np.testing.assert_array_equal(thetas[1:], [thetas[0]] * 2)
    assert not dense_stack._threads.locked()


def test_a_child_forked_in_the_middle_goes_on_alone() -> None:
    model = network(40, 64, dtype="float32")
    model.initialize((N_IN,))
    model.set_loss(CategoricalCrossEntropy())
    optimizer, data = SGD(0.05), classes()
    optimizer.start(model.theta, model._flat_decay_mask())
    with dispatch.use("numba"), executor_for(model, 2, optimizer) as executor:
        assert isinstance(executor, DenseStack)
        executor.kernel = type("Kernel", (), {**vars(executor.kernel), "PROCESS": -1})
        for _ in range(6):
            executor.loss_and_grad(data.X.astype(model.dtype), data.y)
            executor.update(optimizer)
        assert executor._n_before == 0


def test_what_does_not_fit_is_refused_as_by_the_layers() -> None:
    """The kernel reads what its plan says, unchecked: targets of no rows were read past their end."""
    data, wrong = classes(), []
    rows, X = np.eye(5)[data.y], data.X
    for loss, inputs, Y, weights in [
        (BinaryCrossEntropy(), X, data.y, None),
        (BinaryCrossEntropy(), X, rows[:, :1], None),
        (MeanSquaredError(), X, data.y, None),
        (CategoricalCrossEntropy(), X, data.y[:-1], None),
        (CategoricalCrossEntropy(), X, data.y + 1, None),
        (CategoricalCrossEntropy(), X, rows[1:], None),
        (CategoricalCrossEntropy(), X, rows[:, 1:], None),
        (CategoricalCrossEntropy(), X[:, 1:], data.y, None),
        (CategoricalCrossEntropy(), X, data.y, np.ones(M - 1)),
        (Huber(), X, rows[:, :1], None),
    ]:
        model, errors = network(40), []
        model.initialize((N_IN,))
        model.set_loss(loss)
        for kernels in ("numpy", "numba"):
            with dispatch.use(kernels), executor_for(model, 1) as executor:
                assert isinstance(executor, DenseStack) == (kernels == "numba")
                try:
                    executor.loss_and_grad(inputs, Y, weights=weights)
                except PellucidError as error:
                    errors.append(str(error))
        if len(errors) != 2 or errors[0] != errors[1]:
            wrong.append((loss, inputs.shape, Y.shape, errors))
    assert not wrong


@every(
    "options",
    [
        {},
        {"schedule": "one_cycle", "optimizer": lambda: AdamW(0.01)},
        {"batch_size": None, "optimizer": lambda: SGD(0.05, momentum=0.9)},
        {"shuffle": False, "validation": 0.3},
        {"batch_size": 1, "n_epochs": 1},
    ],
)
@every("n_threads", [1, 2])
def test_many_steps_in_one_call_are_steps_one_by_one(
    options: dict[str, Any], n_threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"optimizer": lambda: Adam(0.01), "n_threads": n_threads, **options}
    make = options.pop("optimizer")
    for data, n_out in ((classes(), 5), (classes(2), 1)):
        model, listens = network(40, n_out=n_out, dtype="float32"), [lambda event: None]
        watched, losses = trained(model, data, "numba", optimizer=make(), callbacks=listens, **options)
        monkeypatch.setattr(dense_stack, "OPERATIONS", 1e7)  # several calls an epoch
        with monkeypatch.context() as no_single_steps:
            no_single_steps.setattr(DenseStack, "loss_and_grad", None)
            no_single_steps.setattr("pellucid.training.compiling.rehearse", lambda rehearsal: None)
            model = network(40, n_out=n_out, dtype="float32")
            together, ours = trained(model, data, "numba", optimizer=make(), **options)
        np.testing.assert_array_equal(together, watched)
        assert ours == losses


def test_other_models_have_the_usual_executor() -> None:
    nested = Sequential([network(3), Dense(1)])
    layers = [
        [Dense(3, "relu"), BatchNorm(), Dense(1)],
        [Dense(3), BatchNorm(), BatchNorm(), Dense(1)],
        [BatchNorm(), Dense(1)],
        [Dropout(0.5), Dense(1)],
        [Dense(3), Dropout(0.5), Activation("relu"), Dense(1)],
        [Dense(3), Dropout(0.5), BatchNorm(), Dense(1)],
        [Dense(3), Dropout(0.5), Dropout(0.5), Dense(1)],
        [Dense(3, "softmax")],
        [Dense(3, "hard_swish"), Dense(1)],
        [Flatten()],
    ]
    for model in [nested, *map(Sequential, layers)]:
        model.initialize((4,))
        assert layers_of(model) == []


def test_threads_rest_where_they_are_slower_and_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("pellucid.training.executor.pace.time.perf_counter", lambda: now[0])
    pace, seen = Pace(), []
    for step in range(2000):
        is_busy = 100 <= step < 200  # another program has the other core
        seconds = (20.0 if is_busy else 0.6) if pace.is_on_threads else 1.0
        seen.append(pace.is_on_threads)
        now[0] += seconds
        pace.record(seconds)
    assert not any(seen[:3])
    assert all(seen[3:100])
    assert sum(seen[100:200]) < 6
    assert sum(seen[1000:]) > 980
