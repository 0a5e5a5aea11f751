"""Did it help to train on the last blocks of a pretrained body? By folds of the training part, with and without."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.dataset import Split
from pellucid.errors import PellucidError
from pellucid.evaluation.comparison.labels import check_labels
from pellucid.evaluation.comparison.splitting import check_counts, make_folds
from pellucid.prediction.predict import predict
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.build import without_unfreezing
from pellucid.runs.candidates import Candidate
from pellucid.runs.config import RunConfig
from pellucid.runs.train_many import Trained, TrainingJob, Trainings, n_jobs_that_fit, train_all, undivided
from pellucid.stats.t_tests import FoldMean, corrected_t_interval
from pellucid.types import Array

N_FOLDS = 3
METRICS = ("balanced_accuracy", "log_loss")


@dataclass(frozen=True, eq=False)
class Unfreezing:
    """What held-out folds score with the body as it was, and with its last blocks trained on.

    Attributes
    ----------
    n_blocks : int
    balanced_accuracy, log_loss : Array, shape (2, n_folds)
        Without and with.
    """

    n_blocks: int
    balanced_accuracy: Array
    log_loss: Array

    @property
    def helped(self) -> bool:
        """Whether the mean log loss is lower with it, and the mean balanced accuracy no lower."""
        return self.difference("log_loss").mean < 0 <= self.difference("balanced_accuracy").mean

    def difference(self, metric: str) -> FoldMean:
        """Return by how much a metric is larger with it, over the folds."""
        without, with_it = getattr(self, metric)
        return corrected_t_interval(with_it - without, 1 / (N_FOLDS - 1))  # test over training samples

    @property
    def headline(self) -> str:
        """What both score, by how much they differ, and whether it helped."""
        parts, both = [], [self.difference(metric) for metric in METRICS]
        for metric, found in zip(METRICS, both, strict=True):
            without, with_it = getattr(self, metric).mean(axis=1)
            interval = "" if found.low is None else f", 95 % {found.low:+.3f} to {found.high:+.3f}"
            name = metric.replace("_", " ")
            parts.append(f"{name} {with_it:.3f}, without it {without:.3f} ({found.mean:+.3f}{interval})")
        is_sure = any(one.low is not None and one.low * (one.high or 0) > 0 for one in both)
        better = "It helped." if is_sure else "It helped, by no more than chance may."
        verdict = better if self.helped else "It did not help: leave out --unfreeze."
        how = f"--unfreeze {self.n_blocks}, by {N_FOLDS} folds of the training part"
        return f"{how}: {'; '.join(parts)}. {verdict}"

    def to_dict(self) -> dict[str, Any]:
        """Return the scores of each fold, without and with, and the headline, as JSON can hold them."""
        scores = {name: getattr(self, name).tolist() for name in METRICS}
        return {"headline": self.headline, "helped": self.helped, **scores}


def _score(job: TrainingJob, trained: Trained) -> tuple[float, float]:
    found = predict(trained.model, trained.test)
    return found.confusion.balanced_accuracy, float(found.losses.mean())


def compare_unfreezing(
    split: Split, config: RunConfig, *, progress: ProgressCallback = no_progress
) -> Unfreezing:
    """Train on folds of the training part, without and with the last blocks of the body.

    Parameters
    ----------
    split : Split
        Of one class a sample; the test part is not looked at.
    config : RunConfig
        With ``unfreeze``.
    progress : callable, optional

    Raises
    ------
    OptionError, DataError
        If the samples have no classes, or a class fewer samples than there are folds.
    """
    check_labels(split)
    check_counts(split.train, split.name, N_FOLDS)
    rows = make_folds(split.train, N_FOLDS).rows
    pair = without_unfreezing(config), config
    candidates = [Candidate(letter, "pretrained", config=one) for letter, one in zip("AB", pair, strict=True)]
    trainings = Trainings(candidates, undivided(split.train, split), _score, rows)

    def show(n: int, job: TrainingJob, result: Any) -> None:
        if isinstance(result, PellucidError):
            raise type(result)(f"fold {job.fold + 1}: {result}") from None
        progress("folds", n, 2 * N_FOLDS, f"balanced accuracy {result[0]:.3f}")

    n_jobs = n_jobs_that_fit(candidates)
    done = train_all(trainings, N_FOLDS, seed=config.options.seed, n_jobs=n_jobs, on_done=show)
    scores = np.array([*done.values()]).transpose(2, 1, 0)  # by metric, side and fold
    return Unfreezing(config.unfreeze or 0, *scores)
