"""`pellucid evaluate`: scores with intervals, leaks, figures, and what bad input gets."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command, assert_refused

import pellucid as pl
from pellucid.data.dataset import Dataset


def test_words_json_metrics_of_the_run_and_python_agree(
    pellucid: Command, trained: Path, photos: Path
) -> None:
    said = "Too few test samples to tell: 4 of 8 are not 'dark', "
    score = " Test accuracy 75 % (6/8, 95 % interval 41 to 93 %)."
    done = pellucid.ok("evaluate trained photos.npz")
    assert done.out.startswith(said)
    assert score in done.out
    result = pellucid.json("evaluate trained photos.npz")
    assert 0 < result["estimates"]["roc_auc"]["low"] < result["roc_auc"]
    assert set(result["per_class"]["bright"]["roc"]) >= {"false_positive_rate", "true_positive_rate"}
    assert (result["leaks"], result["without_leaks"]) == ([], None)
    metrics = json.loads((trained / "metrics.json").read_text())["test"]
    names = ["n_samples", "n_correct", "accuracy", "balanced_accuracy", "baseline", "confusion", "classes"]
    assert [result[name] for name in names] == [metrics[name] for name in names]
    data = pl.load_data(photos)
    scores = pl.evaluate(pl.load(trained), Dataset(data.test.X, data.test.y, data.classes), data.train)
    ours = json.loads(json.dumps(scores.to_dict()))
    theirs = {name: result[name] for name in ours}  # notes are of the data's reading, advice names commands
    assert ours == {**theirs, "notes": [], "advice": ours["advice"]}
    done = pellucid.ok("evaluate trained photos.npz -o trained --overwrite --quiet")
    assert done.out.startswith(said)
    assert (trained / "model.safetensors").is_file()
    assert (trained / "roc.png").is_file()


def test_the_data_default_to_its_own(pellucid: Command, trained: Path, photos: Path) -> None:
    named = pellucid.json("evaluate trained", photos)
    assert pellucid.json("evaluate trained") == named
    assert pellucid.json("evaluate trained/model.safetensors") == named, "by the folder that it lies in"
    assert_refused(pellucid("evaluate trained --image-size 8x8"), "--image-size", "Name them too")
    pellucid.json("robustness trained --perturbations mirror")
    Path("alone.safetensors").write_bytes((trained / "model.safetensors").read_bytes())
    for command in ("evaluate", "robustness"):
        alone = pellucid(command, "alone.safetensors")
        assert_refused(alone, "does not say where its data are", "behind the model")


def test_the_held_out_part_is_that_of_the_training(pellucid: Command, photos: Path) -> None:
    pellucid.ok("train photos.npz --out out --seed 5 --epochs 3 --quiet")
    result = pellucid.json("evaluate out photos.npz")
    assert result["leaks"] == []
    assert any("seed 5" in note for note in result["notes"])
    assert not any("other data" in note for note in result["notes"])
    with np.load(photos) as file:
        np.savez("other.npz", X=file["X"][::-1], y=file["y"][::-1], classes=file["classes"])
    notes = pellucid.json("evaluate out other.npz")["notes"]
    assert any("trained on other data" in note for note in notes)


def test_of_its_own_table_a_model_is_judged_by_the_rows_held_out(pellucid: Command) -> None:
    rng = np.random.default_rng(3)
    rows = [f"{x:.5f},{'up' if x + rng.normal() > 0 else 'down'}" for x in rng.normal(size=50)]
    Path("table.csv").write_text("\n".join(["x,y", *rows]))
    pellucid.ok("train table.csv --target y --model mlp-wide --epochs 5 --out out")
    result = pellucid.json("evaluate out table.csv")
    assert (result["n_samples"], result["leaks"]) == (10, []), "those that were held out, as in the training"
    assert result["accuracy"] == json.loads(Path("out/metrics.json").read_text())["test"]["accuracy"]
    Path("new.csv").write_text("\n".join(["x,y", *rows[:7]]).replace("0.", "1."))
    result = pellucid.json("evaluate out new.csv")
    assert (result["n_samples"], result["leaks"]) == (7, [])
    assert any("trained on another table: all 7 rows" in note for note in result["notes"])


@pytest.mark.slow
def test_quantities_and_labels(pellucid: Command) -> None:
    rng = np.random.default_rng(4)
    rows = [f"{a},{2 * a + rng.normal() / 3},{int(a > 0)},{int(a > 1)}" for a in rng.normal(size=60)]
    Path("table.csv").write_text("\n".join(["x,size,big,huge", *rows]))
    for target, words, figure in (
        ("size", "Mean absolute error", "predicted"),
        ("big,huge", "Exact match", "roc"),
    ):
        pellucid.ok(f"train table.csv --target {target} --model mlp-wide --epochs 60 --out out --overwrite")
        assert words in pellucid.ok("evaluate out table.csv -o figures --overwrite").out
        assert Path(f"figures/{figure}.png").is_file()
        result = pellucid.json("evaluate out table.csv")
        if target == "size":
            interval = result["estimates"]["r_squared"]
            assert interval["low"] < result["r_squared"] < interval["high"]
    predicted = pellucid.json("predict out table.csv")["predictions"]
    assert {label for row in predicted for label in row["labels"]} == {"big", "huge"}


def test_a_score_like_the_baselines_is_followed_by_what_to_try(pellucid: Command) -> None:
    X = np.random.default_rng(5).integers(0, 255, (60, 6, 6, 3), dtype=np.uint8)
    np.savez("noise.npz", X=X, y=np.arange(60) % 3 == 0)
    done = pellucid.ok("train noise.npz --model mlp --epochs 30 --out out")
    assert "What to try next:" in done.out
    before = [line.strip() for line in done.out.splitlines() if line.startswith("    pellucid ")]
    advice = pellucid.json("evaluate out")["advice"]
    assert [one["command"] for one in advice] == before, "of a run, what its training said"
    done = pellucid.ok("evaluate out")
    assert done.out.count("    pellucid ") == len(before)
    assert "30 epochs, where 2,500 are usual." in done.out
    scores = pl.evaluate("out", pl.load_data("noise.npz").test)
    assert "Not shown to be better" in scores.advice[0].finding
    assert scores.advice[0].command == 'pl.train(pl.preset("mlp-small"), data)'
    assert scores.advice[0].command in str(scores)


def test_a_damaged_file_of_scores_stops_nothing(pellucid: Command, trained: Path, photos: Path) -> None:
    path = trained / "metrics.json"
    path.write_text(path.read_text().replace('"accuracy"', '"0accuracy"'))
    assert "accuracy" in pellucid.ok("evaluate", trained, photos).out
