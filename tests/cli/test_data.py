"""`pellucid data`: what is in a data set, what is wrong with it, where it is, and how it is augmented."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, assert_refused

from pellucid.data.built_in import load_drawn_cats


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


def test_a_finding_is_told_to_its_end(pellucid: Command) -> None:
    """Names of 60 letters made a finding longer than a line, and it was cut off in the middle."""
    cats = load_drawn_cats()
    for i in range(10):
        path = Path("pets", "cat" if i < 5 else "other", f"{'abcdefghij'[i] * 50}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(cats.train.X[i % 9]).save(path)  # the last is a copy of the first
    Path("pets/cat/bad.jpg").write_text("no picture")
    text = pellucid.ok("data check pets").out
    assert "…" not in text
    for words in ("Cannot be read", "cat/bad.jpg", "a" * 50, "j" * 50):
        assert words in text


def test_a_table_has_no_contact_sheet(pellucid: Command, rng: np.random.Generator) -> None:
    rows = [f"{a:.4f},{b:.4f},{'cat' if a > 0 else 'dog'}" for a, b in rng.standard_normal((60, 2))]
    Path("pets.csv").write_text("\n".join(["a,b,pet", *rows, ",1.5,cat"]))
    done = pellucid.ok("data check pets.csv --target pet -o sheet.png")
    assert "'a' has no value in 1 of 61 rows, the first in line 62." in done.out
    assert "No contact sheet was written: the samples are not pictures." in done.out
    assert not Path("sheet.png").exists()


def test_shapes_classes_and_counts(pellucid: Command) -> None:
    done = pellucid.ok("data info drawn-cats")
    assert done.out.startswith("drawn-cats: 2 classes, samples of shape (64, 64, 3), uint8")
    assert "105 (50 %)" in done.out
    info = pellucid.json("data info drawn-cats")
    counts = {"non-cat": 104, "cat": 105}
    assert info["train"] == {"shape": [209, 64, 64, 3], "dtype": "uint8", "counts": counts}
    assert info["test"]["counts"] == {"non-cat": 25, "cat": 25}


def test_reading_options(pellucid: Command, photos: Path) -> None:
    Path("table.csv").write_text("x;y\n" + "".join(f"{i},500;{2 * i},250\n" for i in range(1, 21)))
    done = pellucid.ok("data info table.csv --target y --decimal ,")
    assert "a regression, samples of shape (1,), float64" in done.out
    assert "held out 20 % (4 of 20 samples)" in done.out
    assert_refused(pellucid("data info table.csv --target y"), "two ways", "--decimal .,", "--decimal ,.")
    with np.load(photos) as arrays:
        np.savez(photos, one=arrays["X"], two=arrays["y"])
    assert_refused(pellucid("data info photos.npz"))
    info = pellucid.json("data info photos.npz --x-key one --y-key two --test-fraction 0.5")
    assert info["test"]["shape"] == [20, 6, 6, 3]


def test_fetch_takes_its_name_as_an_argument(pellucid: Command, published_dir: Path) -> None:
    for name in ("", "catvnoncat"):
        assert pellucid(f"data fetch {name}").out.strip() == str(published_dir)
    assert_refused(pellucid("data fetch catsvnoncat"), "Did you mean 'catvnoncat'")


def test_all_transforms_or_those_of_a_training(pellucid: Command) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)).save("cat.png")
    heights = []
    for name in ("none", "photo-cutmix", ""):
        asked = f"data augment cat.png -o a{name}.png" + f" --augment {name}" * bool(name)
        assert pellucid.ok(asked).out == f"a{name}.png\n"
        with Image.open(f"a{name}.png") as sheet:
            heights.append(sheet.height)
    assert heights == sorted(set(heights))  # one row more for each transform
    X = np.random.default_rng(1).integers(0, 256, (30, 64, 64, 3), dtype=np.uint8)
    np.savez("photos.npz", X=X, y=np.arange(30) % 2)
    for augment, height in (("photo-cutmix", heights[1]), ("none", heights[0])):
        train = f"train photos.npz --model logistic --epochs 1 --batch-size 8 --augment {augment}"
        pellucid.ok(f"{train} --out {augment} --quiet")
        pellucid.ok(f"data augment cat.png --model {augment} -o own.png --overwrite")
        with Image.open("own.png") as sheet:
            assert sheet.height == height, "a model's own"
    assert_refused(pellucid("data augment cat.png --model none --augment photo -o x.png"), "--augment")
    Path("augmented.png").write_text("mine")
    assert pellucid.json("data augment cat.png --overwrite --augment none")["figure"] == "augmented.png"
