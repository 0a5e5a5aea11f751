"""How every estimator is fitted: from (X, y) to samples, training, and the fitted attributes."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from pellucid.dispatch import asked
from pellucid.errors import TrainingError
from pellucid.estimators.stopping import Convergence
from pellucid.estimators.tasks import checked_weights
from pellucid.estimators.validation import Samples, Score, WeightedLoss, hold_out
from pellucid.estimators.verbose import PrintProgress
from pellucid.estimators.warm_start import Continuation, Position
from pellucid.nn.model import Model
from pellucid.training.callbacks.interrupt import StopOnInterrupt
from pellucid.training.callbacks.progress import progress_bar
from pellucid.training.events import Callback
from pellucid.training.history import History
from pellucid.training.loop import train_by_plan
from pellucid.training.options import Plan

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)
FITS_FROM = 5  # frames from a warning here to the user's call of fit


def fit(
    e: Any, X: Any, y: Any, sample_weight: Any, *, validation_data: Any = None, is_partial: bool = False
) -> Any:
    """Train an estimator's network on samples, and return the estimator.

    Parameters
    ----------
    e : Estimator
    X, y, sample_weight, validation_data :
        As ``Estimator.fit`` takes them.
    is_partial : bool, optional
        Whether to train for one epoch, continuing from the estimator's current state.
    """
    check_parameters(e)
    if is_partial and e.early_stopping:
        raise ValueError("partial_fit does not support early_stopping=True")
    is_first = not hasattr(e, e._network.fitted_attribute) or not (e.warm_start or is_partial)
    X, y, sample_weight = e._network.read_X_y(e, X, y, sample_weight, reset=is_first, is_part=is_partial)
    Y, y = e._task.read_targets(e, y, is_first=is_first, is_partial=is_partial)
    samples = Samples(X, Y, y, e._task.weights(e, sample_weight, X, y, is_partial=is_partial))
    held = _read_validation(e, validation_data)
    goes_on = is_partial and hasattr(e, "_position") and e._position.epoch > 0
    random = None if goes_on else check_random_state(e.random_state)
    uses_score = bool(e.early_stopping) and e._network.stops_early(e)
    if is_first or not hasattr(e, "val_loss_curve_") or not hasattr(e, "loss_curve_"):
        _forget(e, uses_score)  # nothing was trained before, or by a solver that kept no records, or by hand
    network: Model = e._network.start(e, samples, random) if is_first else e._network.go_on(e, samples)
    network.set_loss(e._task.objective(e).loss)
    if held is None and uses_score:
        samples, held = hold_out(samples, e.validation_fraction, random, stratify=e._task.stratifies(e))
    if random is not None:
        e._seed = e._network.seed(e, random)
    _train(e, network, samples, held, uses_score=uses_score, is_partial=is_partial)
    return e


def check_parameters(e: Any) -> None:
    """Raise ValueError for what parameter constraints cannot express."""
    for callback in e.callbacks or ():
        if not callable(callback):
            raise ValueError(
                f"The 'callbacks' parameter of {type(e).__name__} must be a list of callables. "
                f"Got {callback!r} in it instead."
            )
    e._network.check_parameters(e)


def _read_validation(e: Any, validation_data: Any) -> Samples | None:
    if validation_data is None:
        return None
    validation_data = e._network.open_validation(validation_data)
    if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
        raise ValueError("validation_data must be a tuple (X, y) or (X, y, sample_weight).")
    X, y, *rest = validation_data
    X, y, weights = e._network.read_X_y(e, X, y, rest[0] if rest else None, reset=False, is_part=True)
    Y, y = e._task.read_targets(e, y, is_first=False, is_partial=True)
    return Samples(X, Y, y, checked_weights(weights, X))


def _train(
    e: Any, network: Model, samples: Samples, held: Samples | None, *, uses_score: bool, is_partial: bool
) -> None:
    options = e._network.training_options(e, samples, network, is_partial=is_partial)
    objective = e._task.objective(e)
    score = Score(e, held, objective.loss, e.scoring) if uses_score and held is not None else None
    rule = _convergence(e, score, options.pop("divisor", None))
    position = Continuation(e._position if is_partial else None, n_epochs=1 if is_partial else None)
    weighted = None if held is None or held.weights is None else WeightedLoss(held)
    interrupt = StopOnInterrupt()
    own = [position, *options.pop("callbacks"), rule, *([] if weighted is None else [weighted])]
    try:
        plan = Plan(
            validation=None if held is None else held.dataset,
            seed=e._seed,
            form="direct" if is_partial else e.form,
            kernels=_kernels(e, is_partial=is_partial),
            sample_weight=samples.weights,
            **options,
        )
        history = train_by_plan(network, samples.dataset, plan, [*own, *_listeners(e, rule), interrupt])
    except TrainingError as error:
        history = _survive(network, rule, error)
    if not np.isfinite(network.theta).all():
        raise ValueError(NON_FINITE)
    e._position = position.end
    if weighted is not None:
        history.columns["validation_loss"] = weighted.losses
    e._network.keep(e, network)
    _record(e, history, rule, samples, held, factor=objective.factor, uses_score=uses_score)
    e._network.finish(e, options["optimizer"])
    if interrupt.was_interrupted:
        warnings.warn("Training interrupted by user.", UserWarning, stacklevel=FITS_FROM)
    elif e._network.stops_on_loss(e) and not is_partial and history.is_complete and not rule.has_converged:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({options['n_epochs']}) reached and the optimization "
            "hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=FITS_FROM,
        )


def _kernels(e: Any, *, is_partial: bool) -> str | None:
    """Return the choice of kernels; a continued training that leaves it open goes on as it began."""
    kept, own = e._position.kernels if is_partial else "", e.kernels
    choice: str | None = kept if kept and asked(own) == "auto" else own
    return choice


def _listeners(e: Any, rule: Convergence) -> list[Callback]:
    """Return the callbacks that only observe: printed progress, the user's own, a bar."""
    listeners: list[Callback] = [PrintProgress(rule)] if e.verbose else []
    listeners += e.callbacks or ()
    is_left_out = e.progress is False or (e.progress is None and e.verbose)
    return [*listeners, *progress_bar(False if is_left_out else None, listeners)]


