"""What all estimators share: from (X, y) to a Dataset, one call of ``train``, and what is kept of it."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer_names
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from pellucid.errors import TrainingError
from pellucid.estimators.attributes import RecordKeeper
from pellucid.estimators.sparse import as_rows
from pellucid.estimators.stopping import Convergence
from pellucid.estimators.validation import Samples, Score, WeightedLoss, hold_out
from pellucid.estimators.verbose import PrintProgress
from pellucid.estimators.warm_start import Continuation
from pellucid.nn.model import Model
from pellucid.training.callbacks import Progress, StopOnInterrupt
from pellucid.training.events import Callback
from pellucid.training.history import History
from pellucid.training.loop import train
from pellucid.types import Array

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)


class BaseNetwork(RecordKeeper):
    """Fits a network to samples; what kind of network, and what kind of targets, its subclasses say.

    A subclass has the parameters ``warm_start``, ``early_stopping``, ``validation_fraction``, ``scoring``, ``tol``,
    ``n_iter_no_change``, ``class_weight`` (a classifier), ``random_state``, ``dtype``, ``verbose``, ``progress``,
    ``callbacks`` and ``path``, and gives the methods that are not written here.
    """

    _fitted_attribute: ClassVar[str]
    _kind_of_targets: ClassVar[str] = "labels"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "callbacks": [list, tuple, None],
        "progress": ["boolean"],
        "dtype": [
            StrOptions({"float32", "float64"}),
            Options(type, {np.float32, np.float64}),
            Options(np.dtype, {np.dtype("float32"), np.dtype("float64")}),
            None,
        ],
        "path": [StrOptions({"auto", "direct", "dual"})],
    }

    # What a subclass gives.

    def _read_X(self, X: Any, *, reset: bool) -> Any:
        raise NotImplementedError

    def _read_X_y(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        raise NotImplementedError

    def _read_targets(self, y: Any, *, is_first: bool, is_partial: bool) -> tuple[Array, Any]:
        raise NotImplementedError

    def _start(self, samples: Samples, random: Any) -> Model:
        raise NotImplementedError

    def _go_on(self, samples: Samples) -> Model:
        raise NotImplementedError

    def _keep(self, network: Model) -> None:
        raise NotImplementedError

    def _recipe(self, samples: Samples, network: Model, *, is_partial: bool) -> dict[str, Any]:
        """Return optimizer, n_epochs, batch_size, schedule, augment and further callbacks for ``train``."""
        raise NotImplementedError

    # What is the same for all.

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Any:
        """Train the network on samples.

        Parameters
        ----------
        X : array-like, frame or sparse matrix, shape (m, n)
        y : array-like, shape (m,) or (m, n_outputs)
            Labels of any kind (classifier), or quantities.
        sample_weight : array-like, shape (m,), optional
            How much each sample counts, 0 or more.
        validation_data : tuple (X, y) or (X, y, sample_weight), optional
            Samples whose loss is noted after each epoch in ``val_loss_curve_``; with ``early_stopping`` their score
            decides when to stop, and nothing is held out of X.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            In scikit-learn's words, if a parameter, an array or a label does not fit, or the weights become
            infinite.
        """
        return self._fit(X, y, sample_weight, validation_data=validation_data)

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, validation_data: Any = None, is_partial: bool = False
    ) -> Any:
        self._check_parameters()
        if is_partial and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        is_first = not hasattr(self, self._fitted_attribute) or not (self.warm_start or is_partial)
        X, y = self._read_X_y(X, y, reset=is_first)
        Y, y = self._read_targets(y, is_first=is_first, is_partial=is_partial)
        samples = Samples(X, Y, y, self._weights(sample_weight, X, y, is_partial=is_partial))
        held = self._read_validation(validation_data)
        goes_on = is_partial and hasattr(self, "_position") and self._position.epoch > 0
        random = None if goes_on else check_random_state(self.random_state)
        if is_first or not hasattr(self, "val_loss_curve_") or not hasattr(self, "loss_curve_"):
            self._forget()  # nothing was trained before, or by a solver that kept no records, or by hand
        network = self._start(samples, random) if is_first else self._go_on(samples)
        network.set_loss(self._objective().loss)
        uses_score = self._uses_score()
        if held is None and uses_score:
            stratify = getattr(self, "_kind", "") in ("binary", "multiclass")
            samples, held = hold_out(samples, self.validation_fraction, random, stratify=stratify)
        if random is not None:
            self._seed = int(random.randint(np.iinfo(np.int32).max))
        self._train(network, samples, held, uses_score=uses_score, is_partial=is_partial)
        return self

    def _check_parameters(self) -> None:
        """Raise ValueError for what parameter constraints cannot say."""
        for callback in self.callbacks or ():
            if not callable(callback):
                raise ValueError(
                    f"The 'callbacks' parameter of {type(self).__name__} must be a list of callables. "
                    f"Got {callback!r} in it instead."
                )

    def _weights(self, sample_weight: Any, X: Any, y: Any, *, is_partial: bool) -> Array | None:
        return _checked_weights(sample_weight, X)

    def _read_validation(self, validation_data: Any) -> Samples | None:
        if validation_data is None:
            return None
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            raise ValueError("validation_data must be a tuple (X, y) or (X, y, sample_weight).")
        X, y = self._read_X_y(*validation_data[:2], reset=False)
        Y, y = self._read_targets(y, is_first=False, is_partial=True)
        weights = validation_data[2] if len(validation_data) == 3 else None
        return Samples(X, Y, y, _checked_weights(weights, X))

    def _train(
        self, network: Model, samples: Samples, held: Samples | None, *, uses_score: bool, is_partial: bool
    ) -> None:
        recipe = self._recipe(samples, network, is_partial=is_partial)
        score = None
        if uses_score and held is not None:
            score = Score(self, held, self._objective().loss, self.scoring)
        rule = self._convergence(score, recipe.pop("divisor", None))
        position = Continuation(self._position if is_partial else None, n_epochs=1 if is_partial else None)
        weighted = None if held is None or held.weights is None else WeightedLoss(held)
        interrupt = StopOnInterrupt()
        own = [position, *recipe.pop("callbacks"), rule, *([] if weighted is None else [weighted])]
        try:
            history = train(
                network,
                samples.dataset,
                validation=None if held is None else held.dataset,
                seed=self._seed,
                form="direct" if is_partial else self.path,
                callbacks=[*own, *self._listeners(rule), interrupt],
                sample_weight=samples.weights,
                **recipe,
            )
        except TrainingError as error:
            history = self._survive(network, rule, error)
        if not np.isfinite(network.theta).all():
            raise ValueError(NON_FINITE)
        self._position = position.end
        if weighted is not None:
            history.columns["validation_loss"] = weighted.losses
        self._keep(network)
        self._note(history, rule, recipe, samples, held, uses_score=uses_score)
        self._warn(history, rule, recipe, is_interrupted=interrupt.was_interrupted, is_partial=is_partial)

    def _listeners(self, rule: Convergence) -> list[Callback]:
        """Return the callbacks that only look: what is printed, the user's own, a bar."""
        listeners: list[Callback] = [PrintProgress(rule)] if self.verbose else []
        listeners += self.callbacks or ()
        return [*listeners, Progress("fit")] if self.progress else listeners

    def _convergence(self, score: Score | None, divisor: float | None) -> Convergence:
        best = self.best_loss_ if score is None else self.best_validation_score_
        return Convergence(
            tolerance=self.tol,
            patience=self.n_iter_no_change if self._stops_on_loss() or score is not None else np.inf,
            score=score,
            divisor=divisor,
            best=best,
            n_waited=self._n_waited,
        )

    def _survive(self, network: Model, rule: Convergence, error: TrainingError) -> History:
        """Go on with the best parameters of a training that broke off, if any were kept."""
        if rule.run is None or not rule.put_back(network):
            raise ValueError(NON_FINITE) from error
        warnings.warn(f"{error} The best parameters before it are kept.", ConvergenceWarning, stacklevel=6)
        rule.scores.append(np.nan)
        rule.run.history.append({"loss": np.nan, "validation_loss": np.nan})
        return rule.run.history

    # Prediction.

    def _outputs(self, X: Any) -> Array:
        """Return the network's raw outputs for samples as they were given, shape (m, n_outputs)."""
        lent: Model | None = self.__dict__.get("_lent_network")
        if lent is not None:  # a twin that scores the network in the middle of its training
            assert lent.preprocessing is not None
            X = as_rows(self._read_X(X, reset=False))
            outputs: Array = lent.raw_outputs(lent.preprocessing.apply(X, lent.dtype))
            return outputs
        self._check_is_fitted()
        return self._run(self._read_X(X, reset=False))

    def _check_is_fitted(self) -> None:
        if not hasattr(self, self._fitted_attribute):  # asked first: the check itself takes some microseconds
            check_is_fitted(self, self._fitted_attribute)

    def _run(self, X: Any) -> Array:
        """Return the raw outputs for samples that have been read; several threads may ask at once."""
        raise NotImplementedError

    def _as_given(self, X: Any) -> Any:
        """Return samples that were read as a user would give them."""
        return X

    def _make_dtype(self, X: Any) -> str:
        """Return what a new network is trained in: the dtype that was asked for, else that of X."""
        return str(np.dtype(X.dtype if self.dtype is None else self.dtype))


def _checked_weights(weights: Any, X: Any) -> Array | None:
    if weights is None:
        return None
    dtype = X.dtype if X.dtype.kind == "f" else None
    checked: Array = _check_sample_weight(weights, X, dtype=dtype, ensure_non_negative=True)
    if not checked.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return checked
