"""How long it takes to start: importing, `--help`, and the whole run on drawn-cats.

python benchmarks/startup.py
"""

import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def best_of(n: int, *command: str, cwd: str | None = None) -> float:
    best = float("inf")
    for _ in range(n):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=cwd)
        best = min(best, time.perf_counter() - started)
    return best


def main() -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    numpy = best_of(10, sys.executable, "-c", "import numpy")
    pellucid = best_of(10, sys.executable, "-c", "import pellucid")
    print(f"import numpy {numpy * 1000:.0f} ms, import pellucid {1000 * (pellucid - numpy):+.0f} ms")
    command = str(Path(sys.executable).parent / "pellucid")
    print(f"pellucid --help {best_of(5, command, '--help') * 1000:.0f} ms")
    with tempfile.TemporaryDirectory() as folder:
        print(f"pellucid run {best_of(3, command, 'run', cwd=folder):.2f} s, report included")


if __name__ == "__main__":
    main()