def _convergence(e: Any, score: Score | None, divisor: float | None) -> Convergence:
    may_stop = e._network.stops_on_loss(e) or score is not None
    return Convergence(
        tolerance=e.tol,
        patience=e.n_iter_no_change if may_stop else np.inf,
        score=score,
        divisor=divisor,
        best=getattr(e, "best_loss_", None) if score is None else e.best_validation_score_,
        n_waited=e._no_improvement_count,
    )


def _survive(network: Model, rule: Convergence, error: TrainingError) -> History:
    """Restore the best parameters of a training that failed, if any were kept."""
    if rule.run is None or not rule.put_back(network):
        raise ValueError(NON_FINITE) from error
    warnings.warn(
        f"{error} The best parameters before that are kept.", ConvergenceWarning, stacklevel=FITS_FROM + 1
    )
    rule.scores.append(np.nan)
    rule.run.history.append({"loss": np.nan, "validation_loss": np.nan})
    return rule.run.history


def _forget(e: Any, uses_score: bool) -> None:
    """Reset the attributes of a training: those of epochs only if the solver runs in epochs."""
    e._position, e._no_improvement_count = Position(), 0
    e.n_iter_ = e.t_ = 0
    e.val_loss_curve_ = None
    for name in ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
        e.__dict__.pop(name, None)
    if not e._network.has_epochs(e):
        return
    e.loss_curve_ = []
    e.validation_scores_ = [] if uses_score else None
    e.best_validation_score_ = -np.inf if uses_score else None
    e.best_loss_ = None if uses_score else np.inf


def _record(
    e: Any,
    history: History,
    rule: Convergence,
    samples: Samples,
    held: Samples | None,
    *,
    factor: float,
    uses_score: bool,
) -> None:
    """Write the attributes that describe the training."""
    e._no_improvement_count, e.history_ = rule.n_waited, history
    if history.losses:
        e.loss_ = history.losses[-1]
    if held is not None:
        losses: list[float] = [loss * factor for loss in history.validation_losses]
        e.val_loss_curve_ = [*(e.val_loss_curve_ or []), *losses]
    if not e._network.has_epochs(e):
        return
    e.n_iter_ = len(history.losses)
    e.t_ += e.n_iter_ * len(samples)
    e.loss_curve_ += history.losses
    if uses_score:
        e.validation_scores_ = [*(e.validation_scores_ or []), *rule.scores]
        e.best_validation_score_, e.best_loss_ = rule.best, None
    else:
        e.best_loss_ = rule.best
