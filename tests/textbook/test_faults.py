"""The faults that the published code has, each in a test named after it."""

import numpy as np
import pytest
from tests.every import every
from tests.pictures import shown, words

from pellucid import textbook
from pellucid.textbook import (
    L_layer_model,
    L_model_backward,
    L_model_forward,
    compute_cost,
    figures,
    initialize_parameters,
    initialize_parameters_deep,
    predict,
    print_mislabeled_images,
    sigmoid,
    two_layer_model,
    visualize_images_and_labels,
)
from pellucid.types import Array, Shape

X, Y = np.array([[1.0, -1.0, 2.0], [0.5, 0.0, -3.0]]), np.array([[1, 0, 1]])


def saturated(logit: float) -> tuple[Array, list]:
    """Return the forward pass of one example whose probability is far out."""
    return L_model_forward(np.array([[logit]]), {"W1": np.array([[1.0]]), "b1": np.array([[0.0]])})


def test_sigmoid_does_not_overflow() -> None:
    most = np.finfo(float).max
    A, _ = sigmoid(np.array([-most, -1000, -700, 700, 1000, most]))  # an overflow is an error in tests
    np.testing.assert_allclose(A, [0, 0, np.exp(-700), 1, 1, 1], rtol=1e-14)


@every(
    ("logit", "label", "cost"), [(800, 0, 800), (-800, 1, 800), (50, 1, np.exp(-50)), (-50, 0, np.exp(-50))]
)
def test_cost_of_a_saturated_answer_is_exact_from_the_logit(logit: float, label: int, cost: float) -> None:
    AL, caches = saturated(float(logit))
    assert compute_cost(AL, np.array([[label]]), caches[-1][1]) == pytest.approx(cost, rel=1e-15, abs=0)


def test_cost_without_logit_takes_0_log_0_as_0_and_a_wrong_certainty_as_infinite() -> None:
    assert compute_cost(np.array([[0.0, 1.0]]), np.array([[0, 1]])) == 0.0
    assert str(compute_cost(np.array([[1.0]]), np.array([[1]]))) == "0.0"  # not -0.0
    assert compute_cost(np.array([[0.0, 0.5]]), np.array([[1, 1]])) == np.inf
    assert compute_cost(np.array([[1.0, 0.5]]), np.array([[0, 1]])) == np.inf


@every(("logit", "label", "slope"), [(800.0, 0, 1.0), (-800.0, 1, -1.0), (800.0, 1, 0.0)])
def test_first_gradient_of_a_saturated_probability_is_finite(logit: float, label: int, slope: float) -> None:
    AL, caches = saturated(logit)
    grads = L_model_backward(AL, np.array([[label]]), caches)
    assert grads["db1"].item() == slope
    assert grads["dW1"].item() == slope * logit


def test_gradient_comes_from_the_last_Z_and_not_from_AL() -> None:
    _, caches = saturated(2.0)
    grads = L_model_backward(np.array([[0.0]]), np.array([[1]]), caches)
    assert grads["db1"].item() == sigmoid(np.array(2.0))[0] - 1


