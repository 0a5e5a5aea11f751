"""How every estimator is fitted: from (X, y) to samples, training, and the fitted attributes."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from pellucid.data.dataset import Dataset
from pellucid.data.label_encoding import warn
from pellucid.dispatch import asked
from pellucid.errors import TrainingError
from pellucid.estimators.objective import Objective
from pellucid.estimators.parameters import AUTO, CommonParameters
from pellucid.estimators.stopping import Convergence
from pellucid.estimators.targets import checked_weights
from pellucid.estimators.validation import Samples, Score, hold_out
from pellucid.estimators.warm_start import Continuation, Position
from pellucid.nn.blocks import branches_of
from pellucid.nn.model import Model
from pellucid.training.callbacks.early_stopping import EarlyStopping
from pellucid.training.callbacks.interrupt import StopOnInterrupt
from pellucid.training.callbacks.progress import progress_bar
from pellucid.training.history import History
from pellucid.training.loop import train_by_options
from pellucid.training.options import TrainingOptions
from pellucid.types import Array

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)


class Fitting(CommonParameters, ABC):
    """The way of a fit. Two further bases of an estimator fill in its steps.

    One knows inputs and layers: :mod:`pellucid.estimators.dense_stack`, ``any_network``, ``images``. One knows
    targets: ``Classifier`` and ``Regressor`` of :mod:`pellucid.estimators.base`.
    """

    _fitted_attribute: ClassVar[str]
    _is_numeric: ClassVar[bool]  # whether targets are continuous
    _multilabel_loss: ClassVar[str]  # the loss of several labels for each sample
    _stratifies_many: ClassVar[bool]  # whether three classes or more are held out in their proportions
    _kind: str  # "binary", "multiclass", "multilabel", "regression"
    n_outputs_: int
    loss: Any
    loss_: float
    out_activation_: str
    _position: Position

    # Inputs and layers.

    @abstractmethod
    def _check_parameters(self) -> None:
        """Raise ValueError for what parameter constraints cannot express."""

    @abstractmethod
    def _why_not_partial(self) -> str:
        """Return why ``partial_fit`` is not available; empty where it is."""

    @property
    def _has_epochs(self) -> bool:
        """Whether the solver runs in epochs, whose losses are recorded and whose scores may end the training."""
        return True

    @property
    @abstractmethod
    def _stops_on_loss(self) -> bool:
        """Whether a loss that no longer falls ends the training."""

    @abstractmethod
    def _loss_of(self, default: str) -> Any:
        """Return the loss that is asked for."""

    @abstractmethod
    def _read_X(self, X: Any) -> Any:
        """Return samples checked as scikit-learn does, as the network takes them."""

    @abstractmethod
    def _read_X_y(
        self, X: Any, y: Any, sample_weight: Any, *, reset: bool, is_part: bool
    ) -> tuple[Any, Any, Any]:
        """Return samples, targets and weights, the former two checked together."""

    @abstractmethod
    def _start(self, samples: Samples, random: Any) -> Model:
        """Return a new network for these samples."""

    @abstractmethod
    def _go_on(self, samples: Samples) -> Model:
        """Return the network that is trained further."""

    def _draw_seed(self, random: Any) -> int:
        """Return the seed of a training."""
        return int(random.randint(np.iinfo(np.int32).max))

    @abstractmethod
    def _training_options(self, samples: Samples, *, is_partial: bool) -> dict[str, Any]:
        """Return the arguments of ``train``, and a divisor for an adaptive rate."""

    def _recipe_stopping(self, samples: Samples) -> tuple[float | None, int | None]:
        """Return what a recipe holds out, and how long it waits for a lower loss there; None: nothing is asked."""
        return None, None

    @abstractmethod
    def _keep(self, network: Model) -> None:
        """Write the trained network into the fitted attributes."""

    def _finish(self, optimizer: Any) -> None:
        """Record what the optimizer says, once the training is recorded."""

    @abstractmethod
    def _network_outputs(self, X: Any) -> Array:
        """Return the raw outputs for samples that have been read."""

    @abstractmethod
    def _hidden_widths(self) -> list[int]:
        """Return the number of outputs of each hidden layer."""

    @abstractmethod
    def _hidden_outputs(self, X: Any, index: int) -> Array:
        """Return a hidden layer's outputs, a row per sample."""

    # Targets.

    @abstractmethod
    def _read_targets(self, y: Any, *, is_first: bool, is_partial: bool) -> tuple[Array, Any]:
        """Return the training targets, and y as scorers take it; store what is learned of them."""

    def _weights(self, weights: Any, X: Any, y: Any, *, is_partial: bool) -> Array | None:
        """Return how much each sample counts; None: all the same."""
        return checked_weights(weights, X)

    @abstractmethod
    def _objective(self) -> Objective:
        """Return what is minimized."""

    # The way.

    def _check_is_fitted(self) -> None:
        # Tested first: the check itself takes some microseconds.
        if not hasattr(self, self._fitted_attribute):
            check_is_fitted(self, self._fitted_attribute)

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, validation_data: Any = None, is_partial: bool = False
    ) -> Self:
        """Train on samples; partial: for one epoch, continuing from the current state."""
        for callback in self.callbacks or ():
            if not callable(callback):
                raise ValueError(
                    f"The 'callbacks' parameter of {type(self).__name__} must be a list of callables. "
                    f"Got {callback!r} in it instead."
                )
        self._check_parameters()
        asks_score = bool(self.early_stopping) and self.early_stopping != AUTO
        if is_partial and asks_score:
            raise ValueError("partial_fit does not support early_stopping=True")
        is_first = not hasattr(self, self._fitted_attribute) or not (self.warm_start or is_partial)
        X, y, weights = self._read_X_y(X, y, sample_weight, reset=is_first, is_part=is_partial)
        Y, y = self._read_targets(y, is_first=is_first, is_partial=is_partial)
        samples = Samples(X, Y, y, self._weights(weights, X, y, is_partial=is_partial))
        held = None if validation_data is None else self._read_validation(validation_data)
        goes_on = is_partial and hasattr(self, "_position") and self._position.epoch > 0
        random = None if goes_on else check_random_state(self.random_state)
        uses_score = asks_score and self._has_epochs
        if is_first or not hasattr(self, "val_loss_curve_") or not hasattr(self, "loss_curve_"):
            self._forget(uses_score)  # nothing was trained, or by a solver without records, or by hand
        network = self._start(samples, random) if is_first else self._go_on(samples)
        network.set_loss(self._objective().loss)
        if held is None and uses_score:
            stratify = self._kind == "binary" or (self._kind == "multiclass" and self._stratifies_many)
            samples, held = hold_out(samples, self.validation_fraction, random, stratify=stratify)
        if random is not None:
            self._seed = self._draw_seed(random)
        self._train(network, samples, held, uses_score=uses_score, is_partial=is_partial)
        return self

    def _read_validation(self, validation_data: Any) -> Samples:
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            raise ValueError("validation_data must be a tuple (X, y) or (X, y, sample_weight).")
        X, y, weights = self._read_X_y(
            *validation_data, *[None][len(validation_data) - 2 :], reset=False, is_part=True
        )
        Y, y = self._read_targets(y, is_first=False, is_partial=True)
        return Samples(X, Y, y, checked_weights(weights, X))

    def _train(
        self, network: Model, samples: Samples, held: Samples | None, *, uses_score: bool, is_partial: bool
    ) -> None:
        options, objective = self._training_options(samples, is_partial=is_partial), self._objective()
        score = Score(self, held, objective.loss, self.scoring) if uses_score and held is not None else None
        rule = Convergence(
            tolerance=self.tol,
            patience=self.n_iter_no_change if self._stops_on_loss or score is not None else np.inf,
            score=score,
            divisor=options.pop("divisor", None),
            best=getattr(self, "best_loss_", None) if score is None else self.best_validation_score_,
            n_waited=self._no_improvement_count,
            verbose=bool(self.verbose),
        )
        position = Continuation(self._position if is_partial else None, n_epochs=1 if is_partial else None)
        interrupt = StopOnInterrupt()
        own: list[Any] = [position, *options.pop("callbacks"), rule]
        fraction, patience = (None, None) if is_partial else self._recipe_stopping(samples)
        validation = fraction if held is None else Dataset(held.X, held.Y)
        if validation is not None and patience is not None:
            own.append(EarlyStopping(patience=patience))
        kept = self._position.kernels if is_partial else ""  # a continued training goes on as it began
        asked_for = TrainingOptions(
            validation=validation,
            validation_weight=None if held is None else held.weights,
            seed=self._seed,
            form="direct" if is_partial else self.form,
            kernels=kept if kept and asked(self.kernels) == "auto" else self.kernels,
            sample_weight=samples.weights,
            **options,
        )
        try:
            is_silent = self.progress is False or (self.progress is None and self.verbose)
            users = self.callbacks or ()
            callbacks = [*own, *users, *progress_bar(False if is_silent else None, users), interrupt]
            data = Dataset(samples.X, samples.Y)
            history = train_by_options(network, data, asked_for, callbacks, together=is_partial)
        except TrainingError as error:
            history = _survive(network, rule, error)
        if not np.isfinite(network.theta).all():
            raise ValueError(NON_FINITE)
        self._position = position.end if is_partial or not branches_of(network) else Position()
        self._keep(network)
        self._record(history, rule, samples, history.validation_losses)
        self._finish(options["optimizer"])
        if interrupt.was_interrupted:
            warn("Training interrupted by user.", UserWarning)
        elif self._stops_on_loss and not is_partial and history.is_complete and not rule.has_converged:
            warn(
                f"Stochastic Optimizer: Maximum iterations ({options['n_epochs']}) reached and the optimization "
                "hasn't converged yet.",
                ConvergenceWarning,
            )

    def _forget(self, uses_score: bool) -> None:
        """Reset the attributes of a training: those of epochs only if the solver runs in epochs."""
        self._position, self._no_improvement_count = Position(), 0
        self.n_iter_ = self.t_ = 0
        self.val_loss_curve_: list[float] | None = None
        for name in ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
            self.__dict__.pop(name, None)
        if self._has_epochs:
            self.loss_curve_: list[float] = []
            self.validation_scores_: list[float] | None = [] if uses_score else None
            self.best_validation_score_ = -np.inf if uses_score else None
            self.best_loss_ = None if uses_score else np.inf

    def _record(self, history: History, rule: Convergence, samples: Samples, held: list[float]) -> None:
        """Write the attributes that describe the training; ``held``: the losses of held-out samples."""
        self._no_improvement_count, self.history_ = rule.n_waited, history
        if history.losses:
            self.loss_ = history.losses[-1]
        if held:
            factor = self._objective().factor
            self.val_loss_curve_ = [*(self.val_loss_curve_ or []), *(loss * factor for loss in held)]
        if not self._has_epochs:
            return
        self.n_iter_ = len(history.losses)
        self.t_ += self.n_iter_ * len(samples)
        self.loss_curve_ += history.losses
        if rule.score is None:
            self.best_loss_ = rule.best
        else:
            self.validation_scores_ = [*(self.validation_scores_ or []), *rule.scores]
            self.best_validation_score_, self.best_loss_ = rule.best, None


def _survive(network: Model, rule: Convergence, error: TrainingError) -> History:
    """Restore the best parameters of a training that failed, if any were kept."""
    if rule.run is None or not rule.put_back(network):
        raise ValueError(NON_FINITE) from error
    warn(f"{error} The best parameters before that are kept.", ConvergenceWarning)
    rule.scores.append(np.nan)
    rule.run.history.append({"loss": np.nan, "validation_loss": np.nan})
    return rule.run.history
