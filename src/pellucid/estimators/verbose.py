"""What ``verbose`` prints, in scikit-learn's words."""

from pellucid.estimators.stopping import Convergence
from pellucid.training.events import EpochEnd, Event


class PrintProgress:
    """Print each epoch's loss and score, and why a training stops; called after its rule of convergence.

    Examples
    --------
    >>> PrintProgress(Convergence())(EpochEnd(None, 0, 0, {"loss": 0.5}))
    Iteration 1, loss = 0.50000000
    """

    def __init__(self, rule: Convergence) -> None:
        self.rule = rule

    def __call__(self, event: Event) -> None:
        """Listen."""
        if not isinstance(event, EpochEnd):
            return
        print(f"Iteration {event.epoch + 1}, loss = {event.loss:.8f}")
        if self.rule.scores:
            print(f"Validation score: {self.rule.scores[-1]:f}")
        if self.rule.message:
            print(self.rule.message)
