"""`pellucid data check`: words, JSON, exit codes, the sheet, and bad input."""

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
    done = pellucid.ok("data check drawn-cats --strict")
    assert "no findings" in done.out
    assert "25/50 = 50 %, 95 % interval 37 to 63 %" in done.out
    assert list(tmp_path.iterdir()) == []


def test_what_is_found_is_said_in_words_and_in_json(pellucid: Command, leaky: Path) -> None:
    done = pellucid.ok("data check leaky.npz")
    lines = done.out.splitlines()
    assert lines[0].startswith("leaky.npz: 209 training samples and 50 test samples, 2 classes; 1 finding.")
    assert next(line for line in lines if line.startswith("In both parts")).split()[3] == "1"
    for words in ("is the same as train 100", "Remove it from one part", "-o FILE.png"):
        assert words in done.out
    assert pellucid("data check leaky.npz --strict").code == 1
    result = pellucid.json("data check leaky.npz")
    assert result["leaks"] == [{"test": 3, "train": 100, "kind": "exact"}]
    assert result["baseline"]["train_majority"]["accuracy"] == 0.5
    assert result["baseline"]["train_majority"]["interval"] == pytest.approx([0.366, 0.634], abs=1e-3)
    assert result["classes"]["train"] == {"non-cat": 104, "cat": 105}
    (finding,) = result["findings"]
    assert finding["kind"] == "leak"
    assert [(s["part"], s["index"]) for s in finding["samples"]] == [("test", 3), ("train", 100)]


def test_the_sheet_is_written(pellucid: Command, leaky: Path) -> None:
    Path("odd.png").write_text("mine")
    for out, file in (("odd.png", "odd.png"), ("sheets", "sheets/findings.png")):
        done = pellucid.ok("data check leaky.npz --overwrite -o", out)
        with Image.open(file) as image:
            assert (image.format, image.width) == ("PNG", 1200)
        assert f"Every finding as a picture: {file}" in done.out


def test_a_messy_folder(pellucid: Command) -> None:
    cats, letters = load_drawn_cats(), "abcdefghij" * 4
    names = [
        f"{name}/{letters[i] * 50}-{i}.png"
        for i, name in enumerate(map(cats.classes.__getitem__, cats.train.y[:40]))
    ]
    copy = f"{cats.classes[1 - cats.train.y[0]]}/copy.png"
    for name, pixels in (*zip(names, cats.train.X, strict=False), (copy, cats.train.X[0])):
        Path("pets", name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(Path("pets", name))
    Path("pets/cat/bad.jpg").write_text("no picture")
    result = pellucid.json("data check pets --out found.png")
    found = {finding["kind"]: [s["name"] for s in finding["samples"]] for finding in result["findings"]}
    assert found["unreadable"] == ["cat/bad.jpg"]
    assert set(found["conflict"]) == {names[0], copy}
    assert result["sheets"] == ["found.png"]
    text = pellucid.ok("data check pets").out
    for words in ("Cannot be read", "cat/bad.jpg", "a" * 50):
        assert words in text
    assert "…" not in text  # a finding is told to its end


def test_a_table(pellucid: Command, rng: np.random.Generator) -> None:
    lines = [f"{a:.4f},{b:.4f},{'cat' if a > 0 else 'dog'}" for a, b in rng.standard_normal((60, 2))]
    lines[7] = ",1.5,cat"
    Path("pets.csv").write_text("a,b,pet\n" + "\n".join(lines) + "\n")
    done = pellucid.ok("data check pets.csv --target pet -o sheet.png")
    assert "'a' has no value in 1 of 60 rows, the first in line 9." in done.out
    assert "No contact sheet was written: the samples are no pictures." in done.out
    assert not Path("sheet.png").exists()
    (finding,) = pellucid.json("data check pets.csv --target pet")["findings"]
    assert finding["kind"] == "missing_values"
