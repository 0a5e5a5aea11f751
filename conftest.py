"""What the examples in docstrings take for granted: ``np``; the server's are left out without its extra."""

import importlib.util
from typing import Any

import numpy as np
import pytest

HAS_SERVER = all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn", "python_multipart"))
collect_ignore = [] if HAS_SERVER else ["src/pellucid/server"]


@pytest.fixture(autouse=True)
def _names(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["np"] = np
