"""Stopping when training has converged, by scikit-learn's rule."""

from collections.abc import Callable
from typing import final

import numpy as np

from pellucid.nn.model import Model
from pellucid.training.callbacks.early_stopping import Stopping
from pellucid.training.events import EpochEnd, TrainingState, TrainStart

LOWEST_RATE = 1e-6  # down to which an adaptive learning rate is divided


@final
class Convergence(Stopping):
    """Stop once ``patience`` consecutive epochs have not improved on the best by a tolerance.

    Parameters
    ----------
    tolerance : float, optional
        An epoch counts as better if its loss is below the best by this, or its score not below the best plus
        this; 0 or more.
    patience : float, optional
        Consecutive epochs without improvement; the next one ends the training. May be infinite.
    score : callable, optional
        Given the run and the epoch's event, returns a score, where higher is better. Then the best parameters are
        restored at the end. Default: the epoch's loss, where lower is better.
    divisor : float, optional
        Instead of stopping, divide the learning rate by this, as long as it is above ``LOWEST_RATE``, and restart
        the patience.
    best : float, optional
        The best of an earlier training that this one continues.
    n_waited : int, optional
        Epochs that it had waited.

    Attributes
    ----------
    best : float
        The smallest loss, or the highest score.
    scores : list of float
        Of each epoch, where there is a score.
    n_waited : int
        Consecutive epochs without improvement.
    has_converged : bool
        Whether that ended the training.
    run : TrainingState or None
        The training that it watches, or watched.
    message : str
        A sentence on what was done at the last epoch, or "".

    Notes
    -----
    NaN is neither better nor worse: it restarts the patience, and is never the best.

    Examples
    --------
    >>> from pellucid.training.history import History
    >>> rule = Convergence(tolerance=0.1, patience=1)
    >>> [rule(EpochEnd(None, epoch, epoch, {"loss": loss})) for epoch, loss in enumerate([1.0, 0.5, 0.45, 0.42])]
    [False, False, False, True]
    """

    def __init__(
        self,
        *,
        tolerance: float = 1e-4,
        patience: float = 10,
        score: Callable[[TrainingState, EpochEnd], float] | None = None,
        divisor: float | None = None,
        best: float | None = None,
        n_waited: int = 0,
        verbose: bool = False,
    ) -> None:
        self.tolerance, self.divisor = tolerance, divisor
        self.patience, self.score, self.verbose = patience, score, verbose
        super().__post_init__()
        self.best = best if best is not None else np.inf if score is None else -np.inf
        self.n_waited = n_waited
        self.has_converged = False
        self.message = ""
        self.scores: list[float] = []

    def train_start(self, event: TrainStart) -> None:
        """Store the run and, where there is a score, the weights to restore; begin again with another network."""
        if self.run is not None and self.run.model is not event.run.model:
            self.best, self.n_waited, self.scores = np.inf if self.score is None else -np.inf, 0, []
        super().train_start(event)
        if self.score is not None:
            self.weights.keep(event.run.model)

    def put_back(self, model: Model) -> bool:
        """Restore the best parameters of a model whose training failed; False if none were kept."""
        if self.run is None or self.run.model is not model or self.weights.theta is None:
            return False
        return self.weights.restore(model, self.run.form.to_plain(self.weights.theta))

    def epoch_end(self, event: EpochEnd) -> bool:
        """Compare an epoch with the best, and return whether to stop."""
        self.message = ""
        if self.score is None:
            is_worse = event.loss > self.best - self.tolerance
            self.best = min(self.best, event.loss) if event.loss == event.loss else self.best
        else:
            value = self.score(event.run, event)
            self.scores.append(value)
            is_worse = value < self.best + self.tolerance
            if value > self.best:
                self.best = value
                self.weights.keep(event.run.model)
        stops = self.has_waited(self.patience, is_better=not is_worse) and self._give_up()
        if self.verbose:  # in scikit-learn's words
            print(f"Iteration {event.epoch + 1}, loss = {event.loss:.8f}")
            if self.scores:
                print(f"Validation score: {self.scores[-1]:f}")
            if self.message:
                print(self.message)
        return stops

    def _give_up(self) -> bool:
        """Return whether to stop: not while the learning rate can still be reduced."""
        what = "Training loss" if self.score is None else "Validation score"
        self.message = f"{what} did not improve more than tol={self.tolerance:f} for {self.patience:g} "
        self.message += "consecutive epochs."
        if self.divisor is not None:
            assert self.run is not None
            optimizer = self.run.optimizer
            if optimizer.learning_rate > LOWEST_RATE:
                optimizer.learning_rate /= self.divisor
                self.message += f" Setting learning rate to {optimizer.learning_rate:f}"
                self.n_waited = 0
                return False
            self.message += " Learning rate too small."
        self.message += " Stopping."
        self.has_converged = True
        return True
