"""scikit-learn's solvers, and pellucid's, by name; its falling learning rate, and its L2 penalty."""

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import numpy as np

from pellucid.registry import option
from pellucid.training.events import EpochEnd, Event, StepEnd, TrainEnd, TrainingState, TrainStart
from pellucid.training.optimizers.adam import Adam, AdamW, RMSprop
from pellucid.training.optimizers.base import OPTIMIZERS, Optimizer
from pellucid.training.optimizers.lbfgs import LBFGS
from pellucid.training.optimizers.sgd import SGD
from pellucid.training.schedules.base import Schedule

SOLVERS = tuple(OPTIMIZERS)
SCIPY_LEAST_FALL = 2.220446049250313e-09  # SciPy's own for L-BFGS-B, which scikit-learn does not change


def make_solver(estimator: Any, total: float) -> Optimizer:
    """Return the optimizer that an MLP estimator's parameters describe.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    total : float
        The samples, or the sum of their weights: what alpha is divided by where the whole batch is one step.
    """
    e, rate = estimator, float(estimator.learning_rate_init)
    match e.solver:
        case "sgd":
            momentum = min(float(e.momentum), float(np.nextafter(1, 0)))  # scikit-learn allows 1 itself
            return SGD(rate, momentum, bool(e.nesterovs_momentum and momentum > 0))
        case "adam":
            return Adam(rate, float(e.beta_1), float(e.beta_2), float(e.epsilon))
        case "adamw":
            return AdamW(rate, float(e.beta_1), float(e.beta_2), float(e.epsilon), weight_decay=0.0)
        case "rmsprop":
            return RMSprop(rate, epsilon=float(e.epsilon))
        case "lbfgs":
            lbfgs = LBFGS(
                int(e.max_iter),
                tolerance=float(e.tol),
                weight_decay=e.alpha / total if total else 0.0,
                max_evaluations=int(e.max_fun),
                least_fall=SCIPY_LEAST_FALL,
            )
            lbfgs.along_curvature = False  # it ends where scikit-learn's does
            return lbfgs
    return OPTIMIZERS.make(e.solver, learning_rate=rate)  # the parameters say nothing more of the others


class SklearnEpsilon:
    """Gives Adam's epsilon scikit-learn's meaning, as a callback of ``train``.

    Notes
    -----
    scikit-learn's step is eta sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon), the second form of Kingma
    and Ba (2015, section 2), so that with v_hat = v / (1 - beta2^t) the epsilon next to sqrt(v_hat) is
    epsilon / sqrt(1 - beta2^t): up to 32 times as large in the first steps.

    Examples
    --------
    >>> adam = Adam(beta2=0.75, epsilon=1e-8)
    >>> SklearnEpsilon(adam).set_for(1)
    >>> adam.epsilon
    2e-08
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer, self.epsilon = optimizer, optimizer.epsilon

    def __call__(self, event: Event) -> None:
        """Set the epsilon for the next step."""
        if isinstance(event, StepEnd | TrainStart):
            self.set_for(self.optimizer.n_steps + 1)

    def set_for(self, step: int) -> None:
        """Set the epsilon for a step, counted from 1."""
        self.optimizer._keep("epsilon", self.epsilon / math.sqrt(1 - self.optimizer.beta2**step))


class SklearnMomentum:
    """Gives a change of SGD's learning rate scikit-learn's meaning, as a callback of ``train``.

    Notes
    -----
    scikit-learn's velocity v <- mu v - eta g is a step, which a smaller eta does not change; SGD's V <- mu V + g is
    a gradient, and eta V the step. The steps are the same if V is multiplied by the old eta over the new one.

    Examples
    --------
    >>> sgd, theta = SGD(learning_rate=0.1, momentum=0.9), np.zeros(1)
    >>> sgd.start(theta, np.ones(1))
    >>> sgd.step(theta, np.ones(1))
    >>> SklearnMomentum.rescale(sgd, 0.5)
    >>> sgd.state()["velocity"]
    array([5.])
    """

    is_last = True  # a rule of convergence changes the rate, too

    def __call__(self, event: Event) -> None:
        """Rescale the velocity when the learning rate changes."""
        if isinstance(event, TrainStart):
            self.run, self.rate = event.run, event.run.optimizer.learning_rate
        if isinstance(event, TrainStart | EpochEnd):
            optimizer, schedule = self.run.optimizer, self.run.schedule
            if schedule is not None:  # set again in the next step: here for a training continued later
                optimizer._keep("learning_rate", schedule.rate(self.run.step))
            if optimizer.learning_rate != self.rate:
                self.rescale(optimizer, self.rate)
            self.rate = optimizer.learning_rate

    @staticmethod
    def rescale(optimizer: Optimizer, old: float) -> None:
        """Rescale V after the learning rate, which was ``old``, has been changed."""
        state = optimizer.state()
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            velocity = np.asarray(state["velocity"]) * float(np.divide(old, optimizer.learning_rate))
        if np.isfinite(velocity).all():  # else the rate is almost 0
            optimizer.load_state({**state, "velocity": velocity})


@final
@dataclass
class InverseScaling(Schedule):
    """Divide the learning rate, after each epoch, by a power of the samples seen so far.

    Notes
    -----
    1 / (t + 1)^power after t samples, as in scikit-learn; constant within an epoch.

    Examples
    --------
    >>> schedule = InverseScaling(n_samples=3, power=0.5)
    >>> schedule.observe(0.7)  # the loss of an epoch
    >>> schedule(0, 1)
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

    def __call__(self, step: int, n_steps: int) -> float:
        """Return the factor, from the epochs observed, not from the step's number."""
        if self.n_epochs_done == 0 and not self.is_resumed:
            return 1.0
        return float((self.n_seen + self.n_epochs_done * self.n_samples + 1) ** -self.power)

    def start(self, base_rate: float, n_steps: int) -> None:
        """Restart at the first epoch."""
        super().start(base_rate, n_steps)
        self.n_epochs_done = 0

    def observe(self, metric: float) -> None:
        """Count an epoch."""
        self.n_epochs_done += 1


