"""Networks whose mean predicts: trained one after another, gone on with exactly, stopped, exchanged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.commands import Command, assert_refused
from tests.every import every

import pellucid as pl
from pellucid.estimators import NetworkClassifier, NetworkRegressor
from pellucid.nn.blocks import Parallel, branches_of
from pellucid.nn.model import copy_arrays
from pellucid.nn.transfer import transfer
from pellucid.training.apart import APART
from pellucid.training.callbacks import Callback, Checkpoint, StopOnInterrupt

RNG = np.random.default_rng(0)
X = RNG.standard_normal((120, 5))
LABELS = (X[:, 0] + RNG.standard_normal(120) > 0).astype(int)
Y = 50 + 7 * (X[:, 1] + RNG.standard_normal(120))
HOW: dict[str, Any] = {"batch_size": 32, "optimizer": "adam", "patience": 9, "validation": 0.2}


def layers() -> list[pl.Layer]:
    return [pl.Dense(6, "relu"), pl.BatchNorm(), pl.Dropout(0.2), pl.Dense(1)]


def mean_of(n: int = 3) -> pl.Sequential:
    return pl.Sequential(pl.Flatten(), Parallel([pl.Sequential(layers()) for _ in range(n)], merge="mean"))


def train(model: Any, y: Any = LABELS, **more: Any) -> Any:
    return pl.train(model, (X, y), **{"n_epochs": 30, **HOW, **more}, progress=False)


@every("y", ["classes", "quantities"])
def test_each_is_trained_as_it_would_be_alone(y: Any) -> None:
    y = LABELS if y == "classes" else Y
    model = mean_of()
    model.initialize((5,), seed=1)
    model.preprocessing = pl.Preprocessing()
    first, second, _ = branches_of(model)
    alone = []
    for i, branch in enumerate((first, second)):
        one = pl.Sequential(pl.Flatten(), pl.Sequential(layers()))
        one.initialize((5,))
        copy_arrays([one.layers[1]], [branch])
        alone.append((one, (1 + APART * i) % 2**32))
    history = train(model, y, seed=1)
    for one, seed in alone:
        one.preprocessing = pl.Preprocessing()
        one._copy_loss(model)
        train(one, y, seed=seed)
    Z = [one.decision_function(X)[:, None] for one, _ in alone]
    for branch, expected in zip((first, second), Z, strict=True):
        np.testing.assert_allclose(branch.forward(X.astype(np.float32)), expected, rtol=1e-4, atol=1e-5)
    whole = np.mean([branch.forward(X.astype(np.float32)) for branch in branches_of(model)], axis=0)
    np.testing.assert_allclose(model.decision_function(X), whole[:, 0], rtol=1e-5, atol=1e-6)
    assert "the last of 3 networks" in history.note
    again = mean_of()
    again.preprocessing = pl.Preprocessing()
    train(again, y, seed=1)
    np.testing.assert_array_equal(again.theta, model.theta)


class StopAfter(Callback):
    """Stop as Ctrl-C does, after some steps of all networks together."""

    def __init__(self, n: int) -> None:
        self.n = n

    def step_end(self, event: Any) -> bool:
        self.n -= 1
        event.run.was_interrupted |= self.n <= 0
        return bool(event.run.was_interrupted)


@every("n", [5, 60, 130])
def test_it_goes_on_exactly(n: int, tmp_path: Path) -> None:
    how: dict[str, Any] = {"patience": None, "n_epochs": 20}
    whole = mean_of()
    train(whole, **how)
    model = mean_of()
    train(model, **how, callbacks=[StopAfter(n), Checkpoint(tmp_path, every_steps=7)])
    branches = branches_of(model)
    if n < 60:  # until it goes on, the others are as the first
        first, *others = ([p for leaf in one._leaves() for p in leaf.params.values()] for one in branches)
        for other in others:
            assert all((a == b).all() for a, b in zip(first, other, strict=True))
    resumed = mean_of()
    train(resumed, **how, callbacks=[Checkpoint(tmp_path, every_steps=7)], resume=tmp_path)
    np.testing.assert_array_equal(resumed.theta, whole.theta)
    for its, own in zip(whole._leaves(), resumed._leaves(), strict=True):
        assert all((its.state[key] == own.state[key]).all() for key in its.state)


def test_minutes_are_those_of_all() -> None:
    how: dict[str, Any] = {"n_epochs": 5000, "patience": None, "callbacks": [StopOnInterrupt()]}
    history = train(mean_of(), minutes=1e-5, **how)
    assert not history.is_complete
    assert history.seconds < 20


def test_a_last_layer_each_is_exchanged() -> None:
    model = train("realmlp-mean", n_epochs=3).model
    made = transfer(model, (X, np.arange(120) % 3))
    assert made.output_shape == (3,)
    for own, its in zip(branches_of(made), branches_of(model), strict=True):
        for a, b in zip(own._leaves()[:-1], its._leaves()[:-1], strict=True):
            assert all((a.params[key] == b.params[key]).all() for key in a.params)


@every(
    ("kind", "y", "early"),
    [(NetworkClassifier, LABELS, "auto"), (NetworkRegressor, Y, "auto"), (NetworkClassifier, LABELS, True)],
)
def test_estimators_train_them_so_too(kind: Any, y: Any, early: Any) -> None:
    fitted = kind("realmlp-mean", random_state=1, n_epochs=40, early_stopping=early).fit(X, y)
    assert fitted.n_iter_ == len(fitted.val_loss_curve_) == len(fitted.loss_curve_) <= 40
    assert fitted.score(X, y) > 0.3
    weights = [branch._leaves()[1].params["W"] for branch in branches_of(fitted.model_)]
    assert not np.allclose(weights[0], weights[1])
    theta = fitted.model_.theta.copy()
    for _ in range(2):  # coslog begins with a rate of 0
        fitted.set_params(early_stopping="auto").partial_fit(X, y)
    assert (fitted.model_.theta != theta).any()


def test_where_a_mean_is_not_the_output_it_is_trained_as_one() -> None:
    inside = pl.Sequential(Parallel([pl.Dense(3), pl.Dense(3)], merge="mean"), pl.Dense(1))
    assert not branches_of(inside)
    assert "networks" not in train(inside).note


@pytest.mark.slow
def test_it_scores_more_than_one_of_them() -> None:
    scores: dict[str, list[float]] = {"realmlp": [], "realmlp-mean": []}
    rng = np.random.default_rng(3)
    A = rng.standard_normal((1200, 6))
    y = A[:, 0] * A[:, 1] + np.sin(2 * A[:, 2]) + 0.5 * rng.standard_normal(1200)
    for name, found in scores.items():
        for seed in (1, 2, 3):
            model = pl.train(name, (A[:200], y[:200]), seed=seed, progress=False).model
            found.append(1 - ((model.predict(A[200:]) - y[200:]) ** 2).mean() / y[200:].var())
    assert np.mean(scores["realmlp-mean"]) > np.mean(scores["realmlp"]) + 0.02


def test_what_follows_one_training_says_that_there_are_several(pellucid: Command) -> None:
    lines = [f"{a:.4f},{b:.4f},{'yes' if a * b > 0 else 'no'}" for a, b, *_ in X]
    Path("t.csv").write_text("\n".join(["a,b,y", *lines]))
    pellucid.ok("train t.csv --target y --model realmlp-mean --epochs 3 --checkpoint-steps 2 --out run")
    found = pellucid.ok("influence run --samples 1")
    assert "Nothing was trained again: the model is the mean of networks" in found.out
    assert_refused(pellucid("influence run --samples 1 --method leave-one-out"), "cannot be trained again")
    assert_refused(pellucid("replay run --step 1"), "no step is one of the model")
    pellucid.ok("train t.csv --resume --out run")
