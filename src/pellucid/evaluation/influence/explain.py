"""Why was this one missed? Which training samples pushed a verdict, and what it would be without them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.influence.logits import logit, verdicts_of
from pellucid.evaluation.influence.records import Explanation, GroupRemoval, InfluentialSample, Retrained
from pellucid.evaluation.influence.retraining import (
    Group,
    Retraining,
    Runner,
    one_after_another,
    outputs_without,
)
from pellucid.evaluation.influence.tracin import Influence
from pellucid.plotting.style import class_name
from pellucid.rng import stream
from pellucid.types import Array


class Budget(NamedTuple):
    """How much is trained again for each asked sample.

    Attributes
    ----------
    sizes : tuple of int
        How many of the samples that pushed hardest are left out together, one training for each size.
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
    """Samples whose verdicts are to be explained."""

    data: Dataset  # in the order of the influence's columns
    indices: tuple[int, ...]  # where they stand in the test part
    whole: Array  # (n, n_out) outputs when nothing is left out
    classes: tuple[str, ...]


def explain_verdicts(
    influence: Influence,
    train: Dataset,
    asked: Query,
    *,
    scores: Array | None = None,
    top: int = 5,
    retraining: Retraining | None = None,
    known: dict[Group, Array] | None = None,
    effort: Budget = THOROUGH,
    seed: int = 0,
    run: Runner = one_after_another,
) -> list[Explanation]:
    """Return, for each asked sample, who pushed its verdict, and what it would be without them.

    Parameters
    ----------
    influence : Influence
        Of the verdicts, from the training samples to the asked ones.
    train : Dataset
    asked : Asked
    scores : Array, shape (m, n), optional
        What training samples are ranked by; above 0: towards the verdict. Default: ``influence.renormalized``.
    top : int, optional
        How many are shown on each side.
    retraining : Retraining, optional
        Trains again without them; default: nothing is proved.
    known : dict of group to outputs, optional
        Trainings that need not be run again.
    effort : Effort, optional
    seed : int, optional
        Of the random orders.
    run : callable, optional
        See :func:`pellucid.evaluation.influence.retraining.leave_one_out`.

    Returns
    -------
    list of Explanation

    Notes
    -----
    Leaving out growing groups in the order of their influence until the verdict flips is the greedy search of Yang,
    Jain and Wallace (2023); the group is small, not proved to be the smallest. A training may be so sensitive that
    leaving out any few samples moves its verdicts as far: growing groups drawn at random tell.
    """
    S = influence.renormalized if scores is None else scores
    plans = [_plan(S[:, j], effort, top) for j in range(S.shape[1])]
    proof = _Proof(retraining, asked, influence.verdicts, dict(known or {}), run)
    proof.learn(group for plan in plans for group in plan.all_groups)
    made = [_explain(j, S[:, j], plan, influence, train, asked, proof) for j, plan in enumerate(plans)]
    return _with_chance(made, np.flatnonzero(S.any(axis=1)), proof, effort.n_chance, seed)


class _Plan(NamedTuple):
    """What is trained again for one asked sample."""

    towards: tuple[int, ...]  # shown, the hardest push first
    against: tuple[int, ...]
    ladder: tuple[tuple[int, ...], ...]
    n_alone: int

    @property
    def all_groups(self) -> list[Group]:
        alone = (*self.towards[: self.n_alone], *self.against[: self.n_alone])
        groups = [*self.ladder, self.against, *((row,) for row in alone)]
        return [tuple(sorted(group)) for group in groups if group]


def _plan(scores: Array, effort: Budget, top: int) -> _Plan:
    order = np.argsort(-scores, kind="stable")
    towards = tuple(int(i) for i in order if scores[i] > 0)
    against = tuple(int(i) for i in order[::-1] if scores[i] < 0)
    most = min(len(towards), len(scores) - 1)
    sizes = sorted({min(size, most) for size in effort.sizes if most})
    return _Plan(towards[:top], against[:top], tuple(towards[:size] for size in sizes), effort.n_alone)