@every("model", [L_layer_model, two_layer_model])
@every(("n", "kept"), [(1, [0]), (100, [0, 99]), (101, [0, 100]), (250, [0, 100, 200, 249])])
def test_last_cost_is_stored_and_printed_only_if_asked_for(
    model, n: int, kept: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    _, costs = model(X, Y, [2, 3, 1], 0.1, n, print_cost=True)
    wanted = [f"Cost after iteration {i}: {cost}" for i, cost in zip(kept, costs, strict=True)]
    assert capsys.readouterr().out.splitlines() == wanted
    parameters, again = model(X, Y, [2, 3, 1], 0.1, n)
    predict(X, None, parameters)
    assert (again, *capsys.readouterr()) == (costs, "", "")


def test_global_random_stream_is_left_alone() -> None:
    np.random.seed(20260101)  # noqa: NPY002 - the global stream itself is under test
    before = repr(np.random.get_state())  # noqa: NPY002 - as above
    first = initialize_parameters_deep([2, 3, 1]), initialize_parameters(2, 3, 1)
    second = initialize_parameters_deep([2, 3, 1]), initialize_parameters(2, 3, 1)
    L_layer_model(X, Y, [2, 3, 1], num_iterations=2)
    two_layer_model(X, Y, [2, 3, 1], num_iterations=2)
    visualize_images_and_labels(3, images=np.zeros((9, 2, 2, 3), np.uint8), labels=np.zeros((1, 9), int))
    assert repr(np.random.get_state()) == before  # noqa: NPY002 - as above
    assert all(np.array_equal(a[name], b[name]) for a, b in zip(first, second, strict=True) for name in a)


@every("n", [0, 1, 10, 11, 23])
def test_any_number_of_mislabeled_images(n: int) -> None:
    y, p = np.zeros((1, 30), int), np.where(np.arange(30) < n, 1.0, 0.0).reshape(1, -1)
    figure = print_mislabeled_images([b"non-cat", b"cat"], np.zeros((12, 30)), y, p)
    assert len(shown(figure)) == n
    assert n or words(figure)[0] == "No mislabeled images."


@every(("n_x", "shape", "drawn"), [(147, None, (7, 7, 3)), (24, (2, 4, 3), (2, 4, 3)), (20, (4, 5), (4, 5))])
def test_mislabeled_images_of_any_size(n_x: int, shape: Shape | None, drawn: Shape) -> None:
    x = np.linspace(0, 1, n_x).reshape(-1, 1)
    one, zero = np.array([[1]]), np.array([[0]])
    figure = print_mislabeled_images(["no", "yes"], x, zero, one, image_shape=shape)
    np.testing.assert_array_equal(shown(figure)[0], x.reshape(drawn))


def test_mistakes_are_where_p_differs_from_y() -> None:
    y, p = np.array([[0, 2, 1, 2]]), np.array([[0.0, 1.0, 2.0, 2.0]])  # p + y is never 1
    figure = print_mislabeled_images(["cat", "dog", "owl"], np.zeros((12, 4)), y, p)
    assert words(figure)[1:] == ["Prediction: dog ", " Class: owl", "Prediction: owl ", " Class: dog"]


def test_random_images_never_run_past_the_end() -> None:
    images, labels = np.zeros((2, 2, 2, 3), np.uint8), np.array([[0, 1]])
    for seed in range(12):
        figure = visualize_images_and_labels(3, images=images, labels=labels, seed=seed)
        assert set(words(figure)[1:]) == {"y =0", "y =1"}


def test_cat_is_1_and_non_cat_is_0() -> None:
    assert [name.decode() for name in figures.CLASSES] == ["non-cat", "cat"]
    assert "1 for a cat and 0\nfor none" in (textbook.steps.__doc__ or "")
    for p, name in [(0.9, "cat"), (0.1, "non-cat")]:
        figure = textbook.plot_photo(np.zeros((30, 40, 3), np.uint8), np.zeros((12, 1)), p)
        title = f'y = {p > 0.5:.1f}, your L-layer model predicts a "{name}" picture.'
        assert words(figure)[:2] == [title, f'Probability of "{name}": 90 %']
        assert [picture.shape for picture in shown(figure)] == [(30, 40, 3), (2, 2, 3)]


def test_dA0_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, ...]] = []
    real = textbook.steps.linear_backward

    def counted(dZ: Array, cache):
        calls.append(cache[1].shape)
        return real(dZ, cache)

    monkeypatch.setattr(textbook.steps, "linear_backward", counted)
    AL, caches = L_model_forward(X, initialize_parameters_deep([2, 4, 3, 1]))
    grads = L_model_backward(AL, Y, caches)
    assert calls == [(1, 3), (3, 4)]  # never for W1
    assert "dA0" not in grads
    assert {"dA1", "dA2", "dW1", "db1"} <= set(grads)
    assert real(np.ones((4, 3)), caches[0][0])[0].shape == X.shape  # by itself it still gives dA_prev
