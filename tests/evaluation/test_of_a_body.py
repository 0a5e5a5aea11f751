"""What is found out about a run with a pretrained body: its features serve influence and the map of photos."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tests.every import every

import pellucid as pl
from pellucid.data.novelty import of_length_one
from pellucid.estimators import ImageClassifier
from pellucid.evaluation.explain.neighbours import nearest_by_features
from pellucid.evaluation.explain.photo_map import photo_map
from pellucid.evaluation.influence.run_trace import decay_of, features_of_body, model_after_body
from pellucid.nn.pretrained import features
from pellucid.nn.pretrained.feature_memory import MEMORY
from pellucid.runs.run import Run, read_run


def a_body(folder: Path, seed: int) -> Path:
    """A small body, as it is learned from some drawn cats."""
    convolved = pl.Conv2D(32, stride=4, activation="relu"), pl.GlobalAvgPool2D()
    body = pl.Sequential([*convolved, pl.Dense(16, "tanh"), pl.Dense(1)])
    pl.train(body, "drawn-cats", n_epochs=20, learning_rate=0.02, seed=seed, progress=False)
    body.save(folder / f"body-{seed}.safetensors")
    return folder / f"body-{seed}.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on drawn cats with a small body of its own."""
    here = tmp_path_factory.mktemp("of a body")
    options = {"body": a_body(here, 1), "progress": False, "say": lambda line: None}
    pl.run("pretrained", "drawn-cats", out=here / "run", seed=2, **options)
    return here / "run"


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return read_run(folder)


def test_the_decay_that_was_chosen_is_kept(run: Run) -> None:
    assert 1e-6 <= decay_of(run) <= 4
    assert f"weight decay {decay_of(run):.3g}, chosen on held-out folds" in run.history.note


@pytest.mark.slow
def test_leaving_one_out_trains_the_last_layer_alone(run: Run, folder: Path) -> None:
    found = pl.influence(folder, method="leave-one-out", samples=[0, 5], top=3)
    assert found.n_trainings > len(run.split.train)
    assert found.agreement is not None
    assert found.agreement["linear"] > 0.9
    assert not found.notes
    row = found.explanations[0].towards[0].row
    X = features_of_body(run.model, run.split.train.X)
    head, keep = model_after_body(run.model, 2), np.delete(np.arange(len(X)), row)
    options = {"optimizer": "lbfgs", "weight_decay": decay_of(run), "n_epochs": 1000}
    pl.train(head, (X[keep], run.split.train.y[keep]), **options)
    z = head.decision_function(features_of_body(run.model, run.split.test.X[:1]))[0]
    before = run.model.decision_function(run.split.test.X[:1])[0]
    fall = abs(before) - np.sign(before) * z
    assert fall == pytest.approx(found.explanations[0].towards[0].score, abs=1e-2)


def test_the_map_shows_the_features_largest_variance(run: Run) -> None:
    is_wrong = ~run.test_predictions.is_correct
    found = photo_map(run.model, run.split, is_wrong, [("train", 3), ("test", 1)])
    F = of_length_one(features_of_body(run.model, np.concatenate([run.split.train.X, run.split.test.X])))
    centred = F - F.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    assert np.abs(found.points) == pytest.approx(np.abs(centred @ vectors[:, [-1, -2]]), abs=1e-4)
    assert found.explained == pytest.approx(values[-2:].sum() / values.sum(), rel=1e-4)
    rows = found.to_rows()
    marks = {(row["part"], row["index"]): row["mark"] for row in rows}
    assert marks["train", 3] == "doubtful label"
    assert sum(mark == "mistake" for mark in marks.values()) == is_wrong.sum()
    assert len(found.plot().axes) == 1


def test_scikit_learn_gets_the_features(run: Run, folder: Path) -> None:
    X, y = run.split.train.X[:40], run.split.train.y[:40]
    fitted = ImageClassifier("pretrained", body=folder.parent / "body-1.safetensors").fit(X, y)
    features = features_of_body(run.model, X)
    np.testing.assert_allclose(fitted.transform(X), features, rtol=1e-5)
    assert fitted.get_feature_names_out().shape == (features.shape[1],)
    found = make_pipeline(clone(fitted), LogisticRegression()).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(
        found, LogisticRegression().fit(features, y).predict_proba(features), atol=1e-3
    )


def predicted(run: Run) -> Any:
    return run.model.predict_proba(run.split.test.X[:40])


def evaluated(run: Run) -> Any:
    return pl.evaluate(run.model, run.split.test.take(slice(40))).predictions.probabilities


def near(run: Run) -> Any:
    return nearest_by_features(run.model, run.split.train.X[:100], run.split.test.X[:5])[1]


def mapped(run: Run) -> Any:
    return photo_map(run.model, run.split, ~run.test_predictions.is_correct, []).explained


def of_influence(run: Run) -> Any:
    return features_of_body(run.model, run.split.train.X[:50])


def changed(run: Run) -> Any:
    few = run.split.test.take(slice(20))
    found = pl.robustness(run.model, few, perturbations=["rotation"], progress=False)
    return [row["n_correct"] for row in found.to_rows()]


def fitted(run: Run) -> Any:
    """The body's features, as a pipeline of scikit-learn has them."""
    few = run.split.train.take(slice(60))
    found = ImageClassifier("pretrained", body=Path(run.folder).parent / "body-1.safetensors").fit(
        few.X, few.y
    )
    return found.transform(few.X)


def trained(run: Run) -> Any:
    """A head of its own on a copy's body: a training, then a prediction."""
    few = run.split.train.take(slice(60))
    body = Path(run.folder).parent / "body-1.safetensors"
    return pl.train(pl.preset("pretrained", body=body), few, progress=False).model.predict_proba(few.X)


CALLERS = predicted, evaluated, near, mapped, of_influence, changed, fitted, trained


@every("call", CALLERS, ids=lambda one: one.__name__)
def test_remembered_features_are_those_that_are_computed(call: Callable[[Run], Any], run: Run) -> None:
    """Those of another body, which saw the same photos before, are nobody's business here."""
    other = pl.train(
        pl.preset("pretrained", body=a_body(Path(run.folder).parent, 2)), run.split, progress=False
    )
    other.model.predict_proba(run.split.test.X)
    remembered = call(run), call(run)
    MEMORY.clear()
    computed = call(run)
    for found in remembered:
        np.testing.assert_allclose(found, computed, rtol=1e-4, atol=1e-6)


def test_a_command_computes_each_photo_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training, scores, novelty, the map and the near photos of its report ask for the same ones."""
    seen: list[bytes] = []
    remember = features.remembered_features

    def counting(compute: Callable[[Any], Any], X: Any, body: bytes, **options: Any) -> Any:
        def counted(photos: Any) -> Any:
            seen.extend(photo.tobytes() for photo in photos)
            return compute(photos)

        return remember(counted, X, body, **options)

    MEMORY.clear()
    monkeypatch.setattr(features, "remembered_features", counting)
    options = {"body": folder.parent / "body-1.safetensors", "progress": False, "say": lambda line: None}
    pl.run("pretrained", "drawn-cats", out=tmp_path / "run", seed=2, **options)
    split = pl.load_data("drawn-cats")
    assert len(seen) >= len(split.train) + len(split.test)
    assert len(seen) == len(set(seen))
