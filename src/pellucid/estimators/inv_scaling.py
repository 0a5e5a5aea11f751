"""A learning rate that falls with a power of the number of samples seen."""

from dataclasses import KW_ONLY, dataclass
from typing import final

from pellucid.registry import option
from pellucid.training.schedules.base import Schedule


@final
@dataclass
class InverseScaling(Schedule):
    """Divide the learning rate, after each epoch, by a power of the samples seen so far.

    Notes
    -----
    1 / (t + 1)^power after t samples, as in scikit-learn; constant within an epoch.

    Examples
    --------
    >>> InverseScaling(n_samples=3, power=0.5).factor_of_epoch(1)
    0.5
    """

    number_names = (*Schedule.number_names, "n_epochs_done")

    n_samples: int = option(at_least=1, help="Samples in an epoch.")
    power: float = option(0.5, at_least=0, help="The exponent.")
    _: KW_ONLY
    n_seen: int = option(0, at_least=0, help="Samples seen by earlier trainings.")
    is_resumed: bool = option(False, help="Divide the first epoch's rate too; default: it is the full one.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.n_epochs_done = 0

    def factor_of_epoch(self, epoch: int) -> float:
        """Return the factor at an epoch, counted from 0 where the training began."""
        if epoch == 0 and not self.is_resumed:
            return 1.0
        return float((self.n_seen + epoch * self.n_samples + 1) ** -self.power)

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor, from the epochs observed, not from the step's number."""
        return self.factor_of_epoch(self.n_epochs_done)

    def start(self, base_rate: float, n_steps: int) -> None:
        """Restart at the first epoch."""
        super().start(base_rate, n_steps)
        self.n_epochs_done = 0

    def observe(self, metric: float) -> None:
        """Count an epoch."""
        self.n_epochs_done += 1
