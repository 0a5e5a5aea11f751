"""`pellucid influence`: why a run made its predictions, on small data of each kind."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.commands import Command, assert_refused

import pellucid as pl
from pellucid.evaluation.influence.find_influence import agreement
from pellucid.evaluation.influence.run_trace import retrain, training_weights
from pellucid.evaluation.influence.tracin import Influence
from pellucid.runs.run import read_run
from pellucid.workflows.influence import influence

QUICK_SECONDS = "pellucid.evaluation.influence.find_influence.QUICK_SECONDS"


@pytest.fixture
def trained(trained_once: Path) -> Path:
    """A run folder; tests do not write there."""
    return trained_once


def test_the_most_confident_mistakes_come_first(pellucid: Command, hard: Path) -> None:
    pellucid.ok("train hard.npz --model logistic --epochs 60 --out out --quiet")
    explained = pellucid.json("influence out --no-retrain")["explanations"]
    sure = [one["probability"] for one in explained]
    assert sure == sorted(sure, reverse=True)
    assert len(set(sure)) > 1
    done = pellucid.ok("influence out --no-retrain --quiet")
    found = [int(line.split(":")[0].split()[-1]) for line in done.out.splitlines()]
    assert found == [one["index"] for one in explained]
    words = " ".join(pellucid.ok("influence out --no-retrain").out.split())
    assert "Nothing was trained again: that was asked. The influence is traced over" in words


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
    pellucid.ok(f"train photos.npz {begun} --out out --quiet")
    pellucid.ok(f"train photos.npz --resume --schedule constant {more} --out out --quiet")
    result = influence("out", [0], top=1, n_draws=0, retrain=True)
    assert result.is_retrained
    assert not [note for note in result.notes if "other scores" in note]
    steps = list(result.influence.steps)
    assert steps == sorted(set(steps))
    n_first = int(begun.split()[3]) * (4 if "adam" in begun else 1)  # steps of the first stage
    assert {0, n_first} < set(steps)
    assert result.explanations[0].without is not None


def test_checkpoints_of_the_dual_form_are_told_and_left_out(pellucid: Command, photos: Path) -> None:
    pellucid.ok(
        "train photos.npz --model mlp --epochs 50 --form dual --checkpoint-steps 20 --out out --quiet"
    )
    done = pellucid.ok("influence out --samples 0 --no-retrain")
    assert "(checkpoints of the dual form hold no weights" in " ".join(done.out.split())


def test_leave_one_out_is_exact_and_compared_with_the_estimates(pellucid: Command, trained: Path) -> None:
    result = pellucid.json("influence", trained, "--samples", "1", "--method", "leave-one-out")
    assert result["n_trainings"] >= 32
    assert set(result["agreement"]) == {"tracin", "tracin-plain"}
    one = result["explanations"][0]
    sample = one["towards"][0]
    assert sample["score"] == pytest.approx(one["log_odds"] - sample["without"]["log_odds"], abs=1e-9)
    run, model = read_run(trained), pl.preset("mlp")
    rows = np.delete(np.arange(32), sample["row"])
    pl.train(model, run.split.train.take(rows), n_epochs=200, form="direct")
    odds = model.decision_function(run.split.test.X[[1]]).item() * (-1, 1)[one["predicted"] == "bright"]
    assert sample["without"]["log_odds"] == pytest.approx(odds, abs=1e-9)


@pytest.mark.slow
def test_processes_change_no_bit(trained: Path) -> None:
    one, two = (influence(trained, [0], n_draws=9, n_jobs=n) for n in (1, 2))
    assert (one.explanations, one.n_trainings) == (two.explanations, two.n_trainings)


def test_plain_tracin_ranks_by_its_own_score(trained: Path) -> None:
    found = influence(trained, [0], method="tracin-plain", n_draws=0)
    assert all(one.score == found.influence.tracin[one.row, 0] for one in found.explanations[0].towards)


@pytest.mark.slow
def test_a_table_is_explained_without_pictures(pellucid: Command) -> None:
    rng = np.random.default_rng(4)
    kinds, noise = rng.integers(0, 3, 60), rng.normal(0, 2, 60)
    lines = [f"{(4, 20, 1)[k] + w:.3f},{('cat', 'dog', 'owl')[k]}" for w, k in zip(noise, kinds, strict=True)]
    Path("pets.csv").write_text("\n".join(["weight,kind", *lines]))
    pellucid.ok("train pets.csv --target kind --model mlp-wide --epochs 10 --out pets")
    done = pellucid.ok("influence pets --samples 0 -o why --retrain")
    for words in ("Test row 0: ", "training without", "most influential", "at random, 19 times"):
        assert words in done.out
    assert [path.name for path in Path("why").iterdir()] == ["influence.json"]


def test_costly_training_is_traced(pellucid: Command, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QUICK_SECONDS, 0.0)
    result = pellucid.json("influence", trained, "--samples", "0")
    assert (result["is_retrained"], result["n_trainings"]) == (False, 0)
    assert result["explanations"][0]["without"] is None
    assert "the trained model alone" in result["notes"][-1]
    refused = pellucid("influence", trained, "--method", "leave-one-out")
    assert_refused(refused, "it would train 32 times", "--retrain")
    result = pellucid.json("influence", trained, "--samples", "0,2", "--retrain", "--top", 3, "-o", "why")
    assert result["is_retrained"]
    one, other = result["explanations"]
    assert (one["index"], other["index"], len(one["by_chance"])) == (0, 2, 19)
    kinds = ["none", *["sample"] * 6, "most influential", "random"]
    assert [row["kind"] for row in one["rows"]] == kinds
    assert result["files"] == ["why/influence-0.png", "why/influence-2.png", "why/influence.json"]
    assert json.loads(Path(result["files"][-1]).read_text()) == result
    assert {str(path) for path in Path("why").iterdir()} == {*result["files"]}


def test_checkpoints_are_followed(pellucid: Command, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QUICK_SECONDS, 0.0)
    layers = ('"Conv2D"\nfilters = 4', '"BatchNorm"', '"GlobalAvgPool2D"', '"Dense"\nunits = 1')
    Path("net.toml").write_text("\n".join(f"[[layers]]\ntype = {layer}" for layer in layers))
    options = "--model net.toml --epochs 3 --batch-size 8 --checkpoint-steps 4 --quiet --out net"
    pellucid.ok(f"train photos.npz {options}")
    result = pellucid.json("influence net --samples 0")
    assert result["snapshots"] == [4, 8, 12]  # the last is of the trained model
    assert "2 checkpoints and the trained model" in result["notes"][-1]
    assert result["gradients"] == "all"


@pytest.mark.slow
def test_samples_held_out_do_not_speak(pellucid: Command, photos: Path) -> None:
    """And leaving one out holds out the same: a fraction of one sample fewer would draw others."""
    pellucid.ok("train photos.npz --model mlp --validation 0.25 --epochs 50 --out watched --quiet")
    run = read_run(Path("watched"))
    weights = training_weights(run)
    assert weights is not None
    held = np.flatnonzero(weights == 0)
    assert len(held) == 8
    outcome = influence(run, [0], n_draws=9)
    np.testing.assert_array_equal(outcome.influence.tracin.any(axis=1), weights > 0)
    query, row, model = run.split.test.take(np.array([0])), int(np.flatnonzero(weights)[0]), pl.preset("mlp")
    again = retrain(run, query).retraining
    assert again is not None
    rows = np.delete(np.arange(32), [row, *held])
    pl.train(model, run.split.train.take(rows), n_epochs=50, form="direct")
    assert again.without((row,)).item() == pytest.approx(model.decision_function(query.X).item(), abs=1e-5)
    assert again.without((int(held[0]),)) == pytest.approx(again.without(), abs=1e-9)


def test_another_arithmetic_is_told(trained: Path) -> None:
    result = read_run(trained)
    result.model.theta += 0.01
    outcome = influence(result, [0], n_draws=9)
    assert any("gave other scores" in note for note in outcome.notes)
    assert outcome.n_trainings == 1 + 1 + 9  # in full, without the first ranked and draws


def test_agreement_is_spearmans(rng: np.random.Generator) -> None:
    from scipy.stats import spearmanr

    A, B, changes = rng.normal(size=(3, 12, 2)).round(1)
    found = agreement(Influence(A, B, np.zeros(2), (0,), "all"), changes)
    expected = [np.mean([spearmanr(S[:, j], changes[:, j])[0] for j in range(2)]) for S in (A, B)]
    np.testing.assert_allclose([found["tracin-plain"], found["tracin"]], expected, atol=1e-12)


def test_label_smoothing_is_read_from_the_model(pellucid: Command, photos: Path) -> None:
    pellucid.ok("train photos.npz --out run --epochs 300 --label-smoothing 0.1 --quiet")
    found = influence("run", [0], retrain=False)
    assert any("label smoothing" in note and "target of 0.95" in note for note in found.notes)
