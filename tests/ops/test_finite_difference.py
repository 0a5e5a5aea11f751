import numpy as np

from pellucid.ops.finite_difference import gradcheck


def test_a_right_gradient_passes_and_each_wrong_one_is_caught(rng: np.random.Generator) -> None:
    x, y = rng.standard_normal((3, 2)), rng.standard_normal(4)

    def f(x: np.ndarray, y: np.ndarray) -> float:
        return float((x**3).sum() + np.sin(y).sum())

    right = {"x": 3 * x**2, "y": np.cos(y)}
    assert max(gradcheck(f, right, {"x": x, "y": y}, rng).values()) < 1e-7
    for name in right:
        wrong = {**right, name: right[name] * 1.001}
        errors = gradcheck(f, wrong, {"x": x, "y": y}, rng)
        assert errors[name] > 1e-4
        assert all(error < 1e-7 for other, error in errors.items() if other != name)


def test_a_gradient_that_is_wrong_in_one_entry_is_caught(rng: np.random.Generator) -> None:
    x = rng.standard_normal(100)
    gradient = 2 * x
    gradient[17] += 0.01
    assert gradcheck(lambda x: float((x**2).sum()), {"x": gradient}, {"x": x}, rng)["x"] > 1e-5


def test_arguments_are_not_modified(rng: np.random.Generator) -> None:
    x = rng.standard_normal(5)
    before = x.copy()
    gradcheck(lambda x: float(x.sum()), {"x": np.ones(5)}, {"x": x}, rng)
    np.testing.assert_array_equal(x, before)
