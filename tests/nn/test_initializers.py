import numpy as np
from tests.every import every

from pellucid.nn.initializers import INITIALIZERS, StartRandom
from pellucid.nn.presets import preset
from pellucid.textbook import initialize_parameters, initialize_parameters_deep


def start(seed: int = 0) -> StartRandom:
    return StartRandom(np.random.PCG64(seed))


@every(
    ("name", "variance"),
    [("he", 2 / 300), ("glorot", 2 / 500), ("lecun", 1 / 300), ("normal", 1e-4), ("uniform", 0.1**2 / 12)],
)
def test_variance_is_the_formula(name: str, variance: float) -> None:
    W = start().draw(name, (300, 200))
    assert abs(W.var() / variance - 1) < 0.02
    assert abs(W.mean()) < 3 * (variance / W.size) ** 0.5


def test_a_kernel_counts_its_patch_as_inputs() -> None:
    W = start().draw("he", (3, 3, 40, 50))
    assert abs(W.var() / (2 / 360) - 1) < 0.05


def test_published_networks_start_as_the_textbooks_transposed() -> None:
    for name, theirs in (
        ("mlp", initialize_parameters_deep([12, 20, 7, 5, 1])),
        ("two-layer", initialize_parameters(12, 7, 1)),
    ):
        model = preset(name)
        model.initialize((4, 3, 1))
        for i, layer in enumerate((layer for layer in model.layers if layer.params), start=1):
            np.testing.assert_array_equal(layer.params["W"], theirs[f"W{i}"].T)
            np.testing.assert_array_equal(layer.params["b"], 0)


def test_the_global_stream_is_left_alone() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - that it is not touched is the point
    preset("mlp").initialize((12,))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@every("shape", [(8, 3), (3, 8), (3, 3, 2, 5), (4, 4)])
def test_orthogonal_columns_or_rows_are_orthonormal(shape: tuple[int, ...]) -> None:
    W = INITIALIZERS["orthogonal"](start(), shape).reshape(-1, shape[-1])
    product = W.T @ W if W.shape[0] >= W.shape[1] else W @ W.T
    np.testing.assert_allclose(product, np.eye(len(product)), rtol=0, atol=1e-13)
