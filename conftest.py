"""What the examples in docstrings take for granted: ``np``."""

from typing import Any

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _names(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["np"] = np
