"""Every optimizer takes PyTorch's steps, in place, whole or in parts, and resumes where it stopped."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from tests.every import every

from pellucid import dispatch
from pellucid.errors import FormatError, OptionError, PellucidError, ShapeError
from pellucid.training.optimizers import SGD, Adam
from pellucid.training.optimizers.base import BLOCK_BYTES, OPTIMIZERS, Optimizer
from pellucid.types import Array

P = 2 * (BLOCK_BYTES // 4) + 77  # two blocks of float32, four of float64, and a rest
N_STEPS = 8

EVERY: list[tuple[str, dict[str, Any]]] = [
    ("sgd", {"learning_rate": 0.05}),
    ("sgd", {"learning_rate": 0.05, "momentum": 0.9}),
    ("sgd", {"learning_rate": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("rmsprop", {"learning_rate": 0.01}),
    ("rmsprop", {"decay": 0.9, "momentum": 0.7, "epsilon": 1e-3, "weight_decay": 0.1}),
    ("adagrad", {"learning_rate": 0.1}),
    ("adagrad", {"learning_rate": 0.1, "initial_sum": 0.3, "epsilon": 1e-2, "weight_decay": 0.1}),
    ("adam", {"learning_rate": 0.01}),
    ("adam", {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-2, "weight_decay": 0.1}),
    ("adam", {"beta1": 0.0}),
    ("adamw", {"learning_rate": 0.01}),
    ("adamw", {"learning_rate": 0.01, "epsilon": 1e-3, "weight_decay": 0.3}),
]
THEIRS = {"sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad", "adam": "Adam", "adamw": "AdamW"}
THEIR_OPTIONS = {
    "learning_rate": "lr",
    "decay": "alpha",
    "epsilon": "eps",
    "initial_sum": "initial_accumulator_value",
    **{name: name for name in ("momentum", "nesterov", "weight_decay")},
}


def slope(theta: Array, noise: Array) -> Array:
    """A gradient that depends on theta, so that an error in one step is carried into the next."""
    return (theta + np.sin(3 * theta) + noise).astype(theta.dtype)


def mask_of(theta: Array) -> Array:
    """Weights, biases, weights, biases: runs that do not end where the blocks do."""
    mask = np.ones_like(theta)
    mask[1000:1050] = 0
    mask[-30:] = 0
    return mask


def walk(optimizer: Optimizer, theta: Array, n_steps: int, *, first: int = 0, is_fresh: bool = True) -> Array:
    """Take steps with noise that depends only on the step's number."""
    if is_fresh:
        optimizer.start(theta, mask_of(theta))
    for step in range(first, first + n_steps):
        noise = np.random.default_rng(step).standard_normal(theta.size)
        optimizer.step(theta, slope(theta, noise))
    return theta


