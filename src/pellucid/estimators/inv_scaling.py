"""A learning rate that falls with a power of the number of samples seen."""

from typing import Any, final

from pellucid.training.schedules import Schedule
from pellucid.training.validate import check_count, check_number


@final
class InverseScaling(Schedule):
    """Divide the learning rate, after each epoch, by a power of the samples seen so far.

    Parameters
    ----------
    n_samples : int
        Of an epoch.
    power : float, optional
        0 or more.
    n_seen : int, optional
        Samples seen by earlier trainings.
    is_resumed : bool, optional
        Whether the first epoch's rate is already divided; default: it is the full one, whatever was seen.

    Notes
    -----
    1 / (t + 1)^power after t samples, as scikit-learn has it; constant within an epoch.

    Examples
    --------
    >>> InverseScaling(n_samples=3, power=0.5).factor_of_epoch(1)
    0.5
    """

    def __init__(
        self, n_samples: int, power: float = 0.5, *, n_seen: int = 0, is_resumed: bool = False
    ) -> None:
        super().__init__()
        self.n_samples = check_count("n_samples", n_samples)
        self.power = check_number("power", power, at_least=0)
        self.n_seen = check_count("n_seen", n_seen, at_least=0)
        self.is_resumed = is_resumed
        self.n_epochs_done = 0

    def factor_of_epoch(self, epoch: int) -> float:
        """Return the factor at an epoch, counted from 0 where the training began."""
        if epoch == 0 and not self.is_resumed:
            return 1.0
        return float((self.n_seen + epoch * self.n_samples + 1) ** -self.power)

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor; it goes by the epochs that were observed, not by the step's number."""
        return self.factor_of_epoch(self.n_epochs_done)

    def start(self, base_rate: float, n_steps: int) -> None:
        """Begin anew at the first epoch."""
        super().start(base_rate, n_steps)
        self.n_epochs_done = 0

    def observe(self, metric: float) -> None:
        """Count an epoch."""
        self.n_epochs_done += 1

    def config(self) -> dict[str, Any]:
        """Return the options by name."""
        names = ("n_samples", "power", "n_seen", "is_resumed")
        return {**super().config(), **{name: getattr(self, name) for name in names}}

    number_names = (*Schedule.number_names, "n_epochs_done")
