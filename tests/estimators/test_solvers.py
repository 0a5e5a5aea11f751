"""scikit-learn's solvers, its penalty and its rule of convergence."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.estimators.test_networks import network_file
from tests.every import every

import pellucid as pl
from pellucid.errors import OptionError
from pellucid.estimators import NetworkClassifier
from pellucid.estimators.solvers import L2Penalty
from pellucid.estimators.stopping import Convergence
from pellucid.estimators.warm_start import Continuation
from pellucid.training.events import EpochEnd, StepEnd
from pellucid.training.optimizers import LBFGS, SGD, Adam, AdamW
from pellucid.types import Array


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[Array, Array]:
    X = rng.standard_normal((60, 4))
    return X, (X[:, 0] + 0.5 * rng.standard_normal(60) > 0).astype(int)


def test_one_of_your_own_is_copied(data: Any) -> None:
    own = LBFGS(max_iterations=6)
    assert NetworkClassifier(optimizer=own, random_state=0).fit(*data).n_iter_ == 6
    assert NetworkClassifier(optimizer=own, n_epochs=3, random_state=0).fit(*data).n_iter_ == 3
    assert own.result is None
    assert own.max_iterations == 6


def test_a_files_training_may_ask_for_it(data: Any, tmp_path: Path) -> None:
    path = network_file(tmp_path, 'optimizer = "lbfgs"\nepochs = 7\n')
    assert NetworkClassifier(path, random_state=0).fit(*data).n_iter_ == 7
    with pytest.raises(OptionError, match="partial_fit is only available for stochastic optimizers"):
        NetworkClassifier(path).partial_fit(*data, classes=[0, 1])


def test_early_stopping_keeps_the_best(data: Any) -> None:
    options = {"early_stopping": True, "n_iter_no_change": 2, "random_state": 0}
    fitted = NetworkClassifier(optimizer="lbfgs", **options).fit(*data, validation_data=data)
    assert len(fitted.validation_scores_) == fitted.n_iter_ < 50
    assert fitted.score(*data) == fitted.best_validation_score_ == max(fitted.validation_scores_)


@every(
    "option",
    [{"learning_rate": 0.1}, {"schedule": "cosine"}, {"augment": "photo"}, {"batch_size": 5}],
    ids=str,
)
def test_what_it_has_no_use_for_is_refused(option: dict[str, Any], data: Any) -> None:
    with pytest.raises(OptionError, match=f"{next(iter(option))}: lbfgs takes all samples"):
        NetworkClassifier(optimizer="lbfgs", **option).fit(*data)


def trained(*callbacks: Any, **options: Any) -> Any:
    rng = np.random.default_rng(1)
    data = rng.standard_normal((12, 30)), rng.integers(0, 2, 12)
    model = pl.Sequential([pl.Dense(4, activation="relu"), pl.Dense(1)], dtype="float64")
    return pl.train(model, data, n_epochs=3, callbacks=callbacks, **options)


def test_shards_add_it_once() -> None:
    how: dict[str, Any] = {"optimizer": SGD(0.1), "form": "direct"}
    losses = [trained(L2Penalty(2.0), n_threads=n, **how).losses for n in (1, 2, 3)]
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-12)


def test_without_alpha_nothing_decays() -> None:
    without = trained(optimizer=AdamW(0.01, weight_decay=0.0)).model
    with_0 = trained(L2Penalty(0.0), optimizer=AdamW(0.01)).model
    np.testing.assert_array_equal(with_0.theta, without.theta)


def stops(losses: list[float], **options: Any) -> int:
    """Return after how many epochs a training with these losses ends."""
    rule = Convergence(**options)
    for i, loss in enumerate(losses):
        if rule(EpochEnd(None, i, i, {"loss": loss})):
            assert rule.has_converged
            return i + 1
    assert not rule.has_converged
    return len(losses)


def test_patience_counts_epochs_in_a_row() -> None:
    assert stops([1.0] * 10, patience=3) == 5  # the first is better than nothing
    assert stops([1.0, 1.0, 0.5, 0.5, 0.5, 0.5], patience=2) == 6
    assert stops([1.0] * 10, patience=math.inf) == 10
    assert stops([1.0, 0.95, 0.9, 0.85, 0.8], patience=1, tolerance=0.06) == 3
    assert stops([1.0, 0.93, 0.86, 0.79], patience=1, tolerance=0.06) == 4
    assert stops([2.0] * 9, patience=3, best=1.0, n_waited=2) == 2  # goes on from an earlier training
    assert stops([1.0, 1.0, math.nan, 1.0, 1.0, 1.0], patience=2) == 6  # NaN restarts it


@every("form", ["direct", "dual"])
def test_put_back_after_a_failure(form: str) -> None:
    outputs: list[Any] = []
    X = np.random.default_rng(0).standard_normal((20, 50))

    def score(run: Any, event: EpochEnd) -> float:
        outputs.append(run.model._raw_outputs(X))
        return float(-event.epoch)

    rule = Convergence(score=score)
    model = pl.Sequential([pl.Dense(3, activation="tanh"), pl.Dense(1)], dtype="float64")

    def fail(event: Any) -> None:
        if isinstance(event, StepEnd) and event.epoch == 3:
            raise RuntimeError

    data = pl.Dataset(X, np.arange(20) % 2)
    with pytest.raises(RuntimeError):
        pl.train(model, data, optimizer=SGD(0.1), n_epochs=9, form=form, callbacks=[rule, fail])
    assert rule.put_back(model)
    np.testing.assert_allclose(model._raw_outputs(X), outputs[0], atol=1e-12)  # epoch 0 was the best
    assert not Convergence().put_back(model)


def test_another_optimizer_begins_again(rng: np.random.Generator) -> None:
    data = pl.Dataset(rng.standard_normal((10, 3)), rng.integers(0, 2, 10))
    model = pl.Sequential([pl.Dense(1)])
    first = Continuation()
    pl.train(model, data, optimizer=SGD(0.1, momentum=0.9), n_epochs=2, callbacks=[first])
    second = Continuation(first.end, n_epochs=1)
    pl.train(model, data, optimizer=Adam(), n_epochs=2, callbacks=[second])
    assert second.end.epoch == 3
    assert second.end.optimizer["n_steps"] == 1
