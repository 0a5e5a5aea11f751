"""Every command that writes a folder is its one writer, and leaves nothing half-written in it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

from pellucid.folders import open_folder

COMMANDS: dict[str, Callable[[Path], list[object]]] = {
    "run": lambda photos: ["run", photos, "--epochs", 2],
    "train": lambda photos: ["train", photos, "--epochs", 2],
    "report": lambda photos: ["report", "done"],
    "evaluate": lambda photos: ["evaluate", "done", photos],
    "robustness": lambda photos: ["robustness", "done", photos, "--perturbations", "rotation"],
    "influence": lambda photos: ["influence", "done", "--samples", 0],
    "explain": lambda photos: ["explain", "done", "new.png"],
    "compare": lambda photos: ["compare", "mlp", "--data", photos, "--seeds", 2, "--jobs", 1, "--epochs", 2],
}


@pytest.fixture
def done(trained: Path, tmp_path: Path) -> Path:
    trained.rename(tmp_path / "done")
    Image.fromarray(np.full((9, 9, 3), 90, np.uint8)).save(tmp_path / "new.png")
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_another_writes_is_refused(
    pellucid: Command, photos: Path, done: Path, name: str
) -> None:
    with open_folder(done / "out") as writer:
        (writer.new / "theirs").write_text("x")
        refused = pellucid(*COMMANDS[name](photos), "--out", "out", "--overwrite")
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith("pellucid: out: another command is writing this folder.")
        writer.commit()
    assert content(done / "out") == {"theirs": b"x"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files")
@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("run", "train")])
def test_a_full_disk_leaves_what_was_there(pellucid: Command, photos: Path, done: Path, name: str) -> None:
    import resource

    arguments = [*COMMANDS[name](photos), "--out", "out"]
    assert pellucid(*arguments).code == 0
    before = content(done / "out")
    ran = subprocess.run(
        [
            sys.executable,
            "-B",
            "-m",
            "pellucid",
            *map(str, arguments),
            "--overwrite",
        ],  # -B: no half .pyc stays
        cwd=done,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)),
        check=False,
        capture_output=True,
        text=True,
    )
    last = ran.stderr.splitlines()[-1]
    assert ran.returncode == 2, ran.stderr
    assert last.startswith("pellucid: out")
    assert "could not be written: File too large" in last
    assert content(done / "out") == before
