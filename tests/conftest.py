"""Fixtures that every test can use."""

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from PIL import Image

import pellucid.cli.app
from pellucid.cli.main import main
from pellucid.locks import FileLock
from tests.commands import Command, Done
from tests.fuzz.search import SEED

if "PELLUCID_SEED" not in os.environ:  # the same cases each time
    hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
    hypothesis.settings.load_profile("same")


@pytest.fixture(autouse=True)
def _raise_on_floating_point_faults() -> Iterator[None]:
    """Any overflow, division by zero or invalid value in a test is an error."""
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.fixture(scope="session", autouse=True)
def _hears_signals() -> None:
    """Let commands that tests start answer SIGINT and SIGHUP, which jobs in the background and nohup ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)  # a handler is not inherited


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how many random cases of each subject were checked, and what they were drawn by."""
    passed = terminalreporter.getreports("passed")
    counts = [value for report in passed for key, value in report.user_properties if key == "random cases"]
    if counts:
        terminalreporter.section(f"random cases of seed {SEED} (for others: PELLUCID_SEED=2)")
        terminalreporter.line("\n".join(sorted(counts)))


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded generator."""
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def published_dir() -> Path:
    """The folder with the published photos, or a skip that says why."""
    folder = os.environ.get("PELLUCID_DATA_DIR")
    if folder is None or not (Path(folder) / "train_catvnoncat.h5").is_file():
        pytest.skip("needs the published photos: set PELLUCID_DATA_DIR to the folder that holds them")
    return Path(folder)


@pytest.fixture(scope="session")
def published(published_dir: Path) -> dict[str, Any]:
    """The numbers that the published tutorial printed."""
    numbers: dict[str, Any] = json.loads((published_dir / "published.json").read_text())
    return numbers


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that one of the processes of a session makes, for all of them; not to be written to."""
    root = factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / f"once-{name}"
    with FileLock(folder.with_suffix(".lock")), np.errstate(all="raise", under="ignore"):
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / "made").touch()
    return folder


@pytest.fixture(scope="session")
def published_folder(published_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the published training, and what was said beside it; not to be written to."""

    def make(folder: Path) -> None:
        with (folder / "said").open("w") as said, contextlib.redirect_stdout(said):
            assert main(["run", "catvnoncat", "--out", str(folder / "run")]) == 0

    return made_once(tmp_path_factory, "published", make) / "run"


@pytest.fixture
def pellucid(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run a command line in a folder of its own and return its exit code and output."""
    monkeypatch.chdir(tmp_path)

    def run(arguments: list[str]) -> Done:
        capsys.readouterr()
        return Done(main(arguments), *capsys.readouterr())

    return Command(run)


def save_photos(path: Path) -> Path:
    """Write an .npz file of 40 small photos in two classes that can be told apart."""
    rng = np.random.default_rng(1)
    y = np.arange(40) % 2
    X = rng.integers(0, 120, (40, 6, 6, 3), dtype=np.uint8) + (y * 120).astype(np.uint8)[:, None, None, None]
    np.savez(path, X=X, y=y, classes=np.array(["dark", "bright"]))
    return path


def save_folder(root: Path, counts: dict[str, int], size: int = 9) -> Path:
    """Write photos of noise into a folder of each class, brighter from class to class."""
    rng = np.random.default_rng(3)
    for i, (name, n) in enumerate(counts.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for k in range(n):
            pixels = rng.integers(80 * i, 80 * i + 90, (size, size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{k}.png")
    return root


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """An .npz file of 40 small photos in two classes that can be told apart."""
    return save_photos(tmp_path / "photos.npz")


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder, and the photos that it was trained on beside it; not to be written to."""

    def make(folder: Path) -> None:
        arguments = ["run", save_photos(folder / "photos.npz"), "--model", "mlp", "--out", folder / "trained"]
        assert main([*map(str, arguments), "--epochs", "200", "--quiet"]) == 0

    return made_once(tmp_path_factory, "trained", make) / "trained"


@pytest.fixture(scope="session")
def full_report(trained_once: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The run folder with its full report, on three photos, and what was said on the way; not to be written to."""

    def make(folder: Path) -> None:
        own = shutil.copytree(trained_once, folder / "trained")
        with (folder / "said").open("w") as said, contextlib.redirect_stderr(said):
            assert main(["report", str(own), "--full", "--photos", "3"]) == 0

    folder = made_once(tmp_path_factory, "full", make)
    return folder / "trained", (folder / "said").read_text()


@pytest.fixture
def trained(trained_once: Path, photos: Path, tmp_path: Path) -> Path:
    """A run folder of the test's own, on its own ``photos``: a copy of the one that was trained for all tests."""
    folder = shutil.copytree(trained_once, tmp_path / "trained")
    for file in (folder / "config.toml", folder / "report.html"):  # what to try next names the data
        text = file.read_text(encoding="utf-8")
        # Commands run in the folder of the photos
        name = str(photos) if file.suffix == ".toml" else photos.name
        file.write_text(text.replace(str(trained_once.parent / "photos.npz"), name), encoding="utf-8")
    return folder


@pytest.fixture
def hard(tmp_path: Path) -> Path:
    """Photos that no model reads without mistakes, in two parts of 60 and 40."""
    rng = np.random.default_rng(3)
    y = np.arange(100) % 2
    X = np.clip(rng.integers(0, 200, (100, 6, 6, 3)) + 12 * y[:, None, None, None], 0, 255).astype(np.uint8)
    path = tmp_path / "hard.npz"
    np.savez(
        path, X_train=X[:60], y_train=y[:60], X_test=X[60:], y_test=y[60:], classes=np.array(["dim", "lit"])
    )
    return path
