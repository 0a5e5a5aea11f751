"""Random seeds: the same network trained from many starts. How much of its accuracy is luck?"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.dataset import Split
from pellucid.errors import OptionError, PellucidError, TrainingError
from pellucid.evaluation.comparison.labels import check_labels, check_untrained, predicted_labels
from pellucid.plotting.types import Figure
from pellucid.prediction.confusion import confusion_matrix
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.candidates import Candidate
from pellucid.runs.train_many import Trained, TrainingJob, Trainings, train_all
from pellucid.stats.t_tests import MeanDifference, welch_difference
from pellucid.text import percent
from pellucid.text_blocks import Result, as_json
from pellucid.textbook.published import PUBLISHED_TEST_ACCURACY
from pellucid.types import Array

QUARTILES = ("min", "lower_quartile", "median", "upper_quartile", "max")


@dataclass(frozen=True)
class SeedTraining:
    """One training from one random seed.

    Attributes
    ----------
    seed : int
    accuracy, balanced_accuracy : float or None
        On the test part; None where the training failed.
    n_correct : int or None
    final_loss : float or None
        On the training part.
    seconds : float
        Of the training.
    form : str
        The form that it was trained in, ``"dual"`` or ``"direct"``.
    theta_sha256 : str
        Of the trained parameters: equal for networks that are the same bit for bit.
    fault : str
        Why the training failed, or why there are no scores; else empty.
    """

    seed: int
    accuracy: float | None = None
    balanced_accuracy: float | None = None
    n_correct: int | None = None
    final_loss: float | None = None
    seconds: float = 0.0
    form: str = ""
    theta_sha256: str = ""
    fault: str = ""


@dataclass(frozen=True, eq=False)
class SeedRuns:
    """All starts of one network, by seed."""

    letter: str
    source: str
    starts: tuple[SeedTraining, ...]

    @property
    def accuracies(self) -> Array:
        """The test accuracy of every start that did not fail, shape (n,)."""
        return np.array([start.accuracy for start in self.starts if start.accuracy is not None])

    @property
    def failed(self) -> tuple[SeedTraining, ...]:
        """The starts whose training failed."""
        return tuple(start for start in self.starts if start.fault)

    @property
    def is_deterministic(self) -> bool:
        """Whether every seed gave the same network."""
        return len(self.starts) > 1 and len({start.theta_sha256 for start in self.starts}) == 1

    def spread(self) -> dict[str, float]:
        """Return minimum, quartiles, maximum, mean and standard deviation (of the sample) of the accuracies."""
        values = self.accuracies
        points = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
        deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        named = dict(zip(QUARTILES, map(float, points), strict=True))
        return {**named, "mean": float(values.mean()), "standard_deviation": deviation}


@dataclass(frozen=True, eq=False, repr=False)
class SeedComparison(Result):
    """Trainings of one or two networks from many random seeds.

    Attributes
    ----------
    data, noun : str
        The data's name, and what one of its samples is called: "photo" or "sample".
    n_test : int
    baseline : float
        The accuracy of the majority-class baseline on the test part, always ``majority_class``.
    n_seeds : int
        As asked for; ``runs`` may hold fewer where it was stopped.
    runs : tuple of SeedRuns
        Of A, and of B where there is one, from the same seeds.
    """

    name = "seeds"
    in_json = "data n_test n_seeds is_complete headline"
    columns = (
        "model",
        *(name.replace("_", " ") for name in QUARTILES),
        *("mean", "sd", "above baseline", "reach reference"),
    )

    data: str
    noun: str
    n_test: int
    baseline: float
    majority_class: str
    n_seeds: int
    runs: tuple[SeedRuns, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every start was trained."""
        return len(self.runs[0].starts) == self.n_seeds

    def reference(self) -> tuple[float, str]:
        """Return an accuracy to compare with, and its name: the published one, else A's first."""
        if self.data == "catvnoncat":
            return PUBLISHED_TEST_ACCURACY, "published"
        first = next(start for start in self.runs[0].starts if start.accuracy is not None)
        assert first.accuracy is not None
        return first.accuracy, f"seed {first.seed}"

    def difference(self) -> MeanDifference | None:
        """Return by how much B's accuracies exceed A's; None where there is only A."""
        if len(self.runs) == 1:
            return None
        return welch_difference(self.runs[0].accuracies, self.runs[1].accuracies)

    @property
    def headline(self) -> str:
        """Of one network how much depends on the start; of two, which is better over their starts."""
        difference, n = self.difference(), len(self.runs[0].starts)
        if difference is None:
            row, (_, of) = self.to_rows()[0], self.reference()
            if self.runs[0].is_deterministic:
                return f"All {n} starts give the same network, accuracy {row['median']:.3f}."
            reached = f"{row['n_at_least_reference']} of {row['n_starts'] - row['n_failed']}"
            return (
                f"Accuracy {row['min']:.3f} to {row['max']:.3f} over {n} starts, median {row['median']:.3f}; "
                f"{reached} reach that of {of}."
            )
        interval = "" if difference.low is None else f" ({difference.low:+.3f} to {difference.high:+.3f})"
        equal = f", equal in {percent(difference.ties)}" if difference.ties else ""
        return (
            f"Accuracy, B minus A: {difference.mean:+.3f}{interval}, mean over {n} starts of each. "
            f"Of pairs of starts B is higher in {percent(difference.wins)}{equal}."
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """The baseline and what the last columns refer to, and starts that failed."""
        value, of = self.reference()
        stopped = f"Stopped after {len(self.runs[0].starts)} of {self.n_seeds} starts."
        return (
            f"On {self.n_test} test {self.noun}s. Baseline (always {self.majority_class!r}): {self.baseline:.3f}; "
            f"reference ({of}): {value:.3f}.",
            *(
                f"{runs.letter}, seed {one.seed}: {one.fault}"
                for runs in self.runs
                for one in runs.failed[:3]
            ),
            *([] if self.is_complete else [stopped]),
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row for each network: the spread of its accuracies, and how many reach the reference."""
        reference = self.reference()[0]
        return [
            {
                "model": runs.letter,
                "source": runs.source,
                "n_starts": len(runs.starts),
                "n_failed": len(runs.failed),
                **runs.spread(),
                "n_above_baseline": int((runs.accuracies > self.baseline + 1e-12).sum()),
                "n_at_least_reference": int((runs.accuracies >= reference - 1e-12).sum()),
                "is_deterministic": runs.is_deterministic,
            }
            for runs in self.runs
        ]

    def cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return a row as it is printed."""
        points = (f"{row[name]:.3f}" for name in (*QUARTILES, "mean", "standard_deviation"))
        n = row["n_starts"] - row["n_failed"]
        counts = (f"{row[name]} of {n}" for name in ("n_above_baseline", "n_at_least_reference"))
        return f"{row['model']}: {row['source']}", *points, *counts

    def to_dict(self) -> dict[str, Any]:
        """Return every start as JSON can hold it."""
        value, name = self.reference()
        rows = zip(self.to_rows(), self.runs, strict=True)
        return super().to_dict() | {
            "baseline": {"accuracy": self.baseline, "majority_class": self.majority_class},
            "reference": {"accuracy": value, "of": name},
            "rows": [{**row, "starts": as_json(runs.starts)} for row, runs in rows],
            "difference": as_json(self.difference()),
        }

    def figures(self) -> dict[str, Figure]:
        """Return the figure of every start."""
        from pellucid.evaluation.comparison.plot_comparison import seed_figure

        return {self.name: seed_figure(self)}


def compare_seeds(
    split: Split,
    candidates: Sequence[Candidate],
    n_seeds: int,
    *,
    first_seed: int = 1,
    n_jobs: int = 1,
    progress: ProgressCallback = no_progress,
) -> SeedComparison:
    """Train each candidate from many random seeds and test each network.

    Parameters
    ----------
    split : Split
        Every start is trained on the training part and tested on the test part.
    candidates : sequence of Candidate
        One or two, none trained already.
    n_seeds : int, at least 2
        Starts of each, from ``first_seed`` on.
    n_jobs : int, optional
        Processes. Each start gives the same network bit for bit as ``train(..., seed=seed)`` alone does (with one
        BLAS thread, and one thread where the recipe leaves it open), however many there are.
    progress : callable, optional
        Called with a stage, how many starts are done, of how many, and the last one's accuracy.

    Returns
    -------
    SeedComparison
        After Ctrl-C, with those seeds that are done for every candidate.

    Raises
    ------
    OptionError, DataError
        If a candidate is a trained model, or does not fit the data.
    TrainingError
        If every start of a candidate fails.

    Notes
    -----
    A network that begins from the tutorial's published weights would always begin from the same; here it draws
    from ``numpy.random.RandomState(seed)``, as the tutorial would with another number in ``np.random.seed(1)``.
    """
    if n_seeds < 2:
        raise OptionError(
            f"--seeds: expected 2 or more, got {n_seeds}. A single start has no spread; try 100."
        )
    if not 0 <= first_seed <= 2**32 - n_seeds:
        raise OptionError(f"--seed: expected a whole number from 0 to {2**32 - n_seeds}, got {first_seed}.")
    check_untrained(candidates, "--seeds", "its start cannot be drawn again")
    check_labels(split)
    trainings = Trainings(candidates, split, _score, draws_start=True)

    def show(n: int, job: TrainingJob, start: SeedTraining | PellucidError) -> None:
        words = str(start)[:40] if isinstance(start, PellucidError) else f"accuracy {start.accuracy:.3f}"
        progress("starts", n, n_seeds * len(candidates), words)

    done = train_all(trainings, n_seeds, seed=first_seed, n_jobs=n_jobs, least=1, on_done=show)
    runs = tuple(
        SeedRuns(
            candidate.letter,
            candidate.source,
            tuple(
                SeedTraining(seed, fault=str(one)) if isinstance(one, PellucidError) else one
                for seed, one in zip(done, of_one, strict=True)
            ),
        )
        for candidate, of_one in zip(candidates, zip(*done.values(), strict=True), strict=True)
    )
    for one in runs:
        if not len(one.accuracies):
            raise TrainingError(f"{one.letter} ({one.source}): every start failed. {one.starts[0].fault}")
    majority = int(np.bincount(split.train.y).argmax())
    truth = confusion_matrix(split.test.y, split.test.y, split.classes, majority)  # for its baseline
    return SeedComparison(
        data=split.name,
        noun=split.test.noun,
        n_test=len(split.test),
        baseline=truth.baseline,
        majority_class=truth.majority_class,
        n_seeds=n_seeds,
        runs=runs,
    )


def _score(job: TrainingJob, trained: Trained) -> SeedTraining:
    model, history, test = trained.model, trained.history, trained.test
    found = confusion_matrix(test.y, predicted_labels(trained.candidate, model, test), test.classes)
    return SeedTraining(
        seed=job.seed,
        accuracy=found.accuracy,
        balanced_accuracy=found.balanced_accuracy,
        n_correct=found.n_correct,
        final_loss=history.losses[-1] if history.losses else None,
        seconds=history.seconds,
        form=history.form,
        theta_sha256=hashlib.sha256(model.theta.tobytes()).hexdigest(),
    )
