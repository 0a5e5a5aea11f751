"""`pellucid compare`: two models on the same samples, and over folds."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command, assert_refused

import pellucid as pl
from pellucid.data.dataset import Dataset, Split
from pellucid.errors import DataError
from pellucid.evaluation.comparison.paired import PairedComparison, Side, compare_on_test
from pellucid.prediction.confusion import confusion_matrix
from pellucid.runs.candidates import find_candidate, train_candidate
from pellucid.stats.intervals import wilson_interval
from pellucid.stats.paired import mcnemar

NET = '[[layers]]\ntype = "Flatten"\n[[layers]]\ntype = "Dense"\nunits = 1\n[training]\nepochs = 30\n'


def test_two_presets_are_trained_and_compared(pellucid: Command, hard: Path) -> None:
    result = pellucid.json("compare mlp logistic --data hard.npz --epochs 40")
    split, right = pl.load_data(hard), []
    for row, name in zip(result["rows"], ("mlp", "logistic"), strict=True):
        model, _ = train_candidate(find_candidate("A", name, data="x", n_epochs=40), split)
        right.append(model.predict(split.test.X) == split.test.y)
        assert row["accuracy"] == pytest.approx(right[-1].mean())
        assert row["seconds"] > 0
    expected = mcnemar(*right)
    assert result["mcnemar"] == vars(expected)
    assert result["only_a_correct"] == np.flatnonzero(right[0] & ~right[1]).tolist()
    assert result["only_b_correct"] == np.flatnonzero(right[1] & ~right[0]).tolist()
    assert len(result["only_a_correct"]) == expected.only_a > 0
    difference = result["difference"]
    assert difference["accuracy"] == pytest.approx(right[1].mean() - right[0].mean(), abs=1e-12)
    low, high = difference["interval"]
    assert low <= difference["accuracy"] <= high
    assert result["rows"][0]["interval"] == list(wilson_interval(expected.both + expected.only_a, 40))


def test_files_folders_and_networks_of_ones_own(pellucid: Command, photos: Path) -> None:
    Path("net.toml").write_text(NET)
    trained, _ = train_candidate(find_candidate("A", "logistic", data="x", n_epochs=30), pl.load_data(photos))
    Path("run").mkdir()
    pl.save(trained, "run/model.safetensors")
    done = pellucid.ok("compare run/model.safetensors net.toml --data photos.npz -o out")
    assert "before" in done.out
    assert "here, in" in done.out
    files = {"comparison.json", "comparison.png", "disputed.png"}
    assert {path.name for path in Path("out").iterdir()} == files
    kept = json.loads(Path("out/comparison.json").read_text())
    assert kept["headline"] in done.out
    a, b = (row["seconds"] for row in kept["rows"])
    assert a is None
    assert b > 0
    done = pellucid.ok("compare run run --data photos.npz")
    assert "0 only by A, 0 only by B" in done.out
    assert "trained on other samples" not in done.out


def test_the_headline_says_how_many_more_and_whether_it_is_chance() -> None:
    test = Dataset(np.zeros((50, 2, 2)), np.zeros(50, int), ("a", "b"))

    def comparison_of(*found: np.ndarray) -> PairedComparison:
        sides = [
            Side(letter, "x", confusion_matrix(test.y, p, test.classes), p)
            for letter, p in zip("AB", found, strict=True)
        ]
        return PairedComparison("d", "photo", test, *sides)

    wrong = np.zeros((2, 50), int)
    wrong[0, :5], wrong[1, 3:5] = 1, 1  # A: 45 right, B: 48, all of A's among them
    result = comparison_of(*wrong)
    told = "B classifies 3 photos more than A correctly (0 only by A, 3 only by B, of 50; p = 0.25)."
    assert (result.headline, result.only_a_correct, result.only_b_correct) == (told, [], [0, 1, 2])
    assert comparison_of(wrong[1], wrong[0]).headline.startswith("A classifies 3 photos more than B")
    wrong[1, 10:13] = 1
    assert comparison_of(*wrong).headline.startswith("A and B classify equally many")
    assert "p < 0.001" in comparison_of(np.arange(50) // 20 == 0, np.zeros(50, int)).headline


def test_a_leak_is_noted_also_of_a_brighter_copy(pellucid: Command) -> None:
    cats = pl.load_data("drawn-cats")
    X = cats.test.X.copy()
    X[[3, 4]] = cats.train.X[100], np.minimum(cats.train.X[101] * 1.2, 255)
    parts = {"X_train": cats.train.X, "y_train": cats.train.y, "X_test": X, "y_test": cats.test.y}
    np.savez("near.npz", **parts)
    done = pellucid.ok("compare logistic two-layer --data near.npz --epochs 2")
    assert "2 of 50 test photos in the training part too (3, 4): that tests memory" in done.out


@pytest.mark.slow
def test_tables_are_compared_by_their_own_columns(pellucid: Command) -> None:
    rng = np.random.default_rng(1)
    kinds = rng.choice(["cat", "dog"], 80)
    weights = np.where(kinds == "cat", 10_004, 10_020) + rng.normal(size=80)
    rows = [f"{w:.3f},{rng.choice(['a', 'b'])},{k}" for w, k in zip(weights, kinds, strict=True)]
    text = "\n".join(["weight,coat,kind", *rows])
    Path("pets.csv").write_text(text)
    Path("more.csv").write_text(text.replace(",b,", ",c,"))
    for name in ("one", "two"):
        pellucid.ok(f"train pets.csv --target kind --model logistic --out {name} --epochs 50")
    for file, n in (("pets.csv", 16), ("more.csv", 80)):  # the part held out; all rows of another table
        assert pellucid.json(f"compare one two --data {file} --target kind")["n_samples"] == n
    refused = pellucid("compare one mlp --data more.csv --target kind")
    assert_refused(refused, "other columns or categories")
    done = pellucid.ok("compare logistic mlp --cv 4x1 --epochs 200 --data pets.csv --target kind")
    assert "A 1.000" in done.out, "inputs are standardized, as `pellucid train` does"


def test_empty_parts_are_said(hard: Path) -> None:
    split = pl.load_data(hard)
    mlp = find_candidate("A", "mlp", data="hard", n_epochs=1)
    for part in ("train", "test"):
        empty = Split(**{**vars(split), part: getattr(split, part).take(slice(0, 0))})
        with pytest.raises(DataError, match="part is empty"):
            compare_on_test(empty, mlp, mlp)
