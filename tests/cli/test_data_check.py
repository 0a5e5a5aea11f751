"""`pellucid data check`: words, JSON, exit codes, the sheet, and bad input."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command

from pellucid.data.drawn import load_drawn_cats


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """An .npz file of drawings, test picture 3 of which is training picture 100."""
    cats = load_drawn_cats()
    cats.test.X[3] = cats.train.X[100]
    arrays = {"X_train": cats.train.X, "y_train": cats.train.y, "X_test": cats.test.X, "y_test": cats.test.y}
    np.savez(tmp_path / "leaky.npz", **arrays, classes=np.array(cats.classes))
    return tmp_path / "leaky.npz"


def test_a_data_set_in_order(pellucid: Command, tmp_path: Path) -> None:
    done = pellucid("data", "check", "drawn-cats", "--strict")
    assert done.code == 0, done.err
    assert "no findings" in done.out
    assert "25/50 = 50 %, 95 % interval 37 to 63 %" in done.out
    assert list(tmp_path.iterdir()) == []


def test_what_is_found_is_said_in_words(pellucid: Command, leaky: Path) -> None:
    done = pellucid("data", "check", "leaky.npz")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("leaky.npz: 209 training samples and 50 test samples, 2 classes; 1 finding.")
    assert next(line for line in lines if line.startswith("In both parts")).split()[3] == "1"
    assert "is the same as train 100" in done.out
    assert "Remove it from one part" in done.out
    assert "-o FILE.png" in done.out
    assert done.err == ""


def test_json(pellucid: Command, leaky: Path) -> None:
    done = pellucid("data", "check", leaky, "--json", "--strict")
    assert done.code == 1
    result = json.loads(done.out)
    assert set(result) >= {"leaks", "baseline", "classes", "findings"}
    assert result["leaks"] == [{"test": 3, "train": 100, "kind": "exact"}]
    assert result["baseline"]["train_majority"]["accuracy"] == 0.5
    assert result["baseline"]["train_majority"]["interval"] == pytest.approx([0.366, 0.634], abs=1e-3)
    assert result["classes"]["train"] == {"non-cat": 104, "cat": 105}
    assert result["classes"]["homogeneity"]["p_value"] > 0.9
    assert result["sheets"] == []
    (finding,) = result["findings"]
    assert finding["kind"] == "leak"
    assert [(s["part"], s["index"]) for s in finding["samples"]] == [("test", 3), ("train", 100)]


def test_the_published_photos(pellucid: Command, published_dir: Path) -> None:
    done = pellucid("data", "check", "catvnoncat", "--json", "--strict")
    assert done.code == 1
    result = json.loads(done.out)
    assert result["leaks"] == [{"test": 17, "train": 146, "kind": "exact"}]
    copies = ("leak", "duplicate", "near_duplicate", "conflict")
    assert [finding["kind"] for finding in result["findings"] if finding["kind"] in copies] == ["leak"]


def test_the_sheet_is_written(pellucid: Command, leaky: Path) -> None:
    for out, file in (("odd.png", "odd.png"), ("sheets", "sheets/findings.png")):
        done = pellucid("data", "check", leaky, "-o", out)
        assert done.code == 0, done.err
        with Image.open(file) as image:
            assert (image.format, image.width) == ("PNG", 1200)
        assert f"Every finding as a picture: {file}" in done.out


def test_a_messy_folder(pellucid: Command, tmp_path: Path) -> None:
    cats = load_drawn_cats()
    for i in range(40):
        folder = tmp_path / "pets" / cats.classes[cats.train.y[i]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(cats.train.X[i]).save(folder / f"{i:02d}.png")
    (tmp_path / "pets/cat/bad.jpg").write_text("no picture")
    Image.fromarray(cats.train.X[0]).save(tmp_path / "pets" / cats.classes[1 - cats.train.y[0]] / "copy.png")
    done = pellucid("data", "check", "pets", "--json", "--out", "found.png")
    assert done.code == 0, done.err
    result = json.loads(done.out)
    found = {finding["kind"]: [s["name"] for s in finding["samples"]] for finding in result["findings"]}
    assert found["unreadable"] == ["cat/bad.jpg"]
    original = f"{cats.classes[cats.train.y[0]]}/00.png"
    assert set(found["conflict"]) == {original, f"{cats.classes[1 - cats.train.y[0]]}/copy.png"}
    assert result["sheets"] == ["found.png"]
    text = pellucid("data", "check", "pets").out
    assert "Cannot be read" in text
    assert "cat/bad.jpg" in text


def test_a_table(pellucid: Command, tmp_path: Path, rng: np.random.Generator) -> None:
    lines = [f"{a:.4f},{b:.4f},{'cat' if a > 0 else 'dog'}" for a, b in rng.standard_normal((60, 2))]
    lines[7] = ",1.5,cat"
    (tmp_path / "pets.csv").write_text("a,b,pet\n" + "\n".join(lines) + "\n")
    done = pellucid("data", "check", "pets.csv", "--target", "pet", "-o", "sheet.png")
    assert done.code == 0, done.err
    assert "'a' has no value in 1 of 60 rows, the first in line 9." in done.out
    assert "No contact sheet was written: the samples are no pictures." in done.out
    assert not (tmp_path / "sheet.png").exists()
    result = json.loads(pellucid("data", "check", "pets.csv", "--target", "pet", "--json").out)
    assert [finding["kind"] for finding in result["findings"]] == ["missing_values"]


def test_a_sheet_is_replaced_by_force(pellucid: Command, leaky: Path) -> None:
    Path("odd.png").write_text("mine")
    done = pellucid("data", "check", leaky, "-o", "odd.png", "--overwrite", "--quiet")
    assert (done.code, done.out.splitlines()[-1]) == (0, "odd.png")
    assert Path("odd.png").read_bytes().startswith(b"\x89PNG")


def test_a_finding_is_told_to_its_end(pellucid: Command, tmp_path: Path) -> None:
    """Names of 60 letters made a finding longer than a line, and it was cut off in the middle."""
    cats, folder = load_drawn_cats(), tmp_path / "photos-in-a-folder-with-quite-a-long-name"
    for i in range(10):
        path = folder / ("one" if i < 5 else "other") / f"{'abcdefghij'[i] * 50}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(cats.train.X[i % 9]).save(path)  # the last is a copy of the first
    done = pellucid("data", "check", folder.name)
    table = done.out[done.out.index("first") :]
    assert "…" not in done.out
    assert "a" * 50 in table
    assert "j" * 50 in table