@pytest.mark.slow
@every(("name", "options"), EVERY)
def test_trajectory_equals_pytorch(name: str, options: dict[str, Any], rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch, the oracle")
    theta = rng.standard_normal(P)
    masks = mask_of(theta) == 1, mask_of(theta) == 0
    parts = [torch.nn.Parameter(torch.tensor(theta[where])) for where in masks]
    groups = [{"params": [parts[0]]}, {"params": [parts[1]], "weight_decay": 0.0}]
    ours = OPTIMIZERS.make(name, **options)
    own = {THEIR_OPTIONS[key]: value for key, value in options.items() if not key.startswith("beta")}
    if name in ("adam", "adamw"):
        own["betas"] = (options.get("beta1", 0.9), options.get("beta2", 0.999))
    theirs = getattr(torch.optim, THEIRS[name])(groups, **{"lr": ours.learning_rate, **own})
    ours.start(theta, mask_of(theta))
    for step in range(N_STEPS):
        noise = np.random.default_rng(step).standard_normal(P)
        for part, where in zip(parts, masks, strict=True):
            part.grad = torch.tensor(slope(part.detach().numpy(), noise[where]))
        theirs.step()
        ours.step(theta, slope(theta, noise))
    for part, where in zip(parts, masks, strict=True):
        expected = part.detach().numpy()
        assert np.abs(theta[where] - expected).max() < 1e-12 * np.abs(expected).max()


@every(("name", "options"), EVERY)
def test_float32_stays_float32_and_near_float64(
    name: str, options: dict[str, Any], rng: np.random.Generator
) -> None:
    start = rng.standard_normal(2000)
    wide = walk(OPTIMIZERS.make(name, **options), start.copy(), 20)
    optimizer = OPTIMIZERS.make(name, **options)
    narrow = walk(optimizer, start.astype(np.float32), 20)
    assert narrow.dtype == np.float32
    arrays = [value for value in optimizer.state().values() if isinstance(value, np.ndarray)]
    assert all(array.dtype == np.float32 for array in arrays)
    assert np.abs(narrow - wide).max() < 2e-5


@every("clip", [{}, {"clip_value": 0.1}, {"clip_norm": 0.1}])
@every("name", THEIRS)
def test_a_step_allocates_a_few_blocks_at_most(
    name: str, clip: dict[str, float], rng: np.random.Generator
) -> None:
    theta, grad = rng.standard_normal((2, P))
    optimizer = OPTIMIZERS.make(name, weight_decay=0.01, **clip)
    optimizer.start(theta, mask_of(theta))
    optimizer.step(theta, grad)
    tracemalloc.start()
    optimizer.step(theta, grad)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3.5 * BLOCK_BYTES


@every("name", THEIRS)
def test_decay_follows_the_mask_or_everything(name: str) -> None:
    mask = np.array([1.0, 1, 0, 0, 1, 0])
    for decay_biases, decayed in ((False, mask), (True, np.ones(6))):
        theta = np.full(6, 2.0)
        optimizer = OPTIMIZERS.make(name, learning_rate=0.1, weight_decay=0.5, decay_biases=decay_biases)
        optimizer.start(theta, mask)
        optimizer.step(theta, np.zeros(6))
        np.testing.assert_array_equal(theta < 2, decayed)


@every("kernels", ["plain", "numba"])
@every(("name", "options"), EVERY)
def test_layers_have_rates_of_their_own(
    name: str, options: dict[str, Any], kernels: str, rng: np.random.Generator
) -> None:
    if kernels == "numba":
        pytest.importorskip("numba")
    theta, ours = rng.standard_normal(P), OPTIMIZERS.make(name, ntk=True, **options)
    mask, rates = mask_of(theta), np.ones(P)
    rates[500:] = 0.25
    ours.ntk_rates = rates
    ours.start(theta, mask)
    apart = np.split(theta.copy(), [500])
    peers = [OPTIMIZERS.make(name, **options) for _ in apart]
    for peer, part, own in zip(peers, apart, np.split(mask, [500]), strict=True):
        peer.start(part, own)
    peers[1].learning_rate *= 0.25
    with dispatch.use(kernels):
        for step in range(N_STEPS):
            noise = np.random.default_rng(step).standard_normal(P)
            for peer, part, own in zip(peers, apart, np.split(noise, [500]), strict=True):
                peer.step(part, slope(part, own))
            ours.step(theta, slope(theta, noise))
    np.testing.assert_allclose(theta, np.concatenate(apart), rtol=1e-12, atol=1e-15)


@every(("name", "limit"), [("norm", 0.5), ("norm", 1e6), ("value", 0.3)])
def test_clipping_equals_pytorch_and_comes_before_decay(
    name: str, limit: float, rng: np.random.Generator
) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch, the oracle")
    gradient, theta = rng.standard_normal(P), np.ones(P)
    parameters = [torch.nn.Parameter(torch.zeros(n, dtype=torch.float64)) for n in (1000, P - 1000)]
    for parameter, piece in zip(parameters, np.split(gradient, [1000]), strict=True):
        parameter.grad = torch.tensor(piece)
    getattr(torch.nn.utils, f"clip_grad_{name}_")(parameters, limit)
    expected = np.concatenate([parameter.grad.numpy() for parameter in parameters])
    optimizer = SGD(1.0, weight_decay=0.5, **{f"clip_{name}": limit})
    optimizer.start(theta, np.ones(P))
    optimizer.step(theta, gradient.copy())
    np.testing.assert_allclose(0.5 - theta, expected, rtol=1e-13, atol=1e-15)


def test_clip_norm_asks_the_layer_where_it_is_told_to() -> None:
    theta, asked = np.zeros(2), []

    def norm(grad: Array) -> float:
        asked.append(grad.copy())
        return 100.0

    optimizer = SGD(1.0, clip_norm=1.0)
    optimizer.grad_norm = norm
    optimizer.start(theta, np.ones(2))
    optimizer.step(theta, np.array([3.0, 4.0]))
    np.testing.assert_allclose(theta, [-0.03, -0.04], rtol=1e-7)
    np.testing.assert_array_equal(asked, [[3.0, 4.0]])


def test_what_is_linear_in_the_gradient() -> None:
    assert SGD().is_linear
    assert SGD(momentum=0.9, nesterov=True, weight_decay=0.1, clip_norm=1.0).is_linear
    assert not SGD(clip_value=1.0).is_linear
    assert not any(OPTIMIZERS.make(name).is_linear for name in OPTIMIZERS if name != "sgd")
    assert [name for name, kind in OPTIMIZERS.items() if kind.is_full_batch] == ["lbfgs"]


RATES = [0, -1, float("nan"), float("inf"), "0.1", None]
WRONG = "expected learning_rate to be a number above 0, got"


@every(
    ("name", "options", "message"),
    [
        *((name, {"learning_rate": rate}, WRONG) for name in THEIRS for rate in RATES),
        ("sgd", {"nesterov": True}, "nesterov: .* set momentum"),
        ("adamw", {"clip_value": 1, "clip_norm": 1}, "one of them, got both"),
        ("lbfgs", {"learning_rate": 0.1}, "lbfgs: unknown option 'learning_rate'"),
        ("adma", {}, "unknown optimizer 'adma'. Did you mean 'adam'"),
    ],
)
def test_wrong_options_are_named(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        OPTIMIZERS.make(name, **options)


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    theta = np.ones(5)
    adam = OPTIMIZERS.make("adam")
    with pytest.raises(PellucidError, match="call start first"):
        adam.load_state({})
    adam.start(theta, np.ones(5))
    adam.step(theta, np.arange(5.0))
    before = adam.state()
    rmsprop, other, narrow = OPTIMIZERS.make("rmsprop"), OPTIMIZERS.make("adam"), OPTIMIZERS.make("adam")
    for optimizer, like in ((rmsprop, theta), (other, np.ones(6)), (narrow, np.ones(5, np.float32))):
        optimizer.start(like, np.ones_like(like))
    for wrong, message in (
        (rmsprop.state(), "expected n_steps, learning_rate, .*, got .*squares"),
        (other.state(), r"first_moment: expected float64 of shape \(5,\), got float64 of shape \(6,\)"),
        (narrow.state(), "got float32"),
        ({}, "got nothing"),
        ({**before, "n_steps": "7"}, "n_steps: expected a count"),
        ({**before, "second_moment": 3.0}, "second_moment: .* got float"),
    ):
        with pytest.raises(FormatError, match=message):
            adam.load_state(wrong)
    after = adam.state()
    assert before.keys() == after.keys()
    for key, value in before.items():
        np.testing.assert_array_equal(after[key], value)


def test_misuse_is_refused() -> None:
    sgd = SGD(clip_norm=1.0)
    with pytest.raises(ShapeError, match="decay_mask"):
        sgd.start(np.ones(3), np.ones(2))
    sgd.start(np.ones(3), np.ones(3))
    with pytest.raises(PellucidError, match="clip_norm needs the whole gradient"):
        sgd.begin_step()


@every("dtype", [np.float32, np.float64])
def test_averages_of_units_that_are_never_active_do_not_become_denormal(dtype: type) -> None:
    theta, optimizer = np.ones(4, dtype), Adam(0.001)
    optimizer.start(theta, np.ones_like(theta))
    optimizer.step(theta, np.full(4, 1e-3, dtype))
    for _ in range(8000):
        optimizer.step(theta, np.zeros(4, dtype))
        moment = optimizer.state()["first_moment"]
        assert (moment == 0).all() or (np.abs(moment) >= np.finfo(dtype).tiny).all()
    assert (moment == 0).all()
