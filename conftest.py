"""What the examples in docstrings take for granted: ``np``; the server's and the cluster's are left out without
their extras.

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

NEEDED = {"server": ("fastapi", "uvicorn", "python_multipart"), "distributed": ("dask", "distributed")}
collect_ignore = [
    f"src/pellucid/{room}"
    for room, packages in NEEDED.items()
    if not all(importlib.util.find_spec(package) for package in packages)
]


@pytest.fixture(autouse=True)
def _names(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["np"] = np
