"""Why was this one missed? Which training samples influenced a prediction, and what it would be without them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.influence.logits import labels_of, logit
from pellucid.evaluation.influence.records import (
    ExplainedPrediction,
    GroupRemoval,
    InfluentialSample,
    Retrained,
)
from pellucid.evaluation.influence.retraining import (
    Group,
    Retraining,
    Runner,
    outputs_without,
)
from pellucid.evaluation.influence.tracin import Influence
from pellucid.plotting.style import class_name
from pellucid.rng import stream
from pellucid.runs.train_many import train_many
from pellucid.types import Array


class Budget(NamedTuple):
    """How much is trained again for each query sample.

    Attributes
    ----------
    sizes : tuple of int
        How many of the most influential samples are left out together, one training for each size.
    n_alone : int
        How many of those that are shown, on each side, are also left out alone.
    n_chance : int
        Random orders in which as many are left out, size by size, to compare with.
    """

    sizes: tuple[int, ...] = (1, 2, 4, 8, 16)
    n_alone: int = 5
    n_chance: int = 8


THOROUGH = Budget()
QUICK = Budget((1, 4, 12), 0, 6)


class Query(NamedTuple):
    """Samples whose predictions are to be explained."""

    data: Dataset  # in the order of the influence's columns
    indices: tuple[int, ...]  # where they stand in the test part
    full: Array  # (n, n_out) outputs when nothing is left out
    classes: tuple[str, ...]


def explain_predictions(
    influence: Influence,
    train: Dataset,
    query: Query,
    *,
    scores: Array | None = None,
    top: int = 5,
    retraining: Retraining | None = None,
    known: dict[Group, Array] | None = None,
    budget: Budget = THOROUGH,
    seed: int = 0,
    run: Runner = train_many,
) -> list[ExplainedPrediction]:
    """Return, for each query sample, the samples that influenced its prediction, and the prediction without them.

    Parameters
    ----------
    influence : Influence
        Of the predictions, from the training samples to the query samples.
    train : Dataset
    query : Query
    scores : Array, shape (m, n), optional
        What training samples are ranked by; above 0: towards the prediction. Default: ``influence.renormalized``.
    top : int, optional
        How many are shown on each side.
    retraining : Retraining, optional
        Trains again without them; default: nothing is proved.
    known : dict of group to outputs, optional
        Trainings that need not be run again.
    budget : Budget, optional
    seed : int, optional
        Of the random orders.
    run : callable, optional
        See :func:`pellucid.evaluation.influence.retraining.leave_one_out`.

    Returns
    -------
    list of ExplainedPrediction

    Notes
    -----
    Leaving out growing groups in the order of their influence until the prediction flips is the greedy search of
    Yang, Jain and Wallace (2023); the group is small, not proved to be the smallest. A training may be so sensitive
    that leaving out any few samples moves its predictions as far: hence the growing groups drawn at random.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.evaluation.influence.text import in_words
    >>> from pellucid.evaluation.influence.tracin import trace_influence
    >>> from pellucid.nn.presets import preset
    >>> from pellucid.training.fit import train
    >>> from pellucid.training.optimizers.sgd import SGD
    >>> from pellucid.data.dataset import Dataset
    >>> rng = np.random.default_rng(1)
    >>> y = np.arange(20) % 2
    >>> data = Dataset(rng.normal(size=(20, 3)) + 4 * y[:, None], y, ("low", "high"))
    >>> query = data.take(np.arange(2))
    >>> def fit(model, data, callbacks):
    ...     train(model, data, optimizer=SGD(0.1), n_epochs=100, callbacks=callbacks)
    >>> start = preset("logistic")
    >>> start.initialize((3,))
    >>> again = Retraining(start, data, query.X, fit)
    >>> model, full, snapshots = again.traced()
    >>> influence = trace_influence(model, snapshots, data, query)
    >>> influence.tracin.shape
    (20, 2)
    >>> why = explain_predictions(influence, data, Query(query, (0, 1), full, data.classes), retraining=again)
    >>> why[0].predicted, len(why[0].towards)
    ('low', 5)
    >>> print(in_words(why[0], "sample")[0])
    Test sample 0 is a “low”, and the network predicts so (... %).
    """
    S = influence.renormalized if scores is None else scores
    plans = [_plan(S[:, j], budget, top) for j in range(S.shape[1])]
    proof = _Proof(retraining, query, influence.predicted_labels, dict(known or {}), run)
    proof.learn(group for plan in plans for group in plan.all_groups)
    made = [_explain(j, S[:, j], plan, influence, train, query, proof) for j, plan in enumerate(plans)]
    return _with_chance(made, np.flatnonzero(S.any(axis=1)), proof, budget.n_chance, seed)


class _Plan(NamedTuple):
    """What is trained again for one query sample."""

    towards: tuple[int, ...]  # shown, the most influential first
    against: tuple[int, ...]
    ladder: tuple[tuple[int, ...], ...]
    n_alone: int

    @property
    def all_groups(self) -> list[Group]:
        alone = (*self.towards[: self.n_alone], *self.against[: self.n_alone])
        groups = [*self.ladder, self.against, *((row,) for row in alone)]
        return [tuple(sorted(group)) for group in groups if group]


def _plan(scores: Array, budget: Budget, top: int) -> _Plan:
    order = np.argsort(-scores, kind="stable")
    towards = tuple(int(i) for i in order if scores[i] > 0)
    against = tuple(int(i) for i in order[::-1] if scores[i] < 0)
    most = min(len(towards), len(scores) - 1)
    sizes = sorted({min(size, most) for size in budget.sizes if most})
    return _Plan(towards[:top], against[:top], tuple(towards[:size] for size in sizes), budget.n_alone)


class _Proof:
    """Trainings without groups of samples, each run once."""

    def __init__(
        self,
        retraining: Retraining | None,
        query: Query,
        predicted_labels: Array,
        known: dict[Group, Array],
        run: Runner,
    ) -> None:
        self.retraining, self.query, self.predicted_labels, self.known, self.run = (
            retraining,
            query,
            predicted_labels,
            known,
            run,
        )

    def learn(self, groups: Iterable[Group]) -> None:
        """Train without each group that is not known yet."""
        missing = [group for group in groups if group not in self.known]
        if self.retraining is not None and missing:
            self.known |= outputs_without(self.retraining, missing, run=self.run)

    def outcome(self, group: Sequence[int], j: int) -> Retrained | None:
        """Return what query sample j's prediction comes to without a group; None where it was not trained for."""
        outputs = self.known.get(tuple(sorted(group)))
        if outputs is None:
            return None
        log_odds = float(logit(outputs[j : j + 1], self.predicted_labels[j : j + 1])[0])
        label = int(labels_of(outputs[j : j + 1])[0])
        name = class_name(self.query.classes, label, 80)
        return Retrained(name, sigmoid(log_odds), log_odds, label != int(self.predicted_labels[j]))


