"""What does the work, in words, without importing the compiler."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid import dispatch
from pellucid.workflows import about as module
from pellucid.workflows.about import about


def test_it_says_what_runs_and_why_not_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(dispatch.VARIABLE, raising=False)
    monkeypatch.setattr(module, "version", lambda name: "0.68.1")
    assert about()[1].startswith("kernels: numba 0.68.1 from ")
    monkeypatch.setenv(dispatch.VARIABLE, "numba")
    assert about()[1] == "kernels: numba 0.68.1 (PELLUCID_KERNELS=numba)"
    monkeypatch.setenv(dispatch.VARIABLE, "numpy")
    assert about()[1] == "kernels: numpy (PELLUCID_KERNELS=numpy); numba 0.68.1 is installed"
    monkeypatch.setattr(module, "version", lambda name: "0.60.0")
    assert "numba 0.60.0 is too old" in about()[1]

    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", absent)
    assert "numba is not installed" in about()[1]


def test_the_folder_of_compiled_code_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "kernels_12ab"
    folder.mkdir()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not [line for line in about() if line.startswith("compiled code")]
    (folder / "conv.f-1.py311.1.nbc").write_bytes(bytes(1_500_000))
    (line,) = (line for line in about() if line.startswith("compiled code"))
    assert line == f"compiled code: {folder} (1.5 MB). To clear it: rm {folder}/*.nb[ci]"


def test_numba_is_not_imported() -> None:
    program = (
        "import sys; from pellucid.workflows.about import about; about(); assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