@final
class L2Penalty:
    """Add alpha / 2 ||W||^2 over the batch's samples to the loss of every step; for weights, not biases.

    As a callback of ``train`` it sets the optimizer's ``weight_decay`` before each step, so that the penalty's
    gradient, alpha W over the batch's samples, is part of the step; and it adds the penalty to the loss that is
    reported. It is not for :class:`pellucid.training.optimizers.lbfgs.LBFGS`, which adds its own decay.

    Parameters
    ----------
    alpha : float
        0 or more.
    factor : float, optional
        Factor of the loss itself in the reported value, above 0.

    Notes
    -----
    With sample weights, the number of a batch's samples is the sum of their weights.

    Examples
    --------
    >>> from pellucid.nn.dense import Dense
    >>> from pellucid.nn.sequential import Sequential
    >>> from pellucid.training.fit import train
    >>> from pellucid.training.optimizers.sgd import SGD
    >>> from pellucid.data.dataset import Dataset
    >>> data, losses = Dataset(np.ones((2, 1)), np.array([0, 1])), []
    >>> for alpha in (0.0, 4.0):
    ...     model = Sequential([Dense(1)], dtype="float64")
    ...     model.initialize((1,))
    ...     model.layers[0].params["W"][...] = 0.5
    ...     losses += train(model, data, optimizer=SGD(0.1), n_epochs=1, callbacks=[L2Penalty(alpha)]).losses
    >>> round(losses[1] - losses[0], 9)  # 4 / 2 * 0.5^2 over 2 samples
    0.25
    """

    def __init__(self, alpha: float, *, factor: float = 1.0) -> None:
        self.alpha, self.factor = alpha, factor

    def __call__(self, event: Event) -> None:
        """Add the penalty to the model's reported loss during training."""
        if isinstance(event, TrainStart):
            run = event.run
            run.model._loss_hook = _Report(self.alpha, self.factor, run)
        elif isinstance(event, TrainEnd):
            event.run.model._loss_hook = None


class _Report:
    """The reported loss of a model with a penalty."""

    def __init__(self, alpha: float, factor: float, run: TrainingState) -> None:
        self.alpha, self.factor, self.optimizer = alpha, factor, run.optimizer
        self.squared_weights = run.form.squared_weights(run.model)

    def __call__(self, loss: float, total: float) -> float:
        """Return the loss with the penalty, and set the optimizer's decay for this step."""
        if not self.alpha or not total:
            self.optimizer._keep("weight_decay", 0.0)
            return loss * self.factor
        self.optimizer._keep("weight_decay", self.alpha / total)
        return loss * self.factor + self.alpha / 2 * self.squared_weights() / total

    def __deepcopy__(self, memo: Any) -> None:
        """Return None: only the first of a model's replicas has the penalty."""
