"""Which model suits a table: a linear one or a network, by what each predicts of rows that were held out."""

from dataclasses import dataclass, replace
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
A_TABLE = DataSource("table")


class Trained(NamedTuple):
    """A model, and what its training did."""

    model: Model
    history: History


@dataclass(frozen=True)
class Choice:
    """What a linear model and a network scored on held-out rows of a table.

    Attributes
    ----------
    name : str
        The network's preset.
    scores : (float, float)
        Accuracy, or R squared: the linear model's, the network's.
    is_better : bool
        Whether the network is, by more than one standard error of the difference.
    n_rows : int
        That were held out, in all.
    """

    name: str
    scores: tuple[float, float]
    is_better: bool
    n_rows: int

    @property
    def best(self) -> str:
        """The network where it is better, else the linear model."""
        return self.name if self.is_better else LINEAR

    @property
    def reason(self) -> str:
        """What each scored."""
        why = "better than a linear model" if self.is_better else "as good as a network"
        shown = f"{LINEAR} {self.scores[0]:.3f}, {REALMLP} {self.scores[1]:.3f}"
        return f"{why} on {plural(self.n_rows, 'held-out training row')} ({shown})"


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
    by more than a standard error over the rows. Groups and copies stay together. Of tables of over 10,000 rows
    so many are looked at, and the better model is to be trained on all.
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
    choice = _compare(tried, trained, part, source, options)
    progress("which model", len(tried), len(tried))
    best = replace(tried[choice.best], reason=choice.reason)
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
) -> Choice:
    """Compare a linear model and a network on rows that the network, or one of those of a mean, has not seen."""
    (linear, name), data = tried, part.train
    network, seed = trained[name].model, options.get("seed", 1)
    fraction = TrainingOptions.resolve(tried[name].recipe, **options).validation
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
    is_better = difference.mean() < -SURE * difference.std(ddof=1) / np.sqrt(n)
    linear_score, score = (1 - found.mean(axis=1) / spread).tolist()
    return Choice(name, (linear_score, score), bool(is_better), n)


def _errors(model: Model, split: Split) -> Array:
    """Return the error of each test row: 0 or 1, or the squared one."""
    told = predict(model, split.test)
    if split.classes:
        return (~told.is_correct).astype(np.float64)
    squares: Array = ((told.y_pred - told.y_true) ** 2).reshape(len(told), -1).mean(axis=1)
    return squares
