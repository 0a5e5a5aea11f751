"""What the examples in docstrings take for granted: ``np``; the server's are left out without its extra.

Where tests run side by side, BLAS has one thread in each process.
"""

import importlib.util
import os
from typing import Any

if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores; what tests start inherits it
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np
import pytest

HAS_SERVER = all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn", "python_multipart"))
collect_ignore = [] if HAS_SERVER else ["src/pellucid/server"]


@pytest.fixture(autouse=True)
def _names(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["np"] = np
