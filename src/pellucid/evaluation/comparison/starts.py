"""The records of trainings from many random seeds."""

from dataclasses import dataclass

import numpy as np

from pellucid.types import Array

QUARTILES = ("min", "lower_quartile", "median", "upper_quartile", "max")


@dataclass(frozen=True)
class Start:
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
    accuracy: float | None
    balanced_accuracy: float | None
    n_correct: int | None
    final_loss: float | None
    seconds: float
    form: str
    theta_sha256: str
    fault: str = ""


@dataclass(frozen=True, eq=False)
class SeedRuns:
    """All starts of one network, by seed."""

    letter: str
    source: str
    starts: tuple[Start, ...]

    @property
    def accuracies(self) -> Array:
        """The test accuracy of every start that did not fail, shape (n,)."""
        return np.array([start.accuracy for start in self.starts if start.accuracy is not None])

    @property
    def failed(self) -> tuple[Start, ...]:
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

    def n_at_least(self, accuracy: float) -> int:
        """Return how many starts have this accuracy or more."""
        return int((self.accuracies >= accuracy - 1e-12).sum())

    def n_above(self, accuracy: float) -> int:
        """Return how many starts have more than this accuracy."""
        return int((self.accuracies > accuracy + 1e-12).sum())
