"""`pellucid data info` and `data fetch`: words, JSON, and reading options."""

from pathlib import Path

import numpy as np
from tests.commands import Command, assert_refused


def test_shapes_classes_and_counts(pellucid: Command) -> None:
    done = pellucid.ok("data info drawn-cats")
    assert done.out.startswith("drawn-cats: 2 classes, samples of shape (64, 64, 3), uint8")
    assert "105 (50 %)" in done.out
    info = pellucid.json("data info drawn-cats")
    counts = {"non-cat": 104, "cat": 105}
    assert info["train"] == {"shape": [209, 64, 64, 3], "dtype": "uint8", "counts": counts}
    assert info["test"]["counts"] == {"non-cat": 25, "cat": 25}


def test_reading_options(pellucid: Command, photos: Path) -> None:
    Path("table.csv").write_text("x;y\n" + "".join(f"{i},5;{2 * i},25\n" for i in range(20)))
    done = pellucid.ok("data info table.csv --target y --decimal ,")
    assert "a regression, samples of shape (1,), float64" in done.out
    assert "held out 20 % (4 of 20 samples)" in done.out
    assert_refused(pellucid("data info table.csv --target y"), "--decimal")
    with np.load(photos) as arrays:
        np.savez(photos, one=arrays["X"], two=arrays["y"])
    assert_refused(pellucid("data info photos.npz"))
    info = pellucid.json("data info photos.npz --x-key one --y-key two --test-fraction 0.5")
    assert info["test"]["shape"] == [20, 6, 6, 3]


def test_fetch_takes_its_name_as_an_argument(pellucid: Command, published_dir: Path) -> None:
    for name in ("", "catvnoncat"):
        assert pellucid(f"data fetch {name}").out.strip() == str(published_dir)
    assert_refused(pellucid("data fetch catsvnoncat"), "Did you mean 'catvnoncat'")
