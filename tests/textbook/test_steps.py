"""Every step function: by hand, and against finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.every import every

from pellucid.textbook import steps
from pellucid.types import Array

widths = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(lambda hidden: [*hidden, 1])


def problem(dims: list[int], m: int, seed: int) -> tuple[Array, Array, dict[str, Array]]:
    """Return X, Y and parameters without zeros, so that no gradient hides."""
    rng = np.random.default_rng(seed)
    start = steps.initialize_parameters_deep(dims)
    parameters = {name: p + 0.3 * rng.standard_normal(p.shape) for name, p in start.items()}
    return rng.standard_normal((dims[0], m)), rng.integers(0, 2, (1, m)), parameters


def test_initialize_parameters_draws_the_published_numbers() -> None:
    p = steps.initialize_parameters(3, 2, 1)
    first = [[0.01624345, -0.00611756, -0.00528172], [-0.01072969, 0.00865408, -0.02301539]]
    np.testing.assert_allclose(p["W1"], first, atol=5e-9)
    np.testing.assert_allclose(p["W2"], [[0.01744812, -0.00761207]], atol=5e-9)
    assert p["b1"].tolist() == [[0.0], [0.0]]
    assert p["b2"].tolist() == [[0.0]]


def test_initialize_parameters_deep_scales_the_same_stream() -> None:
    deep, two = steps.initialize_parameters_deep([3, 2, 1]), steps.initialize_parameters(3, 2, 1)
    assert list(deep) == ["W1", "b1", "W2", "b2"]
    np.testing.assert_allclose(deep["W1"], two["W1"] * 100 / np.sqrt(3), rtol=1e-14)
    np.testing.assert_allclose(deep["W2"], two["W2"] * 100 / np.sqrt(2), rtol=1e-14)
    assert deep["b1"].shape == (2, 1)
    assert not deep["b1"].any()


def test_cost_by_hand_with_and_without_logits() -> None:
    Z, Y = np.array([[np.log(3), -np.log(3)]]), np.array([[1, 1]])
    wanted = -(np.log(0.75) + np.log(0.25)) / 2
    assert steps.compute_cost(steps.sigmoid(Z)[0], Y) == pytest.approx(wanted, rel=1e-15)
    assert steps.compute_cost(steps.sigmoid(Z)[0], Y, Z) == pytest.approx(wanted, rel=1e-15)
    assert type(steps.compute_cost(steps.sigmoid(Z)[0], Y, Z)) is float  # and no np.float64(...)


@given(st.lists(st.floats(-15, 15), min_size=1, max_size=8), st.integers(0, 255))
def test_cost_from_logits_is_the_published_formula(logits: list[float], bits: int) -> None:
    Z = np.array([logits])
    Y = np.array([[bits >> i & 1 for i in range(len(logits))]])
    AL, _ = steps.sigmoid(Z)
    published = -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / len(logits)
    assert steps.compute_cost(AL, Y, Z) == pytest.approx(published, rel=1e-9, abs=1e-9)
    assert steps.compute_cost(AL, Y) == pytest.approx(published, rel=1e-9, abs=1e-9)


@every("dtype", [np.int64, np.uint8, bool, np.float64])
def test_labels_of_any_type(dtype: type) -> None:
    Z, Y = np.array([[2.0, -1.0]]), np.array([[1, 0]], dtype)
    AL, _ = steps.sigmoid(Z)
    wanted = (np.log1p(np.exp(-2)) + np.log1p(np.exp(-1))) / 2
    assert steps.compute_cost(AL, Y, Z) == pytest.approx(wanted, rel=1e-15)
    cache = (np.ones((1, 2)), np.ones((1, 1)), np.zeros((1, 1))), Z
    slope = steps.L_model_backward(AL, Y, [cache])["db1"].item()
    assert slope == pytest.approx((AL[0, 0] - 1 + AL[0, 1]) / 2)


@settings(deadline=None, max_examples=60)
@given(widths, st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_gradient_along_random_directions(dims: list[int], m: int, seed: int) -> None:
    X, Y, parameters = problem(dims, m, seed)
    AL, caches = steps.L_model_forward(X, parameters)
    grads = steps.L_model_backward(AL, Y, caches)
    rng, h = np.random.default_rng(seed + 1), 1e-6
    if min(np.abs(Z).min() for _, Z in caches) < 1e-3:
        return  # a kink of relu within reach of the step: no derivative there

    def cost(moved: dict[str, Array]) -> float:
        AL, caches = steps.L_model_forward(X, moved)
        return steps.compute_cost(AL, Y, caches[-1][1])

    for name, p in parameters.items():
        v = rng.standard_normal(p.shape)
        v /= np.linalg.norm(v)
        slope = (cost({**parameters, name: p + h * v}) - cost({**parameters, name: p - h * v})) / (2 * h)
        assert abs(np.vdot(grads[f"d{name}"], v) - slope) < 1e-7


@settings(deadline=None, max_examples=60)
@given(widths, st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_backward_is_the_chain_of_its_layers(dims: list[int], m: int, seed: int) -> None:
    X, Y, parameters = problem(dims, m, seed)
    AL, caches = steps.L_model_forward(X, parameters)
    grads = steps.L_model_backward(AL, Y, caches)
    dA = np.where(Y == 1, -1 / AL, 1 / (1 - AL))  # the way that the published code went
    for layer in range(len(caches), 0, -1):
        activation = "sigmoid" if layer == len(caches) else "relu"
        dA, dW, db = steps.linear_activation_backward(dA, caches[layer - 1], activation)
        np.testing.assert_allclose(grads[f"dW{layer}"], dW, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(grads[f"db{layer}"], db, rtol=1e-8, atol=1e-10)
        if layer > 1:
            np.testing.assert_allclose(grads[f"dA{layer - 1}"], dA, rtol=1e-8, atol=1e-10)
    assert len(grads) == 3 * len(caches) - 1


def test_model_is_the_loop_of_the_steps(rng: np.random.Generator) -> None:
    X, Y = rng.standard_normal((4, 6)), np.array([[0, 1, 1, 0, 1, 0]])
    parameters = steps.initialize_parameters_deep([4, 3, 1])
    wanted = []
    for _ in range(3):
        AL, caches = steps.L_model_forward(X, parameters)
        wanted.append(steps.compute_cost(AL, Y, caches[-1][1]))
        parameters = steps.update_parameters(parameters, steps.L_model_backward(AL, Y, caches), 0.5)
    got, costs = steps.L_layer_model(X, Y, [4, 3, 1], learning_rate=0.5, num_iterations=3)
    assert costs == [wanted[0], wanted[2]]
    for name, p in parameters.items():
        np.testing.assert_array_equal(got[name], p)


def test_two_layer_model_starts_small_and_learns(rng: np.random.Generator) -> None:
    X = rng.standard_normal((3, 40))
    Y = (X[:1] * X[1:2] > 0).astype(int)  # no straight line tells these apart
    start, costs = steps.two_layer_model(X, Y, (3, 8, 1), learning_rate=0.5, num_iterations=0)
    assert costs == []
    np.testing.assert_array_equal(start["W1"], steps.initialize_parameters(3, 8, 1)["W1"])
    parameters, costs = steps.two_layer_model(X, Y, (3, 8, 1), learning_rate=1.0, num_iterations=2000)
    assert costs[0] == pytest.approx(np.log(2), abs=1e-3)
    assert costs[-1] < 0.3
    assert np.mean(steps.predict(X, None, parameters) == Y) > 0.9


def test_predict_needs_more_than_a_half(capsys: pytest.CaptureFixture[str]) -> None:
    parameters = {"W1": np.array([[1.0]]), "b1": np.array([[0.0]])}
    p = steps.predict(np.array([[-1.0, 0.0, 1e-9, 1.0]]), np.array([[0, 1, 1, 1]]), parameters)
    assert p.tolist() == [[0.0, 0.0, 1.0, 1.0]]
    assert p.dtype == np.float64
    assert capsys.readouterr().out == "Accuracy: 0.75\n"
