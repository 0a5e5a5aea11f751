"""The contact sheet of augmentations as a command."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)).save(path)
    return path


def test_all_transforms_or_those_of_a_training(pellucid: Command, photo: Path, tmp_path: Path) -> None:
    sizes = {}
    for name in (None, "none", "photo", "photo-cutmix"):
        out = tmp_path / f"{name}.png"
        done = pellucid("data", "augment", photo, "-o", out, *([] if name is None else ["--augment", name]))
        assert (done.code, done.out) == (0, f"{out}\n"), done.err
        with Image.open(out) as sheet:
            sizes[name] = sheet.size
    heights = [sizes[name][1] for name in ("none", "photo", "photo-cutmix", None)]
    assert heights == sorted(set(heights))  # one row more for each transform
    assert json.loads(pellucid("data", "augment", photo, "--json").out)["figure"] == "augmented.png"
    assert pellucid("data", "augment", photo, "--augment", "none", "--overwrite").code == 0