class _Proof:
    """Trainings without groups of samples, each run once."""

    def __init__(
        self,
        retraining: Retraining | None,
        asked: Query,
        verdicts: Array,
        known: dict[Group, Array],
        run: Runner,
    ) -> None:
        self.retraining, self.asked, self.verdicts, self.known, self.run = (
            retraining,
            asked,
            verdicts,
            known,
            run,
        )

    def learn(self, groups: Iterable[Group]) -> None:
        """Train without each group that is not known yet."""
        missing = [group for group in groups if group not in self.known]
        if self.retraining is not None and missing:
            self.known |= outputs_without(self.retraining, missing, run=self.run)

    def outcome(self, group: Sequence[int], j: int) -> Retrained | None:
        """Return what asked sample j's verdict comes to without a group; None where it was not trained for."""
        outputs = self.known.get(tuple(sorted(group)))
        if outputs is None:
            return None
        odds = float(logit(outputs[j : j + 1], self.verdicts[j : j + 1])[0])
        label = int(verdicts_of(outputs[j : j + 1])[0])
        name = class_name(self.asked.classes, label, 80)
        return Retrained(name, chance_of(odds), odds, label != int(self.verdicts[j]))


def chance_of(odds: float) -> float:
    """Return the probability p whose log(p / (1 - p)) is given.

    Examples
    --------
    >>> chance_of(0.0), chance_of(-1000.0)
    (0.5, 0.0)
    """
    e = math.exp(-abs(odds))
    return (1 if odds >= 0 else e) / (1 + e)


def _explain(
    j: int, scores: Array, plan: _Plan, influence: Influence, train: Dataset, asked: Query, proof: _Proof
) -> Explanation:
    verdict = int(influence.verdicts[j])
    odds = float(logit(asked.whole[j : j + 1], influence.verdicts[j : j + 1])[0])
    x = asked.data.X[j]

    def pusher(row: int, has_alone: bool) -> InfluentialSample:
        return InfluentialSample(
            row=row,
            label=class_name(train.classes, int(train.y[row]), 80),
            score=float(scores[row]),
            tracin=float(influence.tracin[row, j]),
            renormalized=float(influence.renormalized[row, j]),
            alone=proof.outcome((row,), j) if has_alone else None,
            is_same=bool(np.array_equal(train.X[row], x)),
        )

    def removal(rows: tuple[int, ...]) -> GroupRemoval | None:
        outcome = proof.outcome(rows, j) if rows else None
        return None if outcome is None else GroupRemoval(rows, outcome)

    singles = [proof.outcome((i,), j) for i in range(len(train))]
    is_whole = all(outcome is not None for outcome in singles)
    removals = [removal(rows) for rows in plan.ladder]
    return Explanation(
        index=asked.indices[j],
        verdict=class_name(asked.classes, verdict, 80),
        actual=class_name(asked.classes, int(asked.data.y[j]), 80),
        probability=chance_of(odds),
        log_odds=odds,
        towards=tuple(pusher(row, k < plan.n_alone) for k, row in enumerate(plan.towards)),
        against=tuple(pusher(row, k < plan.n_alone) for k, row in enumerate(plan.against)),
        removals=tuple(found for found in removals if found is not None),
        without_against=removal(plan.against),
        n_single_changes=sum(bool(o and o.is_changed) for o in singles) if is_whole else None,
        n_single=len(singles) if is_whole else None,
    )


def _with_chance(
    made: list[Explanation], rows: Array, proof: _Proof, n_chance: int, seed: int
) -> list[Explanation]:
    """Add to each group, up to the one worth telling of, what leaving out as many drawn at random does."""
    orders = [stream(seed, "influence by chance", i).permutation(rows) for i in range(n_chance)]

    def drawn(size: int) -> list[Group]:
        return [tuple(sorted(order[:size].tolist())) for order in orders]

    largest = max((len(one.told.rows) for one in made if one.told is not None), default=0)
    sizes = sorted({len(r.rows) for one in made for r in one.removals if len(r.rows) <= largest})
    proof.learn(group for size in sizes for group in drawn(size))

    def beside(removal: GroupRemoval, told: GroupRemoval, j: int) -> GroupRemoval:
        if len(removal.rows) > len(told.rows):
            return removal
        outcomes = [proof.outcome(group, j) for group in drawn(len(removal.rows))]
        return replace(removal, by_chance=tuple(outcome for outcome in outcomes if outcome is not None))

    return [
        one
        if one.told is None
        else replace(one, removals=tuple(beside(r, one.told, j) for r in one.removals))
        for j, one in enumerate(made)
    ]
