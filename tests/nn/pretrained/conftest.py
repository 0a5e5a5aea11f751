"""No features in memory when a test begins."""

import pytest

from pellucid.nn.pretrained.feature_memory import MEMORY


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    MEMORY.clear()
