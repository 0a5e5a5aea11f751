"""The strength of an L2 penalty, chosen by the loss of samples that were held out."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from pellucid.data.batches import is_on_disk
from pellucid.data.dataset import Dataset
from pellucid.data.groups import fewest_groups, find_groups, folds_by
from pellucid.data.labels import has_classes
from pellucid.types import Array, n_rows, take_rows

# From one that leaves little but how frequent each class is to nearly none: a decade apart.
DECAYS = tuple(10.0 ** (k / 2) for k in range(1, -13, -2))
LEAST_FALL = 1e-4  # of a loss, by which it is found well enough to compare strengths
FALLBACK = 0.01  # where a class has a single sample, so that nothing can be held out
Fold = tuple[Array, Array]  # the rows that are trained on, and those held out


def choose_decay(
    executor: Any,
    optimizer: Any,
    samples: tuple[Any, Any, Array | None],
    folds: Sequence[Fold],
    moments: Array | None = None,
) -> float:
    """Return the weight decay of the lowest mean loss over held-out folds; the parameters are left as they were.

    Parameters
    ----------
    executor : Executor
        Computes loss and gradient.
    optimizer : LBFGS
        Its ``weight_decay`` is that of the last attempt afterwards.
    samples : (X, Y, weights)
    folds : sequence of (rows, held-out rows)
    moments : Array, optional
        As :meth:`.LBFGS.minimize` takes them.

    Notes
    -----
    Seven strengths from 3.2 to 3.2e-6, each begun from the solution of the stronger one before, as in the
    regularization path of Friedman, Hastie and Tibshirani (2010), until one is worse. The loss that is
    compared is without the penalty, so that probabilities are chosen for, not classes alone.
    """
    if not folds:
        return FALLBACK
    model, n_steps, fall = executor.model, optimizer.n_steps, optimizer.least_fall
    optimizer._keep("least_fall", max(fall or 0.0, LEAST_FALL))
    start, losses = model.theta.copy(), np.full(len(DECAYS), np.inf)
    solutions = [start] * len(folds)
    for j, decay in enumerate(DECAYS):
        optimizer._keep("weight_decay", decay)
        held_out = []
        for k, fold in enumerate(folds):
            inner, outer = (_take(samples, rows) for rows in fold)
            model.theta[...] = solutions[k]
            optimizer.minimize(model.theta, partial(_loss, executor, inner), model.grad, moments=moments)
            solutions[k] = model.theta.copy()
            held_out.append(_loss(executor, outer))
        losses[j] = np.mean(held_out)
        if losses[j] > losses.min():  # weaker ones take longest
            break
    model.theta[...], optimizer.n_steps = start, n_steps
    optimizer._keep("least_fall", fall)
    return DECAYS[int(losses.argmin())]


def _loss(executor: Any, samples: tuple[Any, Any, Array | None]) -> float:
    X, Y, weights = samples
    return float(executor.loss_and_grad(X, Y, weights=weights))


def _take(samples: tuple[Any, Any, Array | None], rows: Array) -> tuple[Any, Any, Array | None]:
    X, Y, weights = samples
    return take_rows(X, rows), take_rows(Y, rows), None if weights is None else weights[rows]


def folds_for_decay(data: Dataset, n: int, seed: int) -> list[Fold]:
    """Return divisions of samples into n folds, fewer where a class has fewer; groups and copies stay together.

    Examples
    --------
    >>> data = Dataset(np.zeros((6, 1)), np.array([0, 0, 0, 1, 1, 1]), ("no", "yes"))
    >>> len(folds_for_decay(data, 5, seed=1))
    3
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    m = n_rows(data.X)
    groups = data.groups if is_on_disk(data.X) else find_groups(data, n).numbers
    each: Any = np.arange(m) if groups is None else groups
    n = min(n, fewest_groups(each, data.y)[0])
    if n < 2:
        return []
    by_group: Any = StratifiedGroupKFold if has_classes(data.y) else GroupKFold
    single: Any = StratifiedKFold if has_classes(data.y) else KFold  # in a hundredth of the time
    splitter = (single if groups is None else by_group)(n, shuffle=True, random_state=seed)
    return folds_by(splitter, np.zeros(m), data.y, groups)
