"""Pooling in blocks, and in a workspace."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pellucid.kernels.uncompiled.pool import max_pool_backward, max_pool_forward
from pellucid.types import Array
from pellucid.workspace import Workspace


def test_workspaces_are_used_again_and_threads_do_not_meet(rng: np.random.Generator) -> None:
    inputs = [rng.standard_normal((4, 6, 6, 8)).astype(np.float32) for _ in range(2)]

    def run(X: Array) -> Array:
        workspace = Workspace()
        for rows in (4, 1, *[4] * 20):
            Z, cache = max_pool_forward(X[:rows], size=(2, 2), workspace=workspace)
            dX = max_pool_backward(Z, cache, workspace=workspace)
        return dX

    alone = [run(X) for X in inputs]
    with ThreadPoolExecutor(2) as pool:
        for one, two in zip(alone, pool.map(run, inputs), strict=True):
            np.testing.assert_array_equal(one, two)
