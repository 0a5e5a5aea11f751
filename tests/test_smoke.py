"""Every module imports, and the commands that everybody starts with run once, small."""

import importlib
import pkgutil
from pathlib import Path

import pytest

import pellucid as pl
from tests.commands import Command


@pytest.mark.parametrize("name", sorted(m.name for m in pkgutil.walk_packages(pl.__path__, "pellucid.")))
def test_every_module_imports(name: str) -> None:
    if name.startswith("pellucid.kernels.") and "uncompiled" not in name:
        pytest.importorskip("numba", reason="kernels need Numba: pip install 'pellucid[fast]'")
    if name.startswith("pellucid.server."):
        for extra in ("fastapi", "uvicorn", "python_multipart"):
            pytest.importorskip(extra, reason="the server needs FastAPI: pip install 'pellucid[serve]'")
    if name.startswith("pellucid.distributed."):
        pytest.importorskip("distributed", reason="clusters need Dask: pip install 'pellucid[dask]'")
    if name != "pellucid.__main__":
        importlib.import_module(name)


def test_run_evaluate_predict_report(pellucid: Command, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for arguments in (
        ("run", "--epochs", 20, "--out", folder),
        ("evaluate", folder / "model.safetensors", "drawn-cats"),
        ("report", folder),
        ("train", "drawn-cats", "--epochs", 2, "--out", tmp_path / "trained"),
        ("data", "info", "drawn-cats"),
        ("model", "show", "cnn"),
    ):
        done = pellucid(*arguments)
        assert done.code == 0, done.err


def test_the_readme_snippet_trains() -> None:
    cats = pl.load_data("drawn-cats")
    model = pl.preset("mlp")
    history = pl.train(model, cats.train, n_epochs=30)
    assert history.losses[-1] < history.losses[0]
