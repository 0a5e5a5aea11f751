"""Why was this one missed? Which training samples influenced a prediction, and what it would be without them."""

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.evaluation.influence.logits import labels_of, logit
from pellucid.evaluation.influence.outcome import ExplainedPrediction, InfluentialSample, Retrained
from pellucid.evaluation.influence.retraining import Group, Retraining, Runner
from pellucid.evaluation.influence.tracin import Influence
from pellucid.plotting.style import class_name
from pellucid.rng import stream
from pellucid.runs.train_many import train_many
from pellucid.types import Array

N_DRAWS = 19  # trainings without samples drawn at random: a probability below all of them is one in 20


def explain_predictions(
    influence: Influence,
    train: Dataset,
    query: Dataset,
    rows: Sequence[int],
    outputs: Array,
    *,
    scores: Array | None = None,
    top: int = 5,
    retraining: Retraining | None = None,
    known: dict[Group, Array] | None = None,
    n_draws: int = N_DRAWS,
    run: Runner = train_many,
) -> list[ExplainedPrediction]:
    """Return, for each query sample, the samples that influenced its prediction, and the prediction without them.

    Parameters
    ----------
    influence : Influence
        Of the predictions, from the training samples to the query samples.
    train : Dataset
    query : Dataset, n samples
        In the order of the influence's columns.
    rows : sequence of int
        Where they stand in the test part.
    outputs : Array, shape (n, n_out)
        Of the query samples, when nothing is left out.
    scores : Array, shape (m, n), optional
        What training samples are ranked by; above 0: towards the prediction. Default: ``influence.renormalized``.
    top : int, optional
        How many are shown on each side; those towards the prediction are left out together.
    retraining : Retraining, optional
        Trains again without them; default: nothing is proved.
    known : dict of group to outputs, optional
        Trainings that need not be run again.
    n_draws : int, optional
        How many times as many samples as are shown towards a prediction, drawn at random, are left out together.
    run : callable, optional
        Takes a function and the groups, and returns its result for each group.

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
    >>> why = explain_predictions(influence, data, query, (0, 1), full, retraining=again)
    >>> why[0].predicted, len(why[0].towards)
    ('low', 5)
    >>> print(why[0].headline)
    Test sample 0: 'low' (... %). Without its 5 most influential training samples ... %, ...
    """
    S = influence.renormalized if scores is None else scores
    # The highest scores above 0, fewer than there are in all; the lowest below.
    shown: list[tuple[Group, Group]] = []
    for column in S.T:
        order = np.argsort(-column, kind="stable").tolist()
        high = [i for i in order if column[i] > 0][: min(top, len(column) - 1)]
        shown.append((tuple(high), tuple([i for i in order[::-1] if column[i] < 0][:top])))
    candidates = np.flatnonzero(S.any(axis=1))
    orders = [stream(0, "influence by chance", i).permutation(candidates) for i in range(n_draws)]
    drawn = {n: [_group(order[:n]) for order in orders] for n in {len(towards) for towards, _ in shown} if n}
    known = dict(known or {})
    if retraining is not None:
        groups = [*(_group(towards) for towards, _ in shown if towards), *chain(*drawn.values())]
        known |= run(retraining.without, [group for group in dict.fromkeys(groups) if group not in known])

    labels = influence.predicted_labels
    told = {group: (logit(Z, labels), labels_of(Z)) for group, Z in known.items()}
    log_odds = logit(outputs, labels)

    def without(left_out: Sequence[int], j: int) -> Retrained | None:
        if not left_out or _group(left_out) not in told:
            return None
        after, said = told[_group(left_out)]
        return Retrained(class_name(train.classes, int(said[j]), 80), sigmoid(after[j]), float(after[j]))

    def influential(row: int, j: int) -> InfluentialSample:
        return InfluentialSample(
            row=row,
            label=class_name(train.classes, int(train.y[row]), 80),
            score=float(S[row, j]),
            without=without((row,), j),
            is_same=bool(np.array_equal(train.X[row], query.X[j])),
            name=train.file(row),
        )

    found = []
    for j, (towards, against) in enumerate(shown):
        by_chance = [without(group, j) for group in drawn.get(len(towards), [])]
        found.append(
            ExplainedPrediction(
                index=rows[j],
                predicted=class_name(train.classes, int(labels[j]), 80),
                actual=class_name(train.classes, int(query.y[j]), 80),
                probability=sigmoid(log_odds[j]),
                log_odds=float(log_odds[j]),
                towards=tuple(influential(row, j) for row in towards),
                against=tuple(influential(row, j) for row in against),
                without=without(towards, j),
                by_chance=tuple(one for one in by_chance if one is not None),
                name=query.file(j),
                noun=train.noun,
            )
        )
    return found


def _group(rows: Iterable[int]) -> Group:
    return tuple(sorted(int(row) for row in rows))


def sigmoid(z: float) -> float:
    """Return the probability p whose log(p / (1 - p)) is z.

    Examples
    --------
    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    return float(np.exp(-np.logaddexp(0, -z)))
