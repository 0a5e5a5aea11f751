"""Whatever is wrong with the compiler, a training runs: on kernels if it can, else on NumPy, with one warning."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid

pytest.importorskip("numba", reason="needs Numba")

PROGRAM = """
import json, os, sys, warnings
import numpy as np

def train(is_stack=False, **options):  # else a network of few and small kernels: a stack takes long to compile
    import pellucid as pl
    rng = np.random.default_rng(0)
    hidden = pl.Dense(5, activation="tanh")
    model = pl.Sequential(
        [hidden if is_stack else pl.Residual(hidden), pl.Dense(1)], dtype=options.pop("dtype", "float32")
    )
    X, y = rng.standard_normal((40, 5)), rng.integers(0, 2, 40)
    options = {"optimizer": pl.optimizers.SGD(0.1), "kernels": "numba", "n_epochs": 3, **options}
    return pl.train(model, (X, y), **options)

compiled = []
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    PART
found = [str(warning.message) for warning in caught]
print(json.dumps({"kernels": history.kernels, "losses": history.losses, "warnings": found, "compiled": compiled}))
"""
ORDINARY = "history = train()"


def program(part: str) -> list[str]:
    indented = "\n    ".join(part.strip().splitlines())
    return [sys.executable, "-c", PROGRAM.replace("PART", indented)]


def run(part: str = ORDINARY, **environment: Any) -> dict[str, Any]:
    """Return what the program prints, at the latest after 20 minutes."""
    own = {name: value for name, value in os.environ.items() if name != "PELLUCID_KERNELS"}
    own |= {name: str(value) for name, value in environment.items()}
    done = subprocess.run(program(part), env=own, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def wanted() -> list[float]:
    """Return the losses on NumPy."""
    losses: list[float] = run('history = train(kernels="numpy")')["losses"]
    return losses


def check(found: dict[str, Any], wanted: list[float], kernels: str, warning: str = "") -> None:
    assert found["kernels"] == kernels
    assert found["losses"] == pytest.approx(wanted, rel=1e-5)
    assert len(found["warnings"]) == bool(warning)
    assert warning in "".join(found["warnings"])


def test_where_numba_is_absent_numpy_serves(wanted: list[float]) -> None:
    absent = "sys.modules['numba'] = None\nhistory = train()"
    check(run(absent), wanted, "numpy", "nothing can be compiled here")


@pytest.mark.slow
def test_numpy_that_is_asked_for_serves_in_silence_and_a_numba_too_old_does_not(wanted: list[float]) -> None:
    auto = "sys.modules['numba'] = None\nhistory = train(kernels='auto')"
    check(run(auto), wanted, "numpy")
    check(run(ORDINARY.replace("()", "(kernels=None)"), PELLUCID_KERNELS="numpy"), wanted, "numpy")
    found = run("import numba\nnumba.__version__ = '0.60.1'\nhistory = train()")
    check(found, wanted, "numpy", "numba 0.60.1 is too old")


@pytest.mark.slow
def test_where_compiled_code_cannot_be_kept_anywhere_numpy_serves(
    tmp_path: Path, wanted: list[float]
) -> None:
    """A file stands where __pycache__ would be, and in place of the home."""
    package = Path(pellucid.__file__).parent
    shutil.copytree(package, tmp_path / "pellucid", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pellucid" / "kernels" / "__pycache__").write_text("in the way")
    (tmp_path / "file").write_text("in the way")
    places = dict.fromkeys(("HOME", "XDG_CACHE_HOME"), tmp_path / "file")
    check(run(**places, PYTHONPATH=tmp_path), wanted, "numpy", "no locator available")
    check(run(**places, NUMBA_CACHE_DIR=tmp_path / "file"), wanted, "numba")  # next to the package is enough
    (tmp_path / "home").mkdir()
    home = {"HOME": tmp_path / "home", "XDG_CACHE_HOME": tmp_path / "home" / "cache"}
    check(run(**home, PYTHONPATH=tmp_path), wanted, "numba")  # so is a home
    assert list((tmp_path / "home").rglob("*.nbc"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of a process")
def test_on_a_full_disk_kernels_run_without_being_kept(tmp_path: Path, wanted: list[float]) -> None:
    full = "import resource, sys\nsys.dont_write_bytecode = True  # or half a .pyc stays\n"
    full += "resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\nhistory = train()"
    found = run(full, NUMBA_CACHE_DIR=tmp_path)
    check(found, wanted, "numba", "compiled code cannot be kept in")
    assert not [path for path in tmp_path.rglob("*.nbc") if path.stat().st_size]


@pytest.mark.slow
def test_two_processes_compile_at_once_for_different_types(tmp_path: Path, wanted: list[float]) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    programs = [program(f"history = train(dtype='{dtype}')") for dtype in ("float32", "float64")]
    started = [subprocess.Popen(each, env=environment, stdout=subprocess.PIPE) for each in programs]
    for process in started:
        printed, _ = process.communicate(timeout=1200)
        check(json.loads(printed), wanted, "numba")
    warm = {path: path.stat().st_mtime for path in tmp_path.rglob("*.nb*")}
    for dtype in ("float32", "float64"):
        check(run(f"history = train(dtype='{dtype}')", NUMBA_CACHE_DIR=tmp_path), wanted, "numba")
    again = {path: path.stat().st_mtime for path in tmp_path.rglob("*.nb*")}
    assert again == warm  # nothing was compiled again


@pytest.mark.slow
def test_damaged_files_are_compiled_again(tmp_path: Path, wanted: list[float]) -> None:
    """Flipped bits were a segmentation fault, an abort, a RecursionError; half a file has no end."""
    run(NUMBA_CACHE_DIR=tmp_path)
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*.nb*")}
    assert kept
    for seed in (1, 0):
        rng = np.random.default_rng(seed)
        damaged = {}
        for path, data in kept.items():
            flipped = np.frombuffer(data, np.uint8).copy()
            flipped[rng.integers(len(data), size=5)] ^= np.uint8(1) << rng.integers(8, dtype=np.uint8)
            damaged[path] = flipped.tobytes() if seed else data[: len(data) // 2]
            path.write_bytes(damaged[path])
        check(run(NUMBA_CACHE_DIR=tmp_path), wanted, "numba")
        assert all(path.read_bytes() != data for path, data in damaged.items())  # compiled and kept again
    swapped = sorted(kept, key=lambda path: (path.suffix, path.name))
    for path, other in zip(swapped, [*swapped[1:], swapped[0]], strict=True):  # whole, and another's
        path.write_bytes(kept[other])
    check(run(NUMBA_CACHE_DIR=tmp_path), wanted, "numba")


LISTENING = """
from numba.core import event

