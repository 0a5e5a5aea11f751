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

NET = """
[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 1

[training]
epochs = 30
optimizer = "sgd"
learning_rate = 0.05
batch_size = 0
"""


def test_two_presets_are_trained_and_compared(pellucid: Command, hard: Path, tmp_path: Path) -> None:
    done = pellucid("compare", "mlp", "logistic", "--data", hard, "--epochs", 40, "--json")
    assert done.code == 0, done.err
    result = json.loads(done.out)
    split = pl.load_data(hard)
    right = []
    for letter, name in (("a", "mlp"), ("b", "logistic")):
        model, _ = train_candidate(find_candidate("A", name, data="x", n_epochs=40), split)
        predicted = model.predict(split.test.X)
        right.append(predicted == split.test.y)
        row = result["rows"]["ab".index(letter)]
        assert row["accuracy"] == confusion_matrix(split.test.y, predicted).accuracy
        assert row["seconds"] > 0
    expected = mcnemar(*right)
    assert result["mcnemar"] == expected.to_dict()
    assert result["only_a_correct"] == np.flatnonzero(right[0] & ~right[1]).tolist()
    assert result["only_b_correct"] == np.flatnonzero(right[1] & ~right[0]).tolist()
    assert len(result["only_a_correct"]) == expected.only_a > 0
    gain = result["rows"][1]["accuracy"] - result["rows"][0]["accuracy"]
    assert result["difference"]["accuracy"] == pytest.approx(gain, abs=1e-12)
    low, high = result["difference"]["interval"]
    assert low <= result["difference"]["accuracy"] <= high
    assert result["rows"][0]["interval"] == list(wilson_interval(expected.both + expected.only_a, 40))


