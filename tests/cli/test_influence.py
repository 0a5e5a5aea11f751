"""`pellucid influence`: why a run made its predictions, on small data of each kind."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command

import pellucid as pl
from pellucid.cli.main import main
from pellucid.evaluation.influence.explain import QUICK
from pellucid.evaluation.influence.find_influence import agreement
from pellucid.evaluation.influence.retrain_runs import retrain, training_weights
from pellucid.evaluation.influence.tracin import Influence
from pellucid.runs.record import read_run
from pellucid.workflows.influence import influence


@pytest.fixture
def trained(trained_once: Path) -> Path:
    """A run folder; tests do not write there."""
    return trained_once


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(4)
    kinds, path = rng.integers(0, 3, 60), tmp_path / "pets.csv"
    weights = np.array([4.0, 20.0, 1.0])[kinds] + rng.normal(0, 2, 60)
    lines = [f"{w:.3f},{w * w:.2f},{('cat', 'dog', 'owl')[k]}" for w, k in zip(weights, kinds, strict=True)]
    path.write_text("\n".join(["weight,square,kind", *lines]))
    return path


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, float):
        yield value


@pytest.mark.slow
def test_a_prediction_is_explained(pellucid: Command, trained: Path, tmp_path: Path) -> None:
    done = pellucid("influence", trained, "--samples", "0,2", "--top", 3, "--json", "-o", tmp_path / "why")
    assert done.code == 0, done.err
    assert done.err == ""
    result = json.loads(done.out)
    assert all(math.isfinite(number) for number in _numbers(result))
    assert [one["index"] for one in result["explanations"]] == [0, 2]
    assert result["method"] == "tracin"
    assert result["is_retrained"]
    assert result["n_trainings"] > 10
    one = result["explanations"][0]
    assert len(one["towards"]) == len(one["against"]) == 3
    assert one["towards"][0]["score"] > 0
    assert one["without"]["label"]
    assert len(one["by_chance"]) == 19
    assert one["headline"].startswith("Test photo 0: ")
    assert [row["kind"] for row in one["rows"]] == ["none", *["sample"] * 6, "most influential", "random"]
    files = sorted(path.name for path in (tmp_path / "why").iterdir())
    assert files == ["influence-0.png", "influence-2.png", "influence.json"]
    assert json.loads((tmp_path / "why" / "influence.json").read_text()) == result
    assert sorted(Path(name).name for name in result["files"]) == files


def test_the_most_confident_mistakes_come_first(pellucid: Command, hard: Path) -> None:
    assert pellucid("train", hard, "--model", "logistic", "--out", "out", "--epochs", 60, "--quiet").code == 0
    done = pellucid("influence", "out", "--no-retrain", "--json")
    assert done.code == 0, done.err
    sure = [one["probability"] for one in json.loads(done.out)["explanations"]]
    assert sure == sorted(sure, reverse=True)
    assert len(set(sure)) > 1


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (
            "--model mlp --epochs 3 --learning-rate 0.002 --batch-size 8 --optimizer adam",
            "--epochs 5 --learning-rate 0.0005",
        ),
        ("--model mlp --epochs 60 --form dual", "--epochs 90 --learning-rate 0.002"),
    ],
)
def test_a_training_in_stages_is_run_again(pellucid: Command, photos: Path, begun: str, more: str) -> None:
    """Its rates changed where it went on; run again, it ends at the very same scores, or the notes would say so."""
    assert pellucid("train", photos, *begun.split(), "--out", "out", "--quiet").code == 0
    going_on = ("--resume", "--schedule", "constant", *more.split())
    assert pellucid("train", photos, *going_on, "--out", "out", "--quiet").code == 0
    result = influence(Path("out"), [0], top=1, n_draws=0, retrain=True)
    assert result.is_retrained
    assert not [note for note in result.notes if "other scores" in note]
    steps = list(result.influence.steps)
    assert steps == sorted(set(steps))
    n_first = int(begun.split()[3]) * (4 if "adam" in begun else 1)  # steps of the first stage
    assert {0, n_first} < set(steps)
    assert result.explanations[0].without is not None


def test_checkpoints_of_the_dual_form_are_told_and_left_out(pellucid: Command, photos: Path) -> None:
    dual = ("--model", "mlp", "--epochs", 50, "--form", "dual", "--checkpoint-steps", 20)
    assert pellucid("train", photos, *dual, "--out", "out", "--quiet").code == 0
    done = pellucid("influence", "out", "--samples", 0, "--no-retrain")
    assert done.code == 0, done.err
    assert "(checkpoints of the dual form hold no weights" in " ".join(done.out.split())


def test_leave_one_out_is_exact_and_compared_with_the_estimates(pellucid: Command, trained: Path) -> None:
    done = pellucid("influence", trained, "--samples", "1", "--method", "leave-one-out", "--json")
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert result["n_trainings"] >= 32
    one = result["explanations"][0]
    assert set(result["agreement"]) == {"tracin", "tracin-plain"}
    sample = one["towards"][0]
    assert sample["score"] == pytest.approx(one["log_odds"] - sample["without"]["log_odds"], abs=1e-9)
    run = read_run(trained)
    model = pl.preset("mlp")
    rows = np.delete(np.arange(32), sample["row"])
    pl.train(model, run.split.train.take(rows), n_epochs=200, form="direct")
    odds = float(model.decision_function(run.split.test.X[[1]])[0]) * (
        1 if one["predicted"] == "bright" else -1
    )
    assert sample["without"]["log_odds"] == pytest.approx(odds, abs=1e-9)


@pytest.mark.slow
def test_processes_change_no_bit(trained: Path) -> None:
    one = influence(trained, [0], n_draws=QUICK, n_jobs=1)
    two = influence(trained, [0], n_draws=QUICK, n_jobs=2)
    assert one.explanations == two.explanations
    assert one.n_trainings == two.n_trainings


def test_plain_tracin_ranks_by_its_own_score(trained: Path) -> None:
    found = influence(trained, [0], method="tracin-plain", n_draws=0)
    assert all(one.score == found.influence.tracin[one.row, 0] for one in found.explanations[0].towards)


@pytest.mark.slow
def test_a_table_is_explained_without_pictures(pellucid: Command, table: Path, tmp_path: Path) -> None:
    options = ["--target", "kind", "--model", "mlp-wide", "--epochs", 10, "--out", "pets"]
    assert pellucid("train", table, *options).code == 0
    done = pellucid("influence", "pets", "--samples", "0", "-o", "why", "--retrain")
    assert done.code == 0, done.err
    assert "Test row 0: " in done.out
    for words in ("training without", "most influential", "at random, 19 times"):
        assert words in done.out
    assert [path.name for path in (tmp_path / "why").iterdir()] == ["influence.json"]


def test_costly_training_is_traced(pellucid: Command, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.evaluation.influence.find_influence.QUICK_SECONDS", 0.0)
    done = pellucid("influence", trained, "--samples", "0", "--json")
    result = json.loads(done.out)
    assert not result["is_retrained"]
    assert result["n_trainings"] == 0
    assert result["explanations"][0]["without"] is None
    assert "the trained model alone" in result["notes"][-1]
    done = pellucid("influence", trained, "--method", "leave-one-out")
    assert done.code == 2
    assert "it would train 32 times" in done.err
    assert "--retrain" in done.err
    done = pellucid("influence", trained, "--samples", "0", "--retrain", "--json")
    assert json.loads(done.out)["is_retrained"]


def test_checkpoints_are_followed(pellucid: Command, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.evaluation.influence.find_influence.QUICK_SECONDS", 0.0)
    layers = ('"Conv2D"\nfilters = 4', '"BatchNorm"', '"GlobalAvgPool2D"', '"Dense"\nunits = 1')
    Path("net.toml").write_text("\n".join(f"[[layers]]\ntype = {layer}" for layer in layers))
    options = ["--model", "net.toml", "--epochs", 3, "--batch-size", 8, "--checkpoint-steps", 4]
    made = pellucid("train", photos, *options, "--quiet", "--out", "net")
    assert made.code == 0, made.err
    result = json.loads(pellucid("influence", "net", "--samples", "0", "--json").out)
    assert result["snapshots"] == [4, 8, 12]  # the last is of the trained model
    assert "2 checkpoints and the trained model" in result["notes"][-1]
    assert result["gradients"] == "all"


@pytest.mark.slow
def test_samples_held_out_do_not_speak(pellucid: Command, photos: Path) -> None:
    options = ["--validation", 0.25, "--class-weight", "balanced", "--epochs", 50]
    assert pellucid("train", photos, *options, "--out", "watched", "--quiet").code == 0
    result = read_run(Path("watched"))
    weights = training_weights(result)
    assert weights is not None
    assert (weights == 0).sum() == 8
    outcome = influence(result, [0], n_draws=QUICK)
    np.testing.assert_array_equal(outcome.influence.tracin.any(axis=1), weights > 0)


def test_leaving_one_out_holds_out_the_same_samples(pellucid: Command, photos: Path) -> None:
    """A fraction of one sample fewer would draw others."""
    options = ("--model", "mlp", "--validation", 0.25, "--epochs", 50)
    assert pellucid("train", photos, *options, "--out", "watched", "--quiet").code == 0
    run = read_run(Path("watched"))
    weights = training_weights(run)
    assert weights is not None
    train, query, held = run.split.train, run.split.test.take(np.array([0])), np.flatnonzero(weights == 0)
    again = retrain(run, query).retraining
    assert again is not None
    row = int(np.flatnonzero(weights)[0])
    model = pl.preset("mlp")
    pl.train(model, train.take(np.delete(np.arange(32), [row, *held])), n_epochs=50, form="direct")
    assert again.without((row,)).item() == pytest.approx(model.decision_function(query.X).item(), abs=1e-5)
    assert again.without((int(held[0]),)) == pytest.approx(again.without(), abs=1e-9)


def test_another_arithmetic_is_told(trained: Path) -> None:
    result = read_run(trained)
    result.model.theta += 0.01
    outcome = influence(result, [0], n_draws=QUICK)
    assert any("gave other scores" in note for note in outcome.notes)
    assert (
        outcome.n_trainings == 2 + 1 + QUICK
    )  # in the span and in full, without the first ranked, without draws


def test_agreement_is_spearmans(rng: np.random.Generator) -> None:
    from scipy.stats import spearmanr

    A, B, changes = rng.normal(size=(3, 12, 2)).round(1)
    found = agreement(Influence(A, B, np.zeros(2), (0,), "all"), changes)
    expected = [np.mean([spearmanr(S[:, j], changes[:, j])[0] for j in range(2)]) for S in (A, B)]
    np.testing.assert_allclose([found["tracin-plain"], found["tracin"]], expected, atol=1e-12)


def test_quiet_prints_a_line_for_each_prediction(pellucid: Command, trained: Path) -> None:
    done = pellucid("influence", trained, "--samples", "0,1", "--no-retrain", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert [line.split(":")[0].split()[-1] for line in done.out.splitlines()] == ["0", "1"]


def test_label_smoothing_is_read_from_the_model(photos: Path, tmp_path: Path) -> None:
    options = ["--epochs", "300", "--label-smoothing", "0.1", "--quiet"]
    assert main(["train", str(photos), "--out", str(tmp_path / "run"), *options]) == 0
    found = influence(tmp_path / "run", [0], retrain=False)
    assert any("label smoothing" in note and "target of 0.95" in note for note in found.notes)
