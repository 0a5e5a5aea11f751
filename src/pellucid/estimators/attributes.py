"""What an estimator remembers of its trainings: the attributes that say how they went, and the warnings."""

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from pellucid.estimators.objective import Objective
from pellucid.estimators.stopping import Convergence
from pellucid.estimators.validation import Samples
from pellucid.estimators.warm_start import Position
from pellucid.training.history import History


class RecordKeeper(BaseEstimator):  # type: ignore[misc]
    """Writes the attributes of a training, scikit-learn's and ours."""

    def _objective(self) -> Objective:
        raise NotImplementedError

    def _stops_on_loss(self) -> bool:
        """Return whether a loss that no longer falls ends the training."""
        raise NotImplementedError

    def _stops_early(self) -> bool:
        """Return whether a score may end the training."""
        return self._stops_on_loss()

    def _uses_score(self) -> bool:
        return bool(self.early_stopping) and self._stops_early()

    def _forget(self) -> None:
        """Begin the records anew."""
        self._position, self._n_waited = Position(), 0
        self.n_iter_ = self.t_ = 0
        has_score = self._uses_score()
        self.loss_curve_: list[float] = []
        self.val_loss_curve_: list[float] | None = None
        self.validation_scores_: list[float] | None = [] if has_score else None
        self.best_validation_score_ = -np.inf if has_score else None
        self.best_loss_ = None if has_score else np.inf

    def _note(
        self,
        history: History,
        rule: Convergence,
        recipe: dict[str, Any],
        samples: Samples,
        held: Samples | None,
        *,
        uses_score: bool,
    ) -> None:
        """Write the attributes that say how the training went."""
        self.n_iter_ = len(history.losses)
        self.t_ += self.n_iter_ * len(samples)
        self.loss_curve_ += history.losses
        self._n_waited, self.history_ = rule.n_waited, history
        if history.losses:
            self.loss_ = history.losses[-1]
        if uses_score:
            self.validation_scores_ = [*(self.validation_scores_ or []), *rule.scores]
            self.best_validation_score_, self.best_loss_ = rule.best, None
        else:
            self.best_loss_ = rule.best
        if held is not None:
            self.val_loss_curve_ = [*(self.val_loss_curve_ or []), *self._losses_of_held(history)]

    def _losses_of_held(self, history: History) -> list[float]:
        factor = self._objective().factor
        return [loss * factor for loss in history.validation_losses]

    def _warn(
        self,
        history: History,
        rule: Convergence,
        recipe: dict[str, Any],
        *,
        is_interrupted: bool,
        is_partial: bool,
    ) -> None:
        if is_interrupted:
            warnings.warn("Training interrupted by user.", UserWarning, stacklevel=6)
        elif self._stops_on_loss() and not is_partial and history.is_complete and not rule.has_converged:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({recipe['n_epochs']}) reached and the optimization "
                "hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=6,
            )
