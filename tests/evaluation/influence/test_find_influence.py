"""Influence: traced gradients against their definitions, trainings without samples against plain trainings."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.every import every

import pellucid as pl
from pellucid.data.dataset import Dataset
from pellucid.errors import FormatError, OptionError
from pellucid.evaluation.influence.explain import explain_predictions
from pellucid.evaluation.influence.logits import check_classifier, logit, logit_slope
from pellucid.evaluation.influence.retraining import Retraining
from pellucid.evaluation.influence.snapshots import KeepSnapshots, own_copy, read_snapshot, snapshot_of
from pellucid.evaluation.influence.tracin import (
    dense_products,
    inputs_of,
    last_dense,
    plain_products,
    trace_influence,
)
from pellucid.runs.train_many import train_many
from pellucid.training.callbacks.checkpoint import Checkpoint
from pellucid.training.fit import train

Rng = np.random.Generator


def _fit(model: Any, data: Dataset, callbacks: Sequence[Any], **options: Any) -> None:
    usual = {"n_epochs": 30, "optimizer": pl.optimizers.SGD(0.1)}
    train(model, data, **(usual | options), callbacks=callbacks)


def _data(rng: Rng, m: int = 12, n_in: int = 5, k: int = 2) -> Dataset:
    names = tuple("abcdefg"[:k])
    y = np.arange(m) % k
    return Dataset(rng.normal(size=(m, n_in)) + y[:, None], y, names)


def _stack(n_in: int, n_out: int, bend: str = "tanh", seed: int = 3) -> pl.Sequential:
    model = pl.Sequential(
        [pl.Dense(6, activation=bend), pl.Dense(4, activation="relu"), pl.Dense(n_out)], dtype="float64"
    )
    model.initialize((n_in,), seed=seed)
    model.set_loss("binary_cross_entropy" if n_out == 1 else "categorical_cross_entropy")
    return model


def _convolutional(rng: Rng) -> pl.Sequential:
    layers = pl.Conv2D(3, initializer="he"), pl.BatchNorm(), pl.Activation("tanh"), pl.GlobalAvgPool2D()
    model = pl.Sequential([*layers, pl.Dense(3)], dtype="float64")
    model.initialize((5, 5, 2), seed=2)
    model.set_loss("categorical_cross_entropy")
    for leaf in model._leaves():
        for name, value in leaf.state.items():
            leaf.state[name] = value + rng.random(value.shape)
    return model


def _pixels(rng: Rng, m: int) -> Dataset:
    return Dataset(rng.normal(size=(m, 5, 5, 2)), np.arange(m) % 3, ("a", "b", "c"))


@every("n_out", [1, 3])
@every("bend", ["tanh", "relu", "softmax"])
def test_factorized_products_equal_single_gradients(rng: Rng, n_out: int, bend: str) -> None:
    model = _stack(5, n_out, bend)
    X, query_X = rng.normal(size=(9, 5)), rng.normal(size=(4, 5))
    slopes = [logit_slope(rng.integers(0, max(2, n_out), m)) for m in (9, 4)]
    fast = dense_products(model.layers, np.concatenate([X, query_X]), 9, *slopes)
    slow = plain_products(model, X, query_X, *slopes)
    for ours, plain in zip(fast, slow, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-12, atol=1e-13)


def test_the_last_layer_is_its_part_of_the_gradient(rng: Rng) -> None:
    model, X = _convolutional(rng), rng.normal(size=(6, 5, 5, 2))
    said = np.array([0, 1, 2, 1, 0, 2])
    head = last_dense(model)
    slopes = logit_slope(said[:4]), logit_slope(said[4:])
    ours = dense_products([head], inputs_of(head, model, X), 4, *slopes)
    n_head = sum(value.size for value in model._leaves()[-1].params.values())
    gradients = []
    for i in range(6):
        model.backward(logit_slope(said)(model.forward(X[i : i + 1]), slice(i, i + 1)))
        gradients.append(model.grad[-n_head:].copy())
    G = np.array(gradients)
    np.testing.assert_allclose(ours.dots, G[:4] @ G[4:].T, rtol=1e-12)
    np.testing.assert_allclose(ours.train_norms, np.linalg.norm(G[:4], axis=1), rtol=1e-12)
    bent = pl.Sequential([pl.Dense(2, activation="tanh")])
    bent.initialize((5,))
    with pytest.raises(OptionError, match="ends in a Dense layer"):
        last_dense(bent)


@every("k", [2, 3])
def test_verdict_slope_is_the_slope_of_the_log_odds(rng: Rng, k: int) -> None:
    Z, said = rng.normal(size=(5, 1 if k == 2 else k)), rng.integers(0, k, 5)
    slope, h = logit_slope(said)(Z, slice(None)), 1e-6
    for column in range(Z.shape[1]):
        step = np.zeros_like(Z)
        step[:, column] = h
        numeric = (logit(Z + step, said) - logit(Z - step, said)) / (2 * h)
        np.testing.assert_allclose(slope[:, column], numeric, rtol=1e-6, atol=1e-8)


def test_tracin_is_what_its_authors_define(rng: Rng) -> None:
    data, query = _data(rng, k=3), _data(rng, m=4, k=3)
    model = _stack(5, 3)
    keep = KeepSnapshots(4)
    _fit(model, data, [keep], optimizer=pl.optimizers.SGD(0.2), n_epochs=8)
    found = trace_influence(model, keep.snapshots, data, query)
    expected, scratch = np.zeros((12, 4)), own_copy(model)
    for snapshot in keep.snapshots:
        assert snapshot.rate == pytest.approx(0.2 * 2)
        snapshot.put_into(scratch)

        pushes = []
        for i in range(12):
            scratch.loss_and_grad(data.X[i : i + 1], data.y[i : i + 1])
            pushes.append(scratch.grad.copy())
        for j in range(4):
            slope = logit_slope(found.predicted_labels[j : j + 1])
            scratch.backward(slope(scratch.forward(query.X[j : j + 1]), slice(0, 1)))
            expected[:, j] -= snapshot.rate / 12 * np.array(pushes) @ scratch.grad
    np.testing.assert_allclose(found.tracin, expected, rtol=1e-10, atol=1e-14)
    assert found.steps == (0, 2, 4, 6)
    assert found.gradients == "all"


def test_renormalized_is_the_mean_cosine(rng: Rng) -> None:
    data = _data(rng)
    model = _stack(5, 1)
    _fit(model, data, [])
    said = model.predict(data.X)
    right = said == data.y
    found = trace_influence(model, [snapshot_of(model, 30)], data, data)
    own = np.diag(found.renormalized)
    np.testing.assert_allclose(np.abs(own), 1, rtol=1e-12)  # a sample's gradient beside its own
    np.testing.assert_array_equal(own > 0, right)  # it taught its own class
    assert np.abs(found.renormalized).max() <= 1 + 1e-12


def test_weights_count_and_those_of_zero_do_not_speak(rng: Rng) -> None:
    data, model = _data(rng), _stack(5, 1)
    weights = np.ones(12)
    weights[3], weights[5] = 0, 2
    plain = trace_influence(model, [snapshot_of(model, 30)], data, data)
    weighted = trace_influence(model, [snapshot_of(model, 30)], data, data, weights=weights)
    assert not weighted.tracin[3].any()
    assert not weighted.renormalized[3].any()
    np.testing.assert_allclose(weighted.tracin[5], 2 * plain.tracin[5], rtol=1e-12)  # the sum is 12 as before


def test_a_costly_model_falls_back_on_its_last_layer(rng: Rng, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.evaluation.influence.tracin.MOST_SECONDS", 0.0)
    model, data = _convolutional(rng), _pixels(rng, 6)
    assert trace_influence(model, [snapshot_of(model, 30)], data, data).gradients == "last-layer"
    dense = _stack(5, 1)
    assert trace_influence(dense, [snapshot_of(dense, 30)], _data(rng), _data(rng)).gradients == "all"


def test_tracing_leaves_the_model_alone_and_reports_its_progress(rng: Rng) -> None:
    model, data = _convolutional(rng), _pixels(rng, 6)
    before = model.theta.copy(), [dict(leaf.state) for leaf in model._leaves()]
    other = snapshot_of(model, 30)
    other.theta[...] += 1
    reported: list[tuple[int, int]] = []
    found = trace_influence(model, [other] * 2, data, data, progress=lambda *done: reported.append(done))
    assert (found.gradients, reported[-1]) == ("all", (12, 12))
    np.testing.assert_array_equal(model.theta, before[0])
    for leaf, old in zip(model._leaves(), before[1], strict=True):
        assert all(leaf.state[name] is value for name, value in old.items())


def test_what_cannot_be_traced_is_refused() -> None:
    model = _stack(5, 1)
    for loss, words in (("hinge", "gives no probabilities"), ("mean_squared_error", "one class a sample")):
        model.set_loss(loss)
        with pytest.raises(OptionError, match=words):
            check_classifier(model)


def test_moments_are_the_parameters_after_so_many_steps(rng: Rng) -> None:
    data = _data(rng, n_in=40)
    for form in ("direct", "dual"):
        model, keep = _stack(40, 1), KeepSnapshots(3)
        _fit(model, data, [keep], n_epochs=9, form=form)
        assert [snapshot.step for snapshot in keep.snapshots] == [0, 3, 6]
        assert [snapshot.rate for snapshot in keep.snapshots] == pytest.approx([0.3] * 3)
        short = _stack(40, 1)
        np.testing.assert_allclose(keep.snapshots[0].theta, short.theta, rtol=0, atol=1e-15)
        _fit(short, data, [], n_epochs=6, form="direct")
        np.testing.assert_allclose(keep.snapshots[2].theta, short.theta, rtol=0, atol=1e-12)
        scratch = own_copy(model)
        keep.snapshots[2].put_into(scratch)
        outputs = (one.decision_function(data.X) for one in (scratch, short))
        np.testing.assert_allclose(*outputs, atol=1e-11)


def test_a_training_that_stops_early_closes_its_last_moment(rng: Rng) -> None:
    keep = KeepSnapshots(4)
    _fit(_stack(5, 1), _data(rng), [keep, lambda event: getattr(event, "step", 0) == 6], n_epochs=20)
    assert [(snapshot.step, round(snapshot.rate, 6)) for snapshot in keep.snapshots] == [(0, 0.5), (5, 0.2)]


def test_a_checkpoint_is_a_moment_too(rng: Rng, tmp_path: Path) -> None:
    data = _pixels(rng, 6)
    model = _convolutional(rng)
    _fit(model, data, [Checkpoint(tmp_path, every_steps=4)], n_epochs=4)
    (path,) = tmp_path.glob("*.checkpoint")
    snapshot = read_snapshot(path, model, 0.5)
    assert (snapshot.step, snapshot.rate) == (4, 0.5)
    scratch = own_copy(_convolutional(rng))
    snapshot.put_into(scratch)
    np.testing.assert_array_equal(scratch._raw_outputs(data.X), model._raw_outputs(data.X))
    with pytest.raises(FormatError, match="another model"):
        read_snapshot(path, _stack(5, 1))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FormatError, match="not a whole checkpoint"):
        read_snapshot(path, model)


def test_leaving_out_equals_training_without(rng: Rng) -> None:
    """Against plain train() in the direct form without the row."""
    data, query_X = _data(rng, n_in=60), rng.normal(size=(3, 60))
    start, optimizer = _stack(60, 1), pl.optimizers.SGD(0.1)
    again = Retraining(start, data, query_X, partial(_fit, optimizer=optimizer))
    full = again.without()
    for row in (None, 0, 7, 11):
        outputs = full if row is None else again.without((row,))
        plain = own_copy(start)
        rows = np.array([i for i in range(12) if i != row])
        _fit(plain, data.take(rows), [], optimizer=optimizer, form="direct")
        np.testing.assert_allclose(outputs[:, 0], plain.decision_function(query_X), rtol=0, atol=1e-9)
        assert row is None or np.abs(outputs - full).max() > 1e-5


@pytest.mark.slow
def test_the_photo_that_leaked_spoke_loudest(published_folder: Path) -> None:
    (why,) = pl.influence(published_folder, [17], top=1, n_draws=1, progress=False).explanations
    assert [(one.row, one.is_same) for one in why.towards] == [(146, True)]
    assert why.towards[0].score == pytest.approx(1, abs=1e-9)
    assert why.without is not None
    assert why.without.label == "non-cat"


def _planted() -> tuple[Retraining, tuple[Any, ...]]:
    """Twenty of class a, and three that say b of the second feature: without these three it would be a."""
    X = np.zeros((23, 2))
    X[:20, 0], X[20:, 1] = 1, 1
    data = Dataset(X, np.repeat([0, 1], [20, 3]), ("a", "b"))
    start = pl.Sequential([pl.Dense(1, initializer="zeros")], dtype="float64")
    start.initialize((2,))
    start.set_loss("binary_cross_entropy")
    query = Dataset(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 0]), ("a", "b"))
    again = Retraining(start, data, query.X, partial(_fit, optimizer=pl.optimizers.SGD(1.0), n_epochs=100))
    model, full, snapshots = again.traced(5)
    return again, (trace_influence(model, snapshots, data, query), data, query, (8, 9), full)


def test_a_planted_group_is_found_and_proved() -> None:
    again, planted = _planted()
    jobs: list[tuple[int, ...]] = []

    def run(train: Any, groups: Any) -> Any:
        jobs.extend(groups)
        return train_many(train, groups)

    why = explain_predictions(*planted, retraining=again, n_draws=6, top=3, run=run)
    assert {len(group) for group in jobs} == {3}, "random groups are as large"
    assert why == explain_predictions(*planted, retraining=again, n_draws=6, top=3), "and drawn alike again"
    first = why[0]
    assert (first.index, first.predicted, first.actual, first.is_right) == (8, "b", "a", False)
    assert {sample.row for sample in first.towards} == {20, 21, 22}
    assert all(sample.row < 20 for sample in first.against)
    assert first.without is not None
    assert first.without.label == "a"
    assert first.without.probability == pytest.approx(1 / (1 + np.exp(-first.without.log_odds)))
    assert len(first.by_chance) == 6
    assert first.p_value == pytest.approx(1 / 7)
    assert not first.is_tested
    assert first.probability > first.range[0] > first.without.probability
    assert why[1].is_right
    assert why[1].without is not None


def test_what_is_known_is_shown_and_not_trained_again() -> None:
    again, planted = _planted()
    known = {(i,): again.without((i,)) for i in range(23)}
    jobs: list[Any] = []

    def run(train: Any, some: Any) -> Any:
        jobs.extend(some)
        return train_many(train, some)

    why = explain_predictions(*planted, retraining=again, known=known, n_draws=0, run=run)
    assert jobs
    assert all(len(job) > 1 for job in jobs)
    alone = why[0].towards[0].without
    assert alone is not None
    assert alone.log_odds == pytest.approx(logit(known[why[0].towards[0].row,][:1], np.array([1]))[0])


@pytest.mark.slow
def test_snapshots_are_the_same_whether_steps_are_taken_one_by_one_or_many_at_once(rng: Rng) -> None:
    pytest.importorskip("numba")
    data, kept, losses = _data(rng, k=3), [KeepSnapshots(7), KeepSnapshots(7)], []
    for keep, others in zip(kept, ([], [lambda event: None]), strict=True):
        history = pl.train(
            _stack(5, 3), data, optimizer=pl.optimizers.SGD(0.2), n_epochs=50, form="dual", kernels="numba",
            callbacks=[keep, *others],
        )  # fmt: skip
        assert history.n_steps == 50
        losses.append(history.losses)
    assert losses[0] == losses[1]
    for one, other in zip(*(keep.snapshots for keep in kept), strict=True):
        assert (one.step, one.rate) == (other.step, other.rate)
        np.testing.assert_array_equal(one.theta, other.theta)
