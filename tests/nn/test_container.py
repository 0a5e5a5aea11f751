import numpy as np

from pellucid.workspace import Workspace


def test_a_workspace_gives_the_same_array_until_shape_or_dtype_change() -> None:
    workspace = Workspace()
    first = workspace.take("Z", (2, 3), np.float32)
    assert workspace.take("Z", (2, 3), np.float32) is first
    assert workspace.take("Z", (4, 3), np.float32).shape == (4, 3)
    assert workspace.take("Z", (4, 3), np.float64).dtype == np.float64
    assert workspace.take("other", (4, 3), np.float64) is not workspace.take("Z", (4, 3), np.float64)
