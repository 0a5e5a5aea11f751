"""Why was this one missed? Which training samples influenced a prediction, and what it would be without them."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.influence.explained import ExplainedPrediction, InfluentialSample, Proof, Retrained
from pellucid.evaluation.influence.logits import labels_of, logit
from pellucid.evaluation.influence.retraining import Group, Retraining, Runner, outputs_without
from pellucid.evaluation.influence.tracin import Influence
from pellucid.plotting.style import class_name
from pellucid.rng import stream
from pellucid.runs.train_many import train_many
from pellucid.types import Array


class Budget(NamedTuple):
    """How much is trained again.

    Attributes
    ----------
    n_alone : int
        How many of the samples that are shown, on each side, are also left out alone.
    n_chance : int
        How many times as many samples as are shown towards a prediction, drawn at random, are left out together.
    """

    n_alone: int = 5
    n_chance: int = 19


THOROUGH = Budget()
QUICK = Budget(0, 9)


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
        How many are shown on each side; those towards the prediction are left out together.
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
    Scores are estimates; the proof is the training without the ``top`` samples that are ranked first. A training
    may be so sensitive that leaving out any few samples moves its predictions as far: hence the random draws. A
    probability below all of 19 draws has a p-value of 1/20.

    Examples
    --------
    >>> import numpy as np
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
    >>> print(why[0].headline)
    Test sample 0: “low” (... %). Without its 5 most influential training samples ... %, ...
    """
    S = influence.renormalized if scores is None else scores
    shown = [_most_influential(S[:, j], top) for j in range(S.shape[1])]
    orders = [
        stream(seed, "influence by chance", i).permutation(np.flatnonzero(S.any(axis=1)))
        for i in range(budget.n_chance)
    ]
    chance = {n: [_group(order[:n]) for order in orders] for n in {len(towards) for towards, _ in shown} if n}
    trainings = _Trainings(retraining, query, influence.predicted_labels, dict(known or {}), run)
    trainings.learn(
        [
            *(towards for towards, _ in shown if towards),
            *((row,) for sides in shown for side in sides for row in side[: budget.n_alone]),
            *(group for groups in chance.values() for group in groups),
        ]
    )
    return [
        _explain(j, S[:, j], sides, chance.get(len(sides[0]), []), budget, influence, train, query, trainings)
        for j, sides in enumerate(shown)
    ]


def _most_influential(scores: Array, top: int) -> tuple[Group, Group]:
    """Return the samples with the highest scores above 0 and the lowest below, fewer than there are in all."""
    order = np.argsort(-scores, kind="stable")
    towards = tuple(int(i) for i in order if scores[i] > 0)[: min(top, len(scores) - 1)]
    return towards, tuple(int(i) for i in order[::-1] if scores[i] < 0)[:top]


def _group(rows: Iterable[int]) -> Group:
    return tuple(sorted(int(row) for row in rows))


class _Trainings:
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
        missing = [group for group in map(_group, groups) if group not in self.known]
        if self.retraining is not None and missing:
            self.known |= outputs_without(self.retraining, missing, run=self.run)

    def outcome(self, group: Sequence[int], j: int) -> Retrained | None:
        """Return what query sample j's prediction comes to without a group; None where it was not trained for."""
        outputs = self.known.get(_group(group))
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
    j: int,
    scores: Array,
    sides: tuple[Group, Group],
    chance: Sequence[Group],
    budget: Budget,
    influence: Influence,
    train: Dataset,
    query: Query,
    trainings: _Trainings,
) -> ExplainedPrediction:
    (towards, against), predicted = sides, int(influence.predicted_labels[j])
    log_odds = float(logit(query.full[j : j + 1], influence.predicted_labels[j : j + 1])[0])

    def influential(row: int, has_alone: bool) -> InfluentialSample:
        return InfluentialSample(
            row=row,
            label=class_name(train.classes, int(train.y[row]), 80),
            score=float(scores[row]),
            tracin=float(influence.tracin[row, j]),
            renormalized=float(influence.renormalized[row, j]),
            alone=trainings.outcome((row,), j) if has_alone else None,
            is_same=bool(np.array_equal(train.X[row], query.data.X[j])),
            name=train.file(row),
        )

    outcome = trainings.outcome(towards, j) if towards else None
    by_chance = [found for group in chance if (found := trainings.outcome(group, j)) is not None]
    singles = [trainings.outcome((i,), j) for i in range(len(train))]
    is_complete = all(found is not None for found in singles)
    return ExplainedPrediction(
        index=query.indices[j],
        predicted=class_name(query.classes, predicted, 80),
        actual=class_name(query.classes, int(query.data.y[j]), 80),
        probability=sigmoid(log_odds),
        log_odds=log_odds,
        towards=tuple(influential(row, k < budget.n_alone) for k, row in enumerate(towards)),
        against=tuple(influential(row, k < budget.n_alone) for k, row in enumerate(against)),
        proof=None if outcome is None else Proof(towards, outcome, tuple(by_chance)),
        n_single_changes=sum(bool(o and o.is_changed) for o in singles) if is_complete else None,
        n_single=len(singles) if is_complete else None,
        name=query.data.file(j),
        noun=train.noun,
    )
