"""scikit-learn's solvers, and pellucid's, by name."""

import math
from typing import Any

import numpy as np

from pellucid.training.events import EpochEnd, Event, StepEnd, TrainStart
from pellucid.training.optimizers.adam import Adam, AdamW
from pellucid.training.optimizers.base import OPTIMIZERS, Optimizer
from pellucid.training.optimizers.lbfgs import LBFGS
from pellucid.training.optimizers.rmsprop import RMSprop
from pellucid.training.optimizers.sgd import SGD

SOLVERS = tuple(OPTIMIZERS)
SCIPY_LEAST_FALL = (
    2.220446049250313e-09  # SciPy's own choice for L-BFGS-B, which scikit-learn does not change
)


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
            return LBFGS(
                int(e.max_iter),
                tolerance=float(e.tol),
                weight_decay=e.alpha / total if total else 0.0,
                max_evaluations=int(e.max_fun),
                least_fall=SCIPY_LEAST_FALL,
            )
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
        self.optimizer.epsilon = self.epsilon / math.sqrt(1 - self.optimizer.beta2**step)


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
                optimizer.learning_rate = schedule.rate(self.run.step)
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
