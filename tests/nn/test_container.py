import numpy as np
import pytest

from pellucid.nn.container import carve
from pellucid.workspace import Workspace


def test_views_share_the_slab_and_cover_it_once() -> None:
    slab = np.arange(11.0)
    views = carve(slab, [(2, 3), (3,), (2, 1)])
    assert [view.shape for view in views] == [(2, 3), (3,), (2, 1)]
    np.testing.assert_array_equal(np.concatenate([view.ravel() for view in views]), slab)
    for view in views:
        view[...] = -1
    assert (slab == -1).all()


def test_shapes_past_the_slab_fail() -> None:
    with pytest.raises(ValueError, match="reshape"):
        carve(np.zeros(3), [(2, 2)])


def test_a_workspace_gives_the_same_array_until_shape_or_dtype_change() -> None:
    workspace = Workspace()
    first = workspace.take("Z", (2, 3), np.float32)
    assert workspace.take("Z", (2, 3), np.float32) is first
    assert workspace.take("Z", (4, 3), np.float32).shape == (4, 3)
    assert workspace.take("Z", (4, 3), np.float64).dtype == np.float64
    assert workspace.take("other", (4, 3), np.float64) is not workspace.take("Z", (4, 3), np.float64)
