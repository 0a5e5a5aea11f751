"""`pellucid evaluate`: scores with intervals, leaks, figures, and what bad input gets."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.commands import Command, assert_refused

import pellucid as pl
from pellucid.data.dataset import Dataset


@pytest.mark.slow
def test_the_published_run(pellucid: Command, published_dir: Path, tmp_path: Path) -> None:
    assert pellucid("train", "catvnoncat", "--out", "run", "--quiet").code == 0
    done = pellucid("evaluate", "run", "catvnoncat", "-o", "figures")
    assert done.code == 0, done.err
    first = done.out.splitlines()[0]
    assert first == "Test accuracy 80 % (40/50, 95 % interval 67 to 89 %). Baseline (always 'non-cat') 34 %."
    assert "(17 = training 146). Without: Test accuracy 80 % (39/49" in done.out
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        f"{name}.png" for name in ("intervals", "roc", "precision-recall", "calibration", "confusion")
    }
    result = json.loads(pellucid("evaluate", "run", "catvnoncat", "--json").out)
    assert (result["accuracy"], result["baseline"], result["n_correct"]) == (0.8, 0.34, 40)
    assert result["leaks"] == [{"test": 17, "train": 146, "kind": "exact"}]
    assert result["without_leaks"]["n_samples"] == 49


def test_words_and_json(pellucid: Command, trained: Path, photos: Path) -> None:
    done = pellucid("evaluate", trained, photos)
    assert done.code == 0, done.err
    assert done.out.startswith("Test accuracy 75 % (6/8, 95 % interval 41 to 93 %).")
    done = pellucid("evaluate", trained, photos, "--json")
    result = json.loads(done.out)
    assert result["accuracy"] == 0.75
    assert result["estimates"]["accuracy"]["low"] == pytest.approx(0.4093, abs=1e-4)
    assert 0 < result["estimates"]["roc_auc"]["low"] < result["roc_auc"]
    assert result["per_class"]["bright"]["n_samples"] == 4
    assert set(result["per_class"]["bright"]["roc"]) >= {"false_positive_rate", "true_positive_rate"}
    assert result["leaks"] == []
    assert result["without_leaks"] is None
    assert "NaN" not in done.out
    assert "Infinity" not in done.out


def test_the_held_out_part_is_that_of_the_training(pellucid: Command, photos: Path) -> None:
    assert pellucid("train", photos, "--out", "out", "--seed", 5, "--epochs", 3, "--quiet").code == 0
    result = json.loads(pellucid("evaluate", "out", photos, "--json").out)
    assert result["leaks"] == []
    assert any("seed 5" in note for note in result["notes"])
    assert not any("other data" in note for note in result["notes"])


def test_other_data_than_it_was_trained_on_are_noted(pellucid: Command, trained: Path, photos: Path) -> None:
    with np.load(photos) as file:
        np.savez("other.npz", X=file["X"][::-1], y=file["y"][::-1], classes=file["classes"])
    result = json.loads(pellucid("evaluate", trained, "other.npz", "--json").out)
    assert any("trained on other data" in note for note in result["notes"])


def test_of_its_own_table_a_model_is_judged_by_the_rows_held_out(pellucid: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = [f"{x:.5f},{'up' if x + rng.normal() > 0 else 'down'}" for x in rng.normal(size=50)]
    (tmp_path / "table.csv").write_text("\n".join(["x,y", *rows]))
    options = ("--target", "y", "--model", "mlp-wide", "--epochs", 5)
    done = pellucid("train", "table.csv", *options, "--out", "out")
    assert done.code == 0, done.err
    result = json.loads(pellucid("evaluate", "out", "table.csv", "--json").out)
    assert (result["n_samples"], result["leaks"]) == (10, []), "those that were held out, as in the training"
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert result["accuracy"] == metrics["test"]["accuracy"]
    (tmp_path / "new.csv").write_text("\n".join(["x,y", *rows[:7]]).replace("0.", "1."))
    result = json.loads(pellucid("evaluate", "out", "new.csv", "--json").out)
    assert (result["n_samples"], result["leaks"]) == (7, [])
    assert any("trained on another table: all 7 rows" in note for note in result["notes"])


@pytest.mark.slow
def test_quantities_and_labels(pellucid: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=60)
    rows = [f"{a:.4f},{2 * a + rng.normal() / 3:.4f},{int(a > 0)},{int(a > 1)}" for a in x]
    (tmp_path / "table.csv").write_text("\n".join(["x,size,big,huge", *rows]))
    options = ["--model", "mlp-wide", "--epochs", 60]
    assert pellucid("train", "table.csv", "--target", "size", *options, "--out", "size").code == 0
    done = pellucid("evaluate", "size", "table.csv", "-o", "figures")
    assert "Mean absolute error" in done.out
    assert (tmp_path / "figures" / "predicted.png").is_file()
    result = json.loads(pellucid("evaluate", "size", "table.csv", "--json").out)
    interval = result["estimates"]["r_squared"]
    assert interval["low"] < result["r_squared"] < interval["high"]
    assert pellucid("train", "table.csv", "--target", "big,huge", *options, "--out", "labels").code == 0
    done = pellucid("evaluate", "labels", "table.csv", "-o", "more")
    assert "Exact match" in done.out
    assert "huge" in done.out
    assert (tmp_path / "more" / "roc.png").is_file()


def test_images_of_a_folder_are_brought_to_the_models_size(
    pellucid: Command, trained: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    for label, base in (("bright", 130), ("dark", 0)):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(5):
            image = Image.fromarray(rng.integers(base, base + 120, (9 + i, 8, 3), dtype=np.uint8))
            image.save(tmp_path / "pets" / label / f"{i}.png")
    result = json.loads(pellucid("evaluate", trained, "pets", "--json").out)
    assert result["n_samples"] == 2
    assert result["classes"] == ["dark", "bright"]  # the model's order, not the folder's
    assert result["accuracy"] == 1


def test_a_part_of_one_class_has_undefined_scores(pellucid: Command, trained: Path, photos: Path) -> None:
    with np.load(photos) as file:
        X, y, classes = file["X"], file["y"], file["classes"]
    np.savez("one.npz", X_train=X, y_train=y, X_test=X[y == 1], y_test=y[y == 1], classes=classes)
    done = pellucid("evaluate", trained, "one.npz")
    assert done.code == 0, done.err
    assert "Undefined (–): " in done.out
    assert "every sample is 'bright'" in done.out
    result = json.loads(pellucid("evaluate", trained, "one.npz", "--json").out)
    assert (result["roc_auc"], len(result["leaks"]), result["without_leaks"]) == (None, 20, None)


def test_figures_go_into_a_folder_in_use_by_force(pellucid: Command, trained: Path, photos: Path) -> None:
    done = pellucid("evaluate", trained, photos, "-o", trained, "--overwrite", "--quiet")
    assert done.code == 0, done.err
    assert done.out.startswith("Test accuracy 75 %")
    assert (trained / "model.safetensors").is_file()
    assert (trained / "roc.png").is_file()


def test_train_metrics_and_evaluate_agree(pellucid: Command, trained: Path, photos: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())["test"]
    result = json.loads(pellucid("evaluate", trained, photos, "--json").out)
    names = ("n_samples", "n_correct", "accuracy", "balanced_accuracy", "baseline", "confusion", "classes")
    for name in names:
        assert result[name] == metrics[name], name
    data = pl.load_data(photos)
    scores = pl.evaluate(pl.load(trained), Dataset(data.test.X, data.test.y, data.classes), data.train)
    ours = json.loads(json.dumps(scores.to_dict()))
    theirs = {name: result[name] for name in ours}  # notes are of the data's reading, advice names commands
    assert ours == {**theirs, "notes": [], "advice": ours["advice"]}


def test_the_data_default_to_its_own(pellucid: Command, trained: Path, photos: Path, tmp_path: Path) -> None:
    named = json.loads(pellucid("evaluate", trained, photos, "--json").out)
    assert json.loads(pellucid("evaluate", trained, "--json").out) == named
    model = trained / "model.safetensors"
    assert json.loads(pellucid("evaluate", model, "--json").out) == named, "by the folder that it lies in"
    assert_refused(pellucid("evaluate", trained, "--image-size", "8x8"), "--image-size", "Name them too")
    done = pellucid("robustness", trained, "--perturbations", "mirror", "--json")
    assert done.code == 0, done.err
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "model.safetensors").write_bytes(model.read_bytes())
    for command in ("evaluate", "robustness"):
        alone = pellucid(command, tmp_path / "alone" / "model.safetensors")
        assert_refused(alone, "does not say where its data are", "behind the model")


def test_a_score_like_the_baselines_is_followed_by_what_to_try(pellucid: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    X = rng.integers(0, 255, (60, 6, 6, 3), dtype=np.uint8)
    np.savez("noise.npz", X=X, y=np.arange(60) % 3 == 0)
    done = pellucid("train", "noise.npz", "--model", "mlp", "--epochs", 30, "--out", "out")
    assert done.code == 0, done.err
    assert "What to try next:" in done.out
    before = [line.strip() for line in done.out.splitlines() if line.startswith("    pellucid ")]
    result = json.loads(pellucid("evaluate", "out", "--json").out)
    assert [one["command"] for one in result["advice"]] == before, "of a run, what its training said"
    assert pellucid("evaluate", "out").out.count("    pellucid ") == len(before)
    assert "Not shown to be better than the baseline, always 'False'." in done.out
    data = pl.load_data("noise.npz")
    scores = pl.evaluate(pl.load("out"), data.test)
    assert "Not shown to be better" in scores.advice[0].finding
    assert scores.advice[0].command == 'pl.train(pl.preset("mlp-small"), data)'
    assert scores.advice[0].command in str(scores)
