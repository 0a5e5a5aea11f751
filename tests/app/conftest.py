"""Small data of every kind, and the command as a function."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pellucid.cli.main import main


@dataclass
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


def words_of(report: Path) -> str:
    """Return the text of a page, without tags, style and line ends."""
    page = re.sub(r"<style>.*?</style>", "", report.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", " ", page)).replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"\s+", " ", text)


@pytest.fixture
def pellucid(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run a command line in a folder of its own and return its exit code and output."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """An .npz file of 40 small photos in two classes that can be told apart."""
    rng = np.random.default_rng(1)
    y = np.arange(40) % 2
    X = rng.integers(0, 120, (40, 6, 6, 3), dtype=np.uint8) + (y * 120).astype(np.uint8)[:, None, None, None]
    path = tmp_path / "photos.npz"
    np.savez(path, X=X, y=y, classes=np.array(["dark", "bright"]))
    return path


@pytest.fixture
def trained(pellucid: Command, photos: Path, tmp_path: Path) -> Path:
    """A run folder."""
    done = pellucid("run", photos, "--out", tmp_path / "trained", "--epochs", 200, "--quiet")
    assert done.code == 0, done.err
    return tmp_path / "trained"


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
