"""Programs in several ranks, as ``mpiexec`` starts them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
QUIET = {  # ranks that wait leave their core to others: there may be more of them than cores
    **os.environ,
    "MPIR_CVAR_POLLS_BEFORE_YIELD": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPATH": str(HERE),
}


def start(n: int, *words: object, folder: Path | None = None) -> "subprocess.Popen[str]":
    """Start Python with these words in n ranks; the test is skipped where mpi4py or mpiexec is missing."""
    pytest.importorskip("mpi4py", reason="needs the extra mpi")
    mpiexec = Path(sys.executable).with_name("mpiexec")
    if not mpiexec.exists():
        pytest.skip("needs the mpiexec of the extra mpi")
    command = [mpiexec, "-n", n, sys.executable, *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*map(str, command)], text=True, cwd=folder or HERE, env=QUIET, **pipes)


def finish(process: "subprocess.Popen[str]", seconds: float = 900) -> tuple[int, str, str]:
    """Return the exit code and what was printed to both streams; none of the ranks is left."""
    try:
        out, err = process.communicate(timeout=seconds)
        return process.returncode, out, err
    finally:
        process.kill()


def run(n: int, *words: object, folder: Path | None = None) -> tuple[int, str, str]:
    """Run Python with these words in n ranks, and return its exit code and what was printed."""
    return finish(start(n, *words, folder=folder))