def test_files_folders_and_networks_of_ones_own(pellucid: Command, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(NET)
    trained, _ = train_candidate(find_candidate("A", "logistic", data="x", n_epochs=30), pl.load_data(photos))
    pl.save(trained, model := tmp_path / "trained.safetensors")
    done = pellucid("compare", model, "net.toml", "--data", photos, "-o", "out")
    assert done.code == 0, done.err
    assert "before" in done.out
    assert "here, in" in done.out
    files = {"comparison.json", "comparison.png", "disputed.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == files
    kept = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert kept["headline"] in done.out
    a, b = (row["seconds"] for row in kept["rows"])
    assert a is None
    assert b > 0
    (tmp_path / "run").mkdir()
    model.rename(tmp_path / "run" / "model.safetensors")
    done = pellucid("compare", "run", "run", "--data", photos)
    assert done.code == 0, done.err
    assert "0 only by A, 0 only by B" in done.out
    assert "trained on other samples" not in done.out


def test_the_verdict_says_who_and_whether_by_chance() -> None:
    test = Dataset(np.zeros((50, 2, 2)), np.zeros(50, int), ("a", "b"))
    wrong = np.zeros((2, 50), int)
    wrong[0, :5], wrong[1, 3:5] = 1, 1  # A: 45 right, B: 48, all of A's among them
    result = comparison_of(test, *wrong)
    assert (
        result.headline
        == "B classifies 3 photos more than A correctly (0 only by A, 3 only by B, of 50; p = 0.25)."
    )
    assert (result.only_a, result.only_b) == ([], [0, 1, 2])
    assert comparison_of(test, wrong[1], wrong[0]).headline.startswith("A classifies 3 photos more than B")
    wrong[1, 10:13] = 1
    assert comparison_of(test, *wrong).headline.startswith("A and B classify equally many")
    far = np.zeros((2, 50), int)
    far[0, :20] = 1
    assert "p < 0.001" in comparison_of(test, *far).headline


def comparison_of(test: Dataset, a: np.ndarray, b: np.ndarray) -> PairedComparison:
    """What would be found of models that predict so."""
    sides = [
        Side(letter, "x", confusion_matrix(test.y, p, test.classes), p) for letter, p in (("A", a), ("B", b))
    ]
    return PairedComparison("d", "photos", test, *sides)


def test_a_leak_is_noted(pellucid: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    X, y = rng.integers(0, 256, (30, 5, 5, 3), dtype=np.uint8), np.arange(30) % 2
    X[25] = X[3]
    np.savez(tmp_path / "leak.npz", X_train=X[:20], y_train=y[:20], X_test=X[20:], y_test=y[20:])
    done = pellucid("compare", "logistic", "two-layer", "--data", "leak.npz", "--epochs", 3)
    assert done.code == 0, done.err
    assert "1 of 10 test photos in the training part too (5)" in done.out


def test_a_brighter_copy_is_a_leak_too(pellucid: Command) -> None:
    cats = pl.load_data("drawn-cats")
    X = cats.test.X.copy()
    X[[3, 4]] = np.minimum(cats.train.X[[100, 101]] * 1.2, 255)
    parts = {"X_train": cats.train.X, "y_train": cats.train.y, "X_test": X, "y_test": cats.test.y}
    np.savez("near.npz", **parts)
    done = pellucid("compare", "logistic", "two-layer", "--data", "near.npz", "--epochs", 2)
    assert "2 of 50 test photos in the training part too (3, 4): that tests memory" in done.out


@pytest.mark.slow
def test_classes_in_another_order_are_matched_by_name(pellucid: Command, photos: Path, trained: Path) -> None:
    with np.load(photos) as file:
        X, y, classes = file["X"], file["y"], file["classes"]
    results = []
    for labels, names in ((y, classes), (1 - y, classes[::-1])):
        np.savez("data.npz", X_train=X, y_train=labels, X_test=X[:9], y_test=labels[:9], classes=names)
        results.append(json.loads(pellucid("compare", trained, trained, "--data", "data.npz", "--json").out))
    assert results[0]["rows"][0]["accuracy"] == results[1]["rows"][0]["accuracy"] > 0.5
    assert results[0]["difference"]["interval"] is None


@pytest.mark.slow
def test_published_photos(published_dir: Path) -> None:
    cats = pl.load_data("catvnoncat")
    a, b = (
        find_candidate(letter, name, data="catvnoncat") for letter, name in (("A", "mlp"), ("B", "logistic"))
    )
    result = compare_on_test(cats, a, b)
    assert result.a.confusion.accuracy == 0.8
    assert result.a.confusion.accuracy_interval == pytest.approx((0.6696, 0.8876), abs=5e-5)
    assert any("test photos in the training part too (17)" in note for note in result.notes)


@pytest.mark.slow
def test_tables_are_compared_by_their_own_columns(pellucid: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    kinds = rng.choice(["cat", "dog"], 80)
    weights = np.where(kinds == "cat", 10_004, 10_020) + rng.normal(size=80)
    rows = [f"{w:.3f},{rng.choice(['a', 'b'])},{k}" for w, k in zip(weights, kinds, strict=True)]
    text = "\n".join(["weight,coat,kind", *rows])
    (tmp_path / "pets.csv").write_text(text)
    (tmp_path / "more.csv").write_text(text.replace(",b,", ",c,"))
    target = ("--target", "kind")
    for name in ("one", "two"):
        done = pellucid("train", "pets.csv", *target, "--model", "logistic", "--out", name, "--epochs", 50)
        assert done.code == 0, done.err
    for file, n in (("pets.csv", 16), ("more.csv", 80)):  # the part held out; all rows of another table
        done = pellucid("compare", "one", "two", "--data", file, *target, "--json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["n_samples"] == n
    done = pellucid("compare", "one", "mlp", "--data", "more.csv", *target)
    assert_refused(done, "other columns or categories")
    done = pellucid("compare", "logistic", "mlp", "--cv", "4x1", "--data", "pets.csv", *target)
    assert done.code == 0, done.err
    assert "A 1.000" in done.out, "inputs are standardized, as `pellucid train` does"


def test_empty_parts_are_said(hard: Path) -> None:
    split = pl.load_data(hard)
    mlp = find_candidate("A", "mlp", data="hard", n_epochs=1)
    for part in ("train", "test"):
        empty = Split(**{**vars(split), part: getattr(split, part).take(slice(0, 0))})
        with pytest.raises(DataError, match="part is empty"):
            compare_on_test(empty, mlp, mlp)
