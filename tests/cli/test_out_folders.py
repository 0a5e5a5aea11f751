"""Every command that writes a folder is its one writer, and leaves nothing half-written in it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, assert_refused, files_of, full_disk
from tests.every import every

from pellucid.folders import open_folder

COMMANDS = {
    "run": "photos.npz --epochs 2",
    "train": "photos.npz --epochs 2",
    "report": "trained",
    "evaluate": "trained photos.npz",
    "robustness": "trained photos.npz --perturbations rotation",
    "influence": "trained --samples 0 --no-retrain",
    "explain": "trained new.png --methods gradient",
    "compare": "mlp --data photos.npz --seeds 2 --jobs 1 --epochs 2",
}


@pytest.fixture(autouse=True)
def done(trained: Path) -> None:
    Image.fromarray(np.full((9, 9, 3), 90, np.uint8)).save(trained.with_name("new.png"))


@every("name", COMMANDS)
def test_a_folder_that_another_writes_is_refused(pellucid: Command, name: str) -> None:
    with open_folder(Path(name)) as writer:
        (writer.new / "theirs").write_text("x")
        refused = pellucid(f"{name} {COMMANDS[name]} --out {name} --overwrite")
        assert_refused(refused, f"pellucid: {name}: another command is writing this folder.")
        assert refused.out == ""
        writer.commit()
    assert files_of(Path(name)) == {"theirs": b"x"}


@pytest.mark.slow
@every("name", [name for name in COMMANDS if name not in ("run", "train")])
def test_a_full_disk_leaves_what_was_there(pellucid: Command, name: str) -> None:
    Path(name).mkdir()
    Path(name, "mine.txt").write_text("mine")
    before = files_of(Path(name))
    with full_disk(500):
        refused = pellucid(f"{name} {COMMANDS[name]} --out {name} --overwrite")
    assert_refused(refused, f"pellucid: {name}", "could not be written: File too large")
    assert files_of(Path(name)) == before