class Listener(event.Listener):
    def on_start(self, event):
        compiled.append(event.data["dispatcher"].py_func.__qualname__)

    def on_end(self, event):
        pass

event.register("numba:compile", Listener())
history = train(is_stack=True)
"""


@pytest.mark.slow
def test_the_next_process_compiles_nothing_of_a_stack_of_dense_layers() -> None:
    first, second = (run(LISTENING) for _ in range(2))  # in the folder of all tests, where most of it is
    assert first["kernels"] == second["kernels"] == "numba"
    assert first["losses"] == second["losses"]
    assert second["compiled"] == []


HELPED = f"""
from pellucid.kernels import beside

started, start = [], beside.start

def start_and_wait(call):
    started.append(start(call))
    started[0].wait()
    return started[0]

beside.start, beside.allowed_threads = start_and_wait, lambda: 2
{LISTENING.replace("is_stack=True", "")}
assert [process.returncode for process in started] == [0] * EXPECTED
"""


@pytest.mark.slow
def test_a_second_process_compiles_too(tmp_path: Path, wanted: list[float]) -> None:
    """It is waited for here, so that it compiles all but the first kernel; the next training compiles nothing."""
    first = run(HELPED.replace("EXPECTED", "1"), NUMBA_CACHE_DIR=tmp_path)
    check(first, wanted, "numba")
    assert "forward_loop.<locals>.forward" in first["compiled"]
    assert "backward_loop.<locals>.backward" not in first["compiled"]
    second = run(HELPED.replace("EXPECTED", "0"), NUMBA_CACHE_DIR=tmp_path)
    check(second, wanted, "numba")
    assert first["losses"] == second["losses"]
    assert second["compiled"] == []
