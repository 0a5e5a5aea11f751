"""What does the work in this installation: kernels, the folder of compiled code, and the BLAS."""

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pellucid import dispatch
from pellucid.text import plural
from pellucid.version import __version__


def about() -> list[str]:
    """Return lines on the version, the kernels, their folder and the BLAS, without importing the compiler."""
    blas, threads = blas_kernel()
    folder = _cache_line()
    return [
        f"pellucid {__version__}",
        f"kernels: {_kernels_line()}",
        *([folder] if folder else []),
        f"BLAS: {blas}, {plural(threads, 'thread')}",
    ]


def blas_kernel() -> tuple[str, int]:
    """Return what multiplies NumPy's matrices, such as "openblas 0.3.31 SkylakeX", and on how many threads."""
    from threadpoolctl import threadpool_info

    for pool in threadpool_info():
        if pool["user_api"] == "blas":
            words = [pool["internal_api"], pool["version"], pool.get("architecture")]
            return " ".join(str(word) for word in words if word), int(pool["num_threads"])
    return "unknown", 1


def _kernels_line() -> str:
    choice = dispatch.asked(None)
    where = f" ({dispatch.VARIABLE}={choice})" if os.environ.get(dispatch.VARIABLE) else ""
    try:
        numba = version("numba")
    except PackageNotFoundError:
        return "numpy: numba is not installed. Add it with pip install 'pellucid[fast]'"
    if tuple(map(int, numba.split(".")[:2])) < dispatch.LOWEST_NUMBA:
        return f"numpy: numba {numba} is too old. Renew it with pip install -U 'pellucid[fast]'"
    if choice == "numpy":
        return f"numpy{where}; numba {numba} is installed"
    if choice == "numba":
        return f"numba {numba}{where}"
    return f"numba {numba} from {dispatch.AUTO_OPERATIONS:.0e} operations on, numpy for less{where}"


def _cache_line() -> str:
    """Return where compiled code lies and how to clear it, from the names that Numba gives its files."""
    for folder in _cache_folders():
        files = [*folder.glob("*.nb[ci]")]
        if files:
            size = sum(path.stat().st_size for path in files) / 1e6
            return f"compiled code: {folder} ({size:.1f} MB). To clear it: rm {folder}/*.nb[ci]"
    return ""


def _cache_folders() -> list[Path]:
    home = Path(dispatch.__file__).parent.with_name("kernels")
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return [*Path(chosen).glob("kernels_*")]
    if sys.platform == "darwin":
        own = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        own = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        own = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return [home / "__pycache__", *(own / "numba").glob("kernels_*")]
