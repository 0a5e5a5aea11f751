"""The output of ``verbose``, worded as in scikit-learn."""

from pellucid.estimators.stopping import Convergence
from pellucid.training.events import EpochEnd, Event


class PrintProgress:
    """Print each epoch's loss and score, and why training stops; called after its convergence rule.

    Examples
    --------
    >>> PrintProgress(Convergence())(EpochEnd(None, 0, 0, {"loss": 0.5}))
    Iteration 1, loss = 0.50000000
    """

    def __init__(self, rule: Convergence) -> None:
        self.rule = rule

    def __call__(self, event: Event) -> None:
        """Print the loss and the score of each epoch."""
        if not isinstance(event, EpochEnd):
            return
        print(f"Iteration {event.epoch + 1}, loss = {event.loss:.8f}")
        if self.rule.scores:
            print(f"Validation score: {self.rule.scores[-1]:f}")
        if self.rule.message:
            print(self.rule.message)
