"""Why was this one missed? The training samples that pushed a verdict, and what it would be without them.

Two ways to find them. :func:`trace_influence` follows the gradients over a training (TracIn): cheap, an estimate.
:func:`leave_one_out` trains again without each sample: exact, and affordable where the dual form makes a training
short. :func:`explain_verdicts` then trains again without whole groups and says, in words and numbers, what the
verdict would be, beside what leaving out as many samples at random does: where training amplifies any small change,
one sample left out says little, and only that comparison tells.

The parts lie in this folder; figures in :mod:`pellucid.evaluation.influence.figures`.

Examples
--------
>>> import numpy as np
>>> from pellucid.nn.presets import preset
>>> from pellucid.training.fit import train
>>> from pellucid.training.optimizers.sgd import SGD
>>> from pellucid.data.dataset import Dataset
>>> rng = np.random.default_rng(1)
>>> y = np.arange(20) % 2
>>> data = Dataset(rng.normal(size=(20, 3)) + 4 * y[:, None], y, ("low", "high"))
>>> asked = data.take(np.arange(2))
>>> def fit(model, data, callbacks):
...     train(model, data, optimizer=SGD(0.1), n_epochs=100, callbacks=callbacks)
>>> start = preset("logistic")
>>> start.initialize((3,))
>>> again = Retraining(start, data, asked.X, fit)
>>> model, whole, moments = again.traced()
>>> influence = trace_influence(model, moments, data, asked)
>>> influence.tracin.shape
(20, 2)
>>> why = explain_verdicts(influence, data, Query(asked, (0, 1), whole, data.classes), retraining=again)
>>> why[0].verdict, len(why[0].towards)
('low', 5)
>>> print(in_words(why[0], "sample")[0])
Test sample 0 is a “low”, and the network says so (... %).
"""

from pellucid.evaluation.influence.explain import QUICK, THOROUGH, Budget, Query, explain_verdicts
from pellucid.evaluation.influence.logits import check_classifier, logit, verdicts_of
from pellucid.evaluation.influence.records import Explanation, GroupRemoval, InfluentialSample, Retrained
from pellucid.evaluation.influence.retraining import (
    LeaveOneOut,
    Retraining,
    Traced,
    leave_one_out,
    outputs_without,
    project_to_span,
)
from pellucid.evaluation.influence.snapshots import KeepSnapshots, Snapshot, last_snapshot, read_snapshot
from pellucid.evaluation.influence.text import in_words
from pellucid.evaluation.influence.tracin import Influence, fresh_copy, trace_influence

__all__ = [
    "QUICK",
    "THOROUGH",
    "Budget",
    "Explanation",
    "GroupRemoval",
    "Influence",
    "InfluentialSample",
    "KeepSnapshots",
    "LeaveOneOut",
    "Query",
    "Retrained",
    "Retraining",
    "Snapshot",
    "Traced",
    "check_classifier",
    "explain_verdicts",
    "fresh_copy",
    "in_words",
    "last_snapshot",
    "leave_one_out",
    "logit",
    "outputs_without",
    "project_to_span",
    "read_snapshot",
    "trace_influence",
    "verdicts_of",
]
