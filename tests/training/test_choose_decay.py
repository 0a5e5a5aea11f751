"""The weight decay that L-BFGS chooses on held-out folds."""

import numpy as np
from sklearn.linear_model import LogisticRegression

import pellucid as pl
from pellucid.data.dataset import Dataset
from pellucid.training.executor.choose_decay import DECAYS, FALLBACK, folds_for_decay

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 20))
Y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)


def trained(data: Dataset, **options: float) -> tuple[pl.Model, pl.Dataset]:
    model = pl.Sequential([pl.Dense(1)], dtype="float64")
    rule = {"type": "lbfgs", **options}
    pl.train(model, data, n_epochs=500, optimizer=rule, progress=False)
    return model, data


def test_it_is_that_of_the_lowest_held_out_loss() -> None:
    data = Dataset(X, Y, ("no", "yes"))
    losses = np.zeros(len(DECAYS))
    for rows, held in folds_for_decay(data, 4, seed=1):
        for j, decay in enumerate(DECAYS):
            model, _ = trained(data.take(rows), weight_decay=decay)
            P = model.predict_proba(X[held])
            losses[j] -= np.log(P[np.arange(len(held)), Y[held]]).mean()
    best = DECAYS[int(losses.argmin())]
    assert DECAYS[0] > best > DECAYS[-1]
    chosen, _ = trained(data, folds=4)
    wanted, _ = trained(data, weight_decay=best)
    np.testing.assert_allclose(chosen.theta, wanted.theta, rtol=1e-4, atol=1e-6)


def test_one_that_is_given_is_taken() -> None:
    data = Dataset(X, Y, ("no", "yes"))
    given, _ = trained(data, folds=4, weight_decay=0.3)
    plain, _ = trained(data, weight_decay=0.3)
    assert (given.theta == plain.theta).all()


def test_folds_keep_groups_together_and_suit_small_classes() -> None:
    groups = np.repeat(np.arange(6), 2)
    data = Dataset(np.arange(12.0)[:, None], np.repeat([0, 1], 6), ("a", "b"), groups=groups)
    folds = folds_for_decay(data, 5, seed=1)
    assert len(folds) == 3
    for rows, held in folds:
        assert not {*groups[rows]} & {*groups[held]}
        assert {*data.y[held]} == {0, 1}
    alone = Dataset(np.arange(3.0)[:, None], np.array([0, 0, 1]), ("a", "b"))
    assert folds_for_decay(alone, 5, seed=1) == []
    model, _ = trained(alone, folds=5)
    plain, _ = trained(alone, weight_decay=FALLBACK)
    assert (model.theta == plain.theta).all()


def test_quantities_have_folds_too() -> None:
    data = Dataset(X, X[:, 0] * 2 + 1)
    model, _ = trained(data, folds=5)
    np.testing.assert_allclose(model.predict(X), data.y, atol=0.05)


def test_inputs_that_are_alike_take_few_iterations() -> None:
    draws = np.random.default_rng(2)
    one = draws.normal(size=(300, 1))
    alike = np.column_stack(
        [one + 0.01 * draws.normal(size=(300, 6)), 100 * draws.normal(size=(300, 1)) + 50]
    )
    labels = draws.integers(3, size=300)
    labels[:150] = (one[:150, 0] > 0) * 2
    model = pl.Sequential([pl.Dense(3, initializer="zeros")], dtype="float64")
    rule = {"type": "lbfgs", "weight_decay": 1e-3}
    history = pl.train(model, (alike, labels), n_epochs=500, optimizer=rule, progress=False)
    theirs = LogisticRegression(C=1 / (300 * 1e-3), max_iter=10_000, tol=1e-10).fit(alike, labels)
    np.testing.assert_allclose(model.predict_proba(alike), theirs.predict_proba(alike), atol=1e-4)
    assert history.n_steps < 30
