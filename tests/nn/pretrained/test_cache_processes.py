"""The cache of features among real processes: filled by two at once, interrupted, full, and not to be written."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from tests.every import every

from pellucid.nn.pretrained import feature_cache

PROGRAM = """
import sys, time
import numpy as np
from pathlib import Path
from pellucid.nn.pretrained.feature_cache import cached_features
# begin

n, seconds, log = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
X = np.arange(n * 12).astype(np.uint8).reshape(n, 2, 2, 3) + np.arange(n, dtype=np.uint8)[:, None, None, None]
X[:, 0, 0, 0], X[:, 0, 0, 1] = np.arange(n) // 256, np.arange(n) % 256

def compute(photos):
    time.sleep(seconds)
    with log.open("a") as stream:
        stream.write(f"{len(photos)}\\n")
    return photos.reshape(len(photos), -1).astype(np.float32) / 7

found = cached_features(compute, X, b"a body")
assert (found == X.reshape(n, -1).astype(np.float32) / 7).all()
print("right")
"""


def start(
    cache: Path, log: Path, n: int = 320, seconds: float = 0.0, before: str = ""
) -> "subprocess.Popen[str]":
    """Start a process that computes the features of n photos, pausing for each piece."""
    own = {**os.environ, "PELLUCID_CACHE_DIR": str(cache)}
    command = [sys.executable, "-c", PROGRAM.replace("# begin", before), str(n), str(seconds), str(log)]
    return subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process: "subprocess.Popen[str]") -> str:
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    return out.strip()


def computed(log: Path) -> int:
    return sum(map(int, log.read_text().split())) if log.exists() else 0


def n_kept() -> int:
    found = feature_cache.size_of_cache()
    return 0 if found is None else found.n_photos


def test_two_processes_fill_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CACHE_DIR", str(tmp_path))
    logs = [tmp_path / "a", tmp_path / "b"]
    both = [start(tmp_path, log, seconds=0.02) for log in logs]
    assert [ended(process) for process in both] == ["right", "right"]
    assert n_kept() == 320
    assert ended(start(tmp_path, tmp_path / "c")) == "right"
    assert computed(tmp_path / "c") == 0


@every("stop", ["terminate", "kill"])
def test_an_interrupted_pass_goes_on_where_it_stopped(
    stop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / stop
    monkeypatch.setenv("PELLUCID_CACHE_DIR", str(cache))
    first = start(cache, tmp_path / f"{stop}-1", seconds=0.3)
    while n_kept() < 64 and first.poll() is None:
        time.sleep(0.02)
    getattr(first, stop)()
    first.communicate(timeout=300)
    kept = n_kept()
    assert 64 <= kept < 320
    assert ended(start(cache, tmp_path / f"{stop}-2")) == "right"
    assert computed(tmp_path / f"{stop}-2") == 320 - kept


def test_a_full_disk_ends_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may not grow beyond 40 kB: what fits is kept, and all is computed."""
    pytest.importorskip("resource")
    monkeypatch.setenv("PELLUCID_CACHE_DIR", str(tmp_path))
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
    assert ended(start(tmp_path, tmp_path / "log", n=1500, before=limit)) == "right"
    assert computed(tmp_path / "log") >= 1500
    assert n_kept() < 1500
    assert ended(start(tmp_path, tmp_path / "again", n=1500)) == "right"


def test_a_folder_that_may_only_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """All is computed, and what is there stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        home, cache = Path(folder), Path(folder, "cache")
        home.chmod(0o777)
        monkeypatch.setenv("PELLUCID_CACHE_DIR", str(cache))
        assert ended(start(cache, home / "first", n=64)) == "right"
        for path in (*cache.iterdir(), cache):
            path.chmod(0o555 if path.is_dir() else 0o444)
        before = ""
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # no permission stops it: it lets go of its rights
            before = "import os, pooch\nos.setgid(65534)\nos.setuid(65534)\n"
        assert ended(start(cache, home / "log", n=96, before=before)) == "right"
        assert computed(home / "log") >= 32
        cache.chmod(0o755)
        assert n_kept() == 64
