"""Servers for tests, each in a thread of its own on a free port of this computer."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

if all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn", "python_multipart")):
    from tests.server.serving import Running, running, save_models

    @pytest.fixture(scope="module")  # a server holds BLAS to one thread
    def model_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
        """Small models by name: ``light`` takes photos, ``pets`` rows of a table, ``sums`` three numbers."""
        return save_models(tmp_path_factory.mktemp("models"))

    @pytest.fixture(scope="module")  # a server holds BLAS to one thread
    def server(model_files: dict[str, Path]) -> Iterator[Running]:
        """A server of all three models with small limits."""
        limits = {"max_images": 3, "max_rows": 4, "max_body": 0.1, "max_pixels": 0.01, "read_seconds": 0.5}
        with running(model_files, **limits) as server:
            yield server
else:
    collect_ignore_glob = ["*.py"]
