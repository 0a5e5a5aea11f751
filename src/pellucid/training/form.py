"""The form in which a model is trained: as it is, or with another layer instead of its first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import ranks
from pellucid.blas_threads import one_blas_thread
from pellucid.data.batches import Batches
from pellucid.data.stored.base import choose_rows
from pellucid.nn.model import Model, joined
from pellucid.training.executor.choose import executor_for
from pellucid.training.executor.executor import Executor, Minimizer
from pellucid.types import Array, n_rows


@dataclass(eq=False)
class Validation:
    """Held-out samples, measured after each epoch, and of a classifier as many training samples beside them.

    Inputs are those of the ``part`` of the model that is trained, where there is one.
    """

    X: Any
    Y: Any
    X_train: Any = None
    Y_train: Any = None
    part: Model | None = None
    weights: Array | None = None

    def measure(self, model: Model) -> dict[str, float]:
        """Return the model's loss on held-out samples and, for a classifier, its accuracy on both kinds."""
        found, part = {}, self.part or model
        if self.X_train is not None:
            found["accuracy"] = _measure(part, self.X_train, self.Y_train)["accuracy"]
        held = _measure(part, self.X, self.Y, self.weights)
        found |= {f"validation_{name}": value for name, value in held.items()}
        model._last_outputs = part._last_outputs
        return found


def _measure(model: Model, X: Any, Y: Any, weights: Array | None = None) -> dict[str, float]:
    """Return what ``model.measure`` does; of several ranks, each predicts a part."""
    if ranks.world() is None:
        return model._measure(X, Y, weights=weights)
    own = choose_rows(X, ranks.part(n_rows(X)))
    return model._measure(X, Y, joined(ranks.of_all(model._raw_outputs(own))), weights=weights)


class Form:
    """The direct form, in which the model's own parameters are trained; others derive from it.

    Whatever looks at a training asks its form for what the plain model would have.

    Attributes
    ----------
    name : str
    batches : Batches
        What the steps are computed on.
    validation : Validation or None
    own_executor : Executor or None
        Computes the steps, where that is not left to the model's own.
    part : Model or None
        The layers that the batches are inputs of, where that is not the whole model.
    grad_norm : callable or None
        Takes the flat gradient and returns the length of the plain model's; None: its own length.
    """

    name = "direct"
    dual: Any = None  # the layer instead of the first one, of the dual form
    grad_norm: Callable[[Array], float] | None = None

    def __init__(
        self,
        batches: Batches,
        validation: Validation | None = None,
        own_executor: Executor | None = None,
        part: Model | None = None,
    ) -> None:
        self.batches, self.validation, self.own_executor, self.part = batches, validation, own_executor, part

    @contextmanager
    def open_executor(self, job: Any, optimizer: Any) -> Iterator[Executor]:
        """Yield what takes the steps of a job."""
        opened: Any = nullcontext(self.own_executor)
        if self.own_executor is None:
            over_ranks = self.batches.whole is not self.batches
            how = {"holds_blas": job.holds_blas, "over_ranks": over_ranks}
            opened = executor_for(job.part, job.n_threads, optimizer, **how)
        with one_blas_thread() if self.own_executor and job.holds_blas else nullcontext(), opened as executor:
            yield Minimizer(executor, job.data) if optimizer.is_full_batch else executor

    def to_plain(self, flat: Array) -> Array:
        """Return a copy of a flat array like ``theta`` (parameters, a velocity) as the plain model has it."""
        return flat.copy()

    def plain_step(self, model: Model, X: Any) -> tuple[Model, Any]:
        """Return the plain model, or the part of it that is trained, and the inputs that a batch stands for."""
        return self.part or model, X

    def squared_weights(self, model: Model) -> Callable[[], float]:
        """Return a function of no arguments: the sum of squares of all weights that decay, as they are then."""
        weights = [
            leaf.params[key].reshape(-1)
            for leaf in model._leaves()
            for key in leaf.params
            if not leaf._is_frozen and leaf is not self.dual and key not in leaf._undecayed
        ]
        return lambda: sum(float(np.dot(W, W)) for W in weights)

    def state(self) -> dict[str, Array]:
        """Return what a checkpoint keeps of the form."""
        return {}

    def load_state(self, state: dict[str, Array]) -> None:
        """Take the form up where a ``state()`` left it."""
