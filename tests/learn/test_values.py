"""What is compared, and what is told of it."""

import numpy as np

from pellucid.learn.values import compare, relation, shown


def kinds(names: tuple[str, ...], expected: object, got: object) -> list[tuple[str, str]]:
    return [(one.output, one.kind) for one in compare(names, expected, got)]


def test_each_output_has_its_own_difference() -> None:
    A, b = np.ones((2, 3)), np.zeros((2, 1))
    assert kinds(("A", "b"), (A, b), (A, b)) == []
    assert kinds(("A", "b"), (A, b), [A * 2, b.ravel()]) == [("A", "value"), ("b", "shape")]
    assert kinds(("A", "b"), (A, b), A) == [("A", "type")]
    assert kinds(("A",), A / 2, (A / 2).astype(int)) == [("A", "dtype")]
    assert kinds(("A",), A / 3, (A / 3).astype(np.float32)) == []
    assert kinds(("A",), np.array([np.inf, 1]), np.array([np.inf, 1])) == []
    assert kinds(("A",), np.array([1.0, 1]), np.array([np.nan, 1])) == [("A", "value")]


def test_entries_of_a_dictionary_are_outputs_and_slopes_of_layers_may_lack() -> None:
    grads = {"dW1": np.ones((2, 2)), "db1": np.ones((2, 1)), "dA0": np.ones(3)}
    assert kinds(("grads",), grads, {"dW1": grads["dW1"], "db1": grads["db1"], "more": 3}) == []
    assert kinds(("grads",), grads, {"dW1": -grads["dW1"]}) == [("dW1", "value"), ("db1", "type")]


def test_a_cache_may_have_any_layout_that_holds_the_arrays() -> None:
    A, W = np.arange(6.0).reshape(2, 3), np.arange(4.0).reshape(2, 2)
    for cache in ((W, A), {"A": A, "W": W}, [A, (W, 3)], (A, W, A @ A.T)):
        assert kinds(("Z", "cache"), (A, (A, W)), (A, cache)) == []
    assert kinds(("Z", "cache"), (A, (A, W)), (A, (A, A))) == [("cache", "value")]


def test_relations_and_what_is_shown() -> None:
    a = np.array([[1.0, 2.0, 4.0]])
    assert relation(a, 3 * a) == "3 times what it should be"
    assert relation(a, a.T) == "transposed"
    assert relation(a, a + 1) == ""
    assert shown(np.zeros((9, 9))) == "an array of shape (9, 9)"
