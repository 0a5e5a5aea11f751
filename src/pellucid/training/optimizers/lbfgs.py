"""L-BFGS: a second-order method for the full batch, SciPy's, driven over the flat arrays."""

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, NamedTuple, final

import numpy as np

from pellucid.errors import PellucidError, TrainingError
from pellucid.registry import option, register
from pellucid.training.optimizers.base import Optimizer
from pellucid.types import Array


class MinimizeResult(NamedTuple):
    """What L-BFGS did."""

    first_loss: float  # of the parameters that it started from, the decay's part left out
    loss: float  # of the parameters that it leaves
    n_iterations: int
    n_evaluations: int  # losses and gradients computed; a line search may need several an iteration
    message: str  # why it stopped, in SciPy's words
    status: int  # 0 where it has converged; 1 where a limit was reached


@final
@register("lbfgs")
@dataclass
class LBFGS(Optimizer):
    """Steps along a curvature estimated from the last gradients, each as long as a line search finds good.

    For small networks and data that fit in one batch: it evaluates loss and gradient itself, so the loop calls
    ``minimize`` instead of ``step``. There is no learning rate, and lambda/2 ||W||^2 is part of what is minimized.

    Notes
    -----
    Liu and Nocedal (1989), algorithm 2.1, by the code of Byrd, Lu, Nocedal and Zhu (1995) in SciPy,
    ``minimize(method="L-BFGS-B")``, without bounds. It works in float64 within; a float32 model is asked for its
    loss at the rounded parameters. SciPy's memory of past steps cannot be saved: a resumed run goes on from the
    parameters with an empty memory, not bit for bit.

    Examples
    --------
    >>> theta, grad = np.array([3.0, -2.0]), np.zeros(2)
    >>> def loss_and_grad() -> float:
    ...     grad[:] = 2 * theta
    ...     return float(theta @ theta)
    >>> lbfgs = LBFGS()
    >>> lbfgs.start(theta, np.ones(2))
    >>> lbfgs.minimize(theta, loss_and_grad, grad).loss < 1e-12
    True
    """

    is_full_batch = True
    # No options here, since there is no step.
    learning_rate: float = field(default=1.0, init=False, repr=False)
    clip_value: None = field(default=None, init=False, repr=False)
    clip_norm: None = field(default=None, init=False, repr=False)
    ntk: bool = field(default=False, init=False, repr=False)
    along_curvature: bool = field(default=True, init=False, repr=False)  # see ``moments`` of minimize

    max_iterations: int = option(1000, at_least=1, help="Iterations at most.")
    memory: int = option(10, at_least=1, help="How many past steps the curvature is estimated from.")
    tolerance: float = option(1e-5, at_least=0, help="Stop once no entry of the gradient is larger.")
    _: KW_ONLY
    folds: int = option(
        0, at_least=0, help="Choose the weight decay, where none is given, on so many held-out folds."
    )
    max_evaluations: int | None = option(
        None,
        at_least=1,
        help="Evaluations of the loss and its gradient at most; default: 30 times the iterations.",
    )
    least_fall: float | None = option(
        None,
        at_least=0,
        help="Stop once an iteration lowers the loss by no more than this fraction of it; default: its rounding.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.result: MinimizeResult | None = None

    def step(self, theta: Array, grad: Array) -> None:
        """Refuse: a step needs losses along a line, not one gradient."""
        raise PellucidError("LBFGS: it evaluates the loss itself; call minimize instead of step.")

    def minimize(
        self,
        theta: Array,
        loss_and_grad: Callable[[], float],
        grad: Array,
        on_iteration: Callable[[float], bool | None] = lambda loss: None,
        moments: Array | None = None,
    ) -> MinimizeResult:
        """Move ``theta``, in place, to a minimum of the full batch's loss.

        Parameters
        ----------
        theta, grad : Array, shape (p,)
        loss_and_grad : callable
            Returns the loss of what ``theta`` holds and fills ``grad``.
        on_iteration : callable, optional
            Called with the loss after each iteration, when ``theta`` holds its result; True ends the minimization.
        moments : Array, shape (n_in + 1, n_in + 1), optional
            Of a linear model, X1^T X1 / m of its inputs with a column of ones. With H = moments + lambda I = L L^T,
            about the curvature, the search is for L^T theta, in which it is about the same in all directions.

        Raises
        ------
        TrainingError
            If the loss is not finite where it starts or where it ends.
        """
        from scipy.optimize import minimize  # imported here: it takes a tenth of a second

        L = None if moments is None else _root_of_curvature(moments, self.weight_decay)
        to_theta = None if L is None else np.linalg.inv(L).T

        def objective(x: Array) -> tuple[float, Array]:
            x = _times(to_theta, x)
            theta[...] = x
            loss = known.pop() if known else loss_and_grad()  # SciPy begins where the first loss was computed
            gradient = grad.astype(np.float64)
            if not (math.isfinite(loss) and np.isfinite(gradient).all()):
                return wall, np.zeros_like(gradient)  # the line search comes back from finite numbers only
            for a, b in self._decayed if self.weight_decay else ():
                gradient[a:b] += self.weight_decay * x[a:b]
            return loss + self._penalty(x), _times(None if to_theta is None else to_theta.T, gradient)

        def after_iteration(intermediate_result: Any) -> None:  # SciPy goes by the argument's name
            self.n_steps += 1
            x = _times(to_theta, intermediate_result.x)
            theta[...] = x
            if on_iteration(float(intermediate_result.fun) - self._penalty(x)):
                raise StopIteration

        first_loss = _finite(loss_and_grad(), "where it started")
        known = [first_loss]
        start = theta.astype(np.float64)
        wall = 10 * (abs(first_loss) + self._penalty(start) + 1)
        options = {
            "maxiter": self.max_iterations,
            "maxcor": self.memory,
            "gtol": self.tolerance,
            "ftol": float(np.finfo(theta.dtype).eps) if self.least_fall is None else self.least_fall,
            # A line search takes 20 at most, so that by default the limit meant is max_iterations.
            "maxfun": self.max_evaluations or 30 * self.max_iterations,
        }
        x0 = _times(None if L is None else L.T, start)
        found = minimize(
            objective, x0, jac=True, method="L-BFGS-B", options=options, callback=after_iteration
        )
        x = _times(to_theta, found.x)
        theta[...] = x
        loss = _finite(float(found.fun) - self._penalty(x), "where it ended")
        counts = int(found.nit), int(found.nfev)
        self.result = MinimizeResult(first_loss, loss, *counts, str(found.message), int(found.status))
        return self.result

    def _penalty(self, x: Array) -> float:
        if not self.weight_decay:
            return 0.0
        return self.weight_decay / 2 * sum(float(x[a:b] @ x[a:b]) for a, b in self._decayed)


def _root_of_curvature(moments: Array, decay: float) -> Array:
    """Return L, lower triangular, with L L^T = moments + decay I, but for the last row, of biases, no decay."""
    H = moments.copy()
    H.flat[: -1 : len(H) + 1] += decay + 1e-12 * np.trace(H)  # of large inputs, what rounding takes
    return np.linalg.cholesky(H)


def _times(A: Array | None, x: Array) -> Array:
    """Return A times the columns of weights and biases, one below the other, that a flat array holds."""
    return x if A is None else (A @ x.reshape(len(A), -1)).reshape(-1)


def _finite(loss: float, where: str) -> float:
    if not math.isfinite(loss):
        raise TrainingError(
            f"LBFGS: the loss is {loss} {where}. Look for outliers in the data, or start with smaller weights."
        )
    return loss
