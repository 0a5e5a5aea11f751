"""Which model suits a table: a linear one or a network, by what each predicts of rows that were held out."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from pellucid.data.dataset import Split
from pellucid.data.source import DataSource
from pellucid.errors import PellucidError
from pellucid.nn.blocks import branches_of
from pellucid.nn.model import Model
from pellucid.nn.presets import LINEAR, REALMLP, REALMLP_MEAN
from pellucid.prediction.predict import predict
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.config import RunConfig
from pellucid.text import plural
from pellucid.training.apart import branch_model, branch_seed
from pellucid.training.history import History
from pellucid.training.job import validation_rows
from pellucid.training.options import TrainingOptions, are_few
from pellucid.training.recipes import recipe
from pellucid.training.recommend import Recommendation
from pellucid.types import Array

MOST_ROWS = 10_000  # that are looked at
MANY_ROWS = 2000  # from which on one network does what the mean of several does for smaller tables
SURE = 1.0  # standard errors that a network must be better by
SURE_OF_FEW = 2.5  # of quantities: by squared errors of few rows, on which each network chose its epoch
A_TABLE = DataSource("table")


class Trained(NamedTuple):
    """A model, and what its training did."""

    model: Model
    history: History


def choose_for_table(
    split: Split,
    source: DataSource = A_TABLE,
    *,
    progress: ProgressCallback = no_progress,
    **options: Any,
) -> tuple[Recommendation, Trained | None]:
    """Return what predicts held-out training rows best, and that model where it has been trained on all rows.

    Parameters
    ----------
    split : Split
        Of a table; its test part is not looked at.
    source : DataSource, optional
        Where it is from, for the models' records.
    progress : callable, optional
    **options
        Fields of :class:`.TrainingOptions` that all are trained with.

    Notes
    -----
    A network ("realmlp", of under 2,000 rows the mean of several) is trained as it is in the end: each holds rows
    out, to stop early by. On these it is compared with a linear model of the other rows, whose penalty was chosen
    on all. It counts as better where the mean of its errors (0 or 1, or squared) is lower than the linear model's
    by more than a standard error over the rows; of quantities in under 2,000 rows by 2.5, since there the networks'
    best epochs were chosen by the same errors. Groups and copies stay together. Of tables of over 10,000 rows so
    many are looked at, and the better model is to be trained on all.
    """
    data, linear = split.train, Recommendation(LINEAR, recipe(LINEAR), "")
    if len(data) > MOST_ROWS:
        rows = np.random.default_rng(options.get("seed", 1)).permutation(len(data))[:MOST_ROWS]
        data = data.take(np.sort(rows))
    if are_few(data.y):
        why = f"a linear model for {plural(len(data), 'row')}: too few to try others on"
        return replace(linear, reason=why), None
    name = REALMLP_MEAN if len(split.train) < MANY_ROWS else REALMLP
    tried = {LINEAR: linear, name: Recommendation(name, recipe(name), "")}
    part, trained = replace(split, train=data), dict[str, Trained]()
    for i, one in enumerate(tried.values()):
        progress("which model", i, len(tried), one.model)
        try:
            trained[one.model] = _train(one, part, source, options)
        except PellucidError:
            if one is linear:
                raise
            return replace(linear, reason=f"a linear model: {name} could not be trained"), None
    is_better, reason = _compare(tried, trained, part, source, options)
    progress("which model", len(tried), len(tried))
    best = replace(tried[name if is_better else LINEAR], reason=reason)
    return best, trained[best.model] if data is split.train else None


def _train(
    one: Recommendation, part: Split, source: DataSource, options: dict[str, Any], **more: Any
) -> Trained:
    from pellucid.runs.build import fit_run, make_model

    config = RunConfig(source, one.model, TrainingOptions.resolve(one.recipe, **(options | more)))
    model = make_model(config, None, part)
    return Trained(model, fit_run(model, part, config))


def _compare(
    tried: dict[str, Recommendation],
    trained: dict[str, Trained],
    part: Split,
    source: DataSource,
    options: dict[str, Any],
) -> tuple[bool, str]:
    """Return whether a network is surely better than a linear model, on rows it has not seen, and their scores.

    Of a mean each network has rows of its own.
    """
    (linear, name), data = tried, part.train
    network, seed = trained[name].model, options.get("seed", 1)
    fraction = TrainingOptions.resolve(tried[name].recipe, **options).validation
    assert isinstance(fraction, float)
    penalty = trained[linear].model._summary_of_training["weight_decay"]
    totals, counts = np.zeros((2, len(data))), np.zeros(len(data))
    for i in range(max(1, len(branches_of(network)))):
        one = branch_model(network, i) if branches_of(network) else network
        rows, held = validation_rows(data, fraction, branch_seed(seed, i))
        inner = replace(part, train=data.take(rows), test=data.take(held))
        other = _train(tried[linear], inner, source, options, weight_decay=penalty, validation=None).model
        totals[:, held] += [_errors(other, inner), _errors(one, inner)]
        counts[held] += 1
    found = totals[:, counts > 0] / counts[counts > 0]
    n = found.shape[1]
    spread = 1.0 if part.classes else float(data.y[counts > 0].var(axis=0).mean()) or 1.0
    difference = found[1] - found[0]
    sure = SURE if part.classes or name == REALMLP else SURE_OF_FEW
    is_better = bool(difference.mean() < -sure * difference.std(ddof=1) / np.sqrt(n))
    scores = (f"{one} {score:.3f}" for one, score in zip(tried, 1 - found.mean(axis=1) / spread, strict=True))
    why = "better than a linear model" if is_better else "as good as a network"
    metric = "accuracy" if part.classes else "R²"
    return is_better, f"{why} on {plural(n, 'held-out training row')} ({metric}: {', '.join(scores)})"


def _errors(model: Model, split: Split) -> Array:
    """Return the error of each test row: 0 or 1, or the squared one."""
    told = predict(model, split.test)
    if split.classes:
        return (~told.is_correct).astype(np.float64)
    squares: Array = ((told.y_pred - told.y_true) ** 2).reshape(len(told), -1).mean(axis=1)
    return squares
