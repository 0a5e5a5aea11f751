"""The step of a small full-batch training in the dual form, as a flat list of NumPy calls on fixed arrays.

At this size calling NumPy costs as much as its work: this does what the layers do (``model.loss_and_grad`` is its
plain twin) with a third fewer calls and no bookkeeping between them. Columns are samples here, so that a row of
ones under each layer's activations carries the bias through the products, forward and backward, and one comparison
gives every relu's mask.
"""

from typing import Any

import numpy as np

from pellucid.nn.dense import Dense
from pellucid.nn.model import Model
from pellucid.training.dual.dense import DualDense
from pellucid.training.executor.executor import Executor
from pellucid.types import Array


def fits(model: Model, dual: DualDense) -> bool:
    """Return whether a model in the dual form is a plain stack: Dense layers, relu between, one logit last."""
    layers = model.children()
    activations = [getattr(layer, "activation", "") for layer in layers]
    return (
        layers[0] is dual
        and all(isinstance(layer, Dense) for layer in layers[1:])
        and activations == ["relu"] * (len(layers) - 1) + [None]
        and model.output_shape == (1,)
        and model.loss_config == {"type": "binary_cross_entropy"}
    )


class FullBatchStep(Executor):
    """Computes what ``model.loss_and_grad`` does for the full batch; see the top of this module.

    Parameters
    ----------
    model : Model
        In the dual form, one that ``fits``.
    dual : DualDense
        Its first layer.
    Y : Array, shape (m, 1)
        Targets, 0 and 1.
    """

    def __init__(self, model: Model, dual: DualDense, Y: Array) -> None:
        super().__init__(model)
        m, dtype = len(dual.samples), model.theta.dtype
        self.dual, self.C, self.dC = dual, dual.params["C"], dual.grads["C"]
        self.features: Array | None = (
            None  # (m + 1 + n_out + 1, m); made late: a checkpoint may bring another W_0
        )
        self.ones, self.flip = np.ones(m, dtype), (1 - 2 * Y[:, 0]).astype(dtype)
        self.flip_over_m = self.flip / dtype.type(m)
        self.zeros, self.minus_ones = np.zeros(m, dtype), -self.ones  # arrays: scalars become some each time
        self.scratch = np.empty((4, m), dtype)
        self.logit, self.dlogit = np.empty((1, m), dtype), np.empty((1, m), dtype)
        widths = [layer.output_shape[0] for layer in model.children()]
        # Each layer's activations, a row of ones below.
        self.slab = np.ones((sum(n + 1 for n in widths[:-1]), m), dtype)
        self.is_on, self.masks = np.empty(self.slab.shape, bool), np.empty_like(self.slab)
        self.dfirst = np.empty((widths[0], m), dtype) if len(widths) > 1 else self.dlogit
        self.first = self.slab[: widths[0]] if len(widths) > 1 else self.logit
        self.first_zeros = np.zeros_like(self.first)
        self._forward: list[Any] = []
        self._backward: list[Any] = []
        self._list_calls(widths)

    def _list_calls(self, widths: list[int]) -> None:
        """Prepare the arguments of each layer's NumPy calls, forward and backward."""
        model, m, dtype = self.model, self.slab.shape[1], self.slab.dtype
        starts = [sum(n + 1 for n in widths[:k]) for k in range(len(widths) - 1)]
        gradients = [np.empty((n, m), dtype) for n in widths[1:-1]] + [self.dlogit]
        offset = self.C.size
        for k, start in enumerate(starts):  # the layer from activations k to k + 1
            n_in, n_out = widths[k], widths[k + 1]
            stop = offset + (n_in + 1) * n_out
            P = model.theta[offset:stop].reshape(n_in + 1, n_out)  # W, and below it b
            dP = model.grad[offset:stop].reshape(n_in + 1, n_out)
            offset = stop
            A, mask = self.slab[start : start + n_in + 1], self.masks[start : start + n_in]
            is_last = k == len(starts) - 1
            Z = self.logit if is_last else self.slab[starts[k + 1] : starts[k + 1] + n_out]
            self._forward.append((P.T, A, Z, None if is_last else np.zeros_like(Z)))
            before, dZ = self.dfirst if k == 0 else gradients[k - 1], gradients[k]
            self._backward.insert(0, (A, dZ, dZ.T, dP, P[:-1], np.empty((n_in, m), dtype), mask, before))

    def loss_and_grad(self, X: Any, Y: Any, *, weights: Array | None = None) -> float:
        """Return the loss and fill the model's ``grad``; X and Y are always the full batch."""
        dot, maximum = np.dot, np.maximum
        if self.features is None:
            self.features = self.dual.table[: len(self.ones)].T.copy()
        dot(self.C, self.features, out=self.first)
        if self._forward:
            maximum(self.first, self.first_zeros, out=self.first)
        for P_T, A, Z, zeros in self._forward:
            dot(P_T, A, out=Z)
            if zeros is not None:
                maximum(Z, zeros, out=Z)
        loss = self._loss()
        if self._backward:
            np.greater(self.slab, 0, out=self.is_on)
            np.copyto(self.masks, self.is_on)
        for A, dZ, dZ_T, dP, W, dA, mask, before in self._backward:
            dot(A, dZ_T, out=dP)
            dot(W, dZ, out=dA)
            np.multiply(dA, mask, out=before)
        m = len(self.ones)
        self.dC[:, :m] = self.dfirst
        self.dC[:, m + 1 : -1] = 0
        self.dC[:, m] = self.dC[:, -1] = dot(self.dfirst, self.ones)
        return loss if self.model._loss_hook is None else self.model._loss_hook(loss, float(m))

    def _loss(self) -> float:
        """Return the mean of log(1 + exp(s)), s = Z where y = 0 and -Z where y = 1, and write its gradient."""
        s, top, e, low = self.scratch
        np.multiply(self.logit[0], self.flip, out=s)
        np.maximum(s, self.zeros, out=top)
        np.copysign(s, self.minus_ones, out=e)
        np.exp(e, out=e)  # exp(-|s|)
        np.subtract(s, top, out=low)
        np.exp(low, out=low)  # exp(min(s, 0))
        np.log1p(e, out=s)
        loss = (np.dot(self.ones, s) + np.dot(self.ones, top)) / len(s)
        e += 1
        np.divide(low, e, out=low)  # sigmoid(s)
        np.multiply(low, self.flip_over_m, out=self.dlogit[0])
        return float(loss)