def sigmoid(logit: float) -> float:
    """Return the probability p whose log(p / (1 - p)) is given.

    Examples
    --------
    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    e = math.exp(-abs(logit))
    return (1 if logit >= 0 else e) / (1 + e)


def _explain(
    j: int, scores: Array, plan: _Plan, influence: Influence, train: Dataset, query: Query, proof: _Proof
) -> ExplainedPrediction:
    predicted = int(influence.predicted_labels[j])
    log_odds = float(logit(query.full[j : j + 1], influence.predicted_labels[j : j + 1])[0])
    x = query.data.X[j]

    def influential(row: int, has_alone: bool) -> InfluentialSample:
        return InfluentialSample(
            row=row,
            label=class_name(train.classes, int(train.y[row]), 80),
            score=float(scores[row]),
            tracin=float(influence.tracin[row, j]),
            renormalized=float(influence.renormalized[row, j]),
            alone=proof.outcome((row,), j) if has_alone else None,
            is_same=bool(np.array_equal(train.X[row], x)),
            name=train.file(row),
        )

    def removal(rows: tuple[int, ...]) -> GroupRemoval | None:
        outcome = proof.outcome(rows, j) if rows else None
        return None if outcome is None else GroupRemoval(rows, outcome)

    singles = [proof.outcome((i,), j) for i in range(len(train))]
    is_complete = all(outcome is not None for outcome in singles)
    removals = [removal(rows) for rows in plan.ladder]
    return ExplainedPrediction(
        index=query.indices[j],
        predicted=class_name(query.classes, predicted, 80),
        actual=class_name(query.classes, int(query.data.y[j]), 80),
        probability=sigmoid(log_odds),
        log_odds=log_odds,
        towards=tuple(influential(row, k < plan.n_alone) for k, row in enumerate(plan.towards)),
        against=tuple(influential(row, k < plan.n_alone) for k, row in enumerate(plan.against)),
        removals=tuple(found for found in removals if found is not None),
        without_against=removal(plan.against),
        n_single_changes=sum(bool(o and o.is_changed) for o in singles) if is_complete else None,
        n_single=len(singles) if is_complete else None,
        name=query.data.file(j),
    )


def _with_chance(
    made: list[ExplainedPrediction], rows: Array, proof: _Proof, n_chance: int, seed: int
) -> list[ExplainedPrediction]:
    """Add to each group, up to the one worth telling of, what leaving out as many drawn at random does."""
    orders = [stream(seed, "influence by chance", i).permutation(rows) for i in range(n_chance)]

    def drawn(size: int) -> list[Group]:
        return [tuple(sorted(order[:size].tolist())) for order in orders]

    largest = max((len(one.reported.rows) for one in made if one.reported is not None), default=0)
    sizes = sorted({len(r.rows) for one in made for r in one.removals if len(r.rows) <= largest})
    proof.learn(group for size in sizes for group in drawn(size))

    def compared(removal: GroupRemoval, reported: GroupRemoval, j: int) -> GroupRemoval:
        if len(removal.rows) > len(reported.rows):
            return removal
        outcomes = [proof.outcome(group, j) for group in drawn(len(removal.rows))]
        return replace(removal, by_chance=tuple(outcome for outcome in outcomes if outcome is not None))

    return [
        one
        if one.reported is None
        else replace(one, removals=tuple(compared(r, one.reported, j) for r in one.removals))
        for j, one in enumerate(made)
    ]
