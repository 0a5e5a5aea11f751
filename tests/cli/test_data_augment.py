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
    heights = {name: height for name, (_, height) in sizes.items()}
    assert (
        heights["none"] < heights["photo"] < heights["photo-cutmix"] < heights[None]
    )  # one row more for each transform


def test_a_picture_is_replaced_only_by_force(pellucid: Command, photo: Path) -> None:
    assert json.loads(pellucid("data", "augment", photo, "--json").out)["figure"] == "augmented.png"
    done = pellucid("data", "augment", photo)
    assert done.code == 2
    assert "--force" in done.err
    assert pellucid("data", "augment", photo, "--augment", "none", "--force").code == 0


def test_a_name_of_another_format_than_png_is_refused_at_once(
    pellucid: Command, photo: Path, tmp_path: Path
) -> None:
    for command in (("data", "augment", photo), ("find-rate", "digits"), ("data", "check", "digits")):
        done = pellucid(*command, "-o", tmp_path / "a.jpg")
        assert (done.code, done.out) == (2, "")
        assert "a PNG picture is written" in done.err
        assert "a.png" in done.err
        assert not (tmp_path / "a.jpg").exists()


def test_bad_input_is_one_line_and_no_picture(pellucid: Command, photo: Path, tmp_path: Path) -> None:
    for arguments, words in (
        ([photo, "--augment", "photo-cut"], "Did you mean 'photo-cutmix'"),
        ([tmp_path / "none.png"], "no such file"),
    ):
        done = pellucid("data", "augment", *arguments, "-o", tmp_path / "sheet.png")
        assert done.code == 2
        assert words in done.err
        assert len(done.err.strip().splitlines()) == 1
        assert not (tmp_path / "sheet.png").exists()
