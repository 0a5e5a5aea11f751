"""What the examples in docstrings take for granted: ``np``; rooms whose extras are missing are left out.

Tests in a file that names an optional package are marked ``optional``, by its text. Where tests run side by side,
BLAS has one thread in each process.
"""

import importlib.util
import os
import re
import time
from functools import cache
from pathlib import Path
from typing import Any

if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores; what tests start inherits it
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np
import pytest

NEEDED = {
    "kernels": ("numba",),
    "server": ("fastapi", "uvicorn", "python_multipart"),
    "distributed": ("dask", "distributed"),
    "formats/onnx/reading": ("onnx",),
}
STARTED = time.monotonic()
collect_ignore = [
    f"src/pellucid/{room}"
    for room, packages in NEEDED.items()
    if not all(importlib.util.find_spec(package) for package in packages)
]


OPTIONAL = re.compile(
    r"numba|HAS_NUMBA|torch|onnx|tensorboard|heif|fastapi|uvicorn|server|distributed|dask|mpi4py|zarr|pyarrow"
)


@cache
def _names_an_optional_package(path: Path) -> bool:
    return OPTIONAL.search(path.read_text(encoding="utf-8")) is not None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--at-most``."""
    text = "begin no test after so many seconds, and the slow ones last"
    parser.addoption("--at-most", type=float, metavar="SECONDS", help=text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that CI runs once without the optional packages: none can be forgotten in a list."""
    for item in items:
        if item.path.suffix == ".py" and _names_an_optional_package(item.path):
            item.add_marker("optional")
    if config.getoption("--at-most") is not None:
        items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out where the time is up."""
    at_most = item.config.getoption("--at-most")
    if at_most is not None and time.monotonic() - STARTED > at_most:
        pytest.skip(f"the time is up (--at-most {at_most:g})")


@pytest.fixture(autouse=True)
def _names(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["np"] = np
