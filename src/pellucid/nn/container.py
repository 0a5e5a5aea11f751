"""Layers inside a layer, their parameters in one flat array."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.errors import OptionError
from pellucid.nn.initializers import StartRandom
from pellucid.nn.layers import Layer
from pellucid.nn.memory import carve
from pellucid.rng import stream
from pellucid.types import Array, LayerRow, Shape

DTYPES = ("float32", "float64")


class Container(Layer):
    """What every structure of layers is: one flat array of parameters, of which each layer's are views.

    Parameters
    ----------
    dtype : {"float32", "float64"}, optional
        What it is trained and kept in; default float32.

    Attributes
    ----------
    theta, grad : Array, shape (p,)
        All parameters and all gradients.
    """

    def __init__(self, *, dtype: str | None = None) -> None:
        super().__init__()
        self.dtype = ""
        self.set_dtype(dtype or "float32")
        self.theta: Array = np.empty(0)
        self.grad: Array = np.empty(0)
        self.needs_input_gradient = False

    @property
    def is_initialized(self) -> bool:
        """Whether the parameters have been drawn."""
        return self.theta.size > 0

    def initialize(
        self, input_shape: Shape | Mapping[str, Shape], *, seed: int = 0, dtype: str | None = None
    ) -> None:
        """Build every layer for samples of ``input_shape`` and draw the first parameters.

        Parameters
        ----------
        input_shape : tuple of int
            One prepared sample's, without the samples axis; of several inputs, a dictionary.
        seed : int, optional
        dtype : {"float32", "float64"}, optional
            Default: the model's own, else float32.
        """
        self.set_dtype(dtype or self.dtype)
        self._name_layers()
        shape: Any = dict(input_shape) if isinstance(input_shape, Mapping) else tuple(input_shape)
        self.build(shape, StartRandom(np.random.PCG64(seed)))
        self.bind()
        self.mark_input_gradient(self.needs_input_gradient)

    def set_dtype(self, dtype: str) -> None:
        """Choose what a model that is not yet initialized will be trained and kept in."""
        if dtype not in DTYPES:
            raise OptionError(f"dtype: expected one of {', '.join(DTYPES)}, got {dtype!r}.")
        self.dtype = dtype

    def bind(self) -> None:
        """Move every layer's parameters into one new flat array, values kept, and make views of them."""
        theta = np.empty(sum(leaf.params[key].size for leaf, key in self._keys()), self.dtype)
        self.move(theta, np.zeros_like(theta))
        for leaf in self.leaves():
            leaf.state = {key: value.astype(self.dtype) for key, value in leaf.state.items()}

    def move(self, theta: Array, grad: Array) -> None:
        """Let parameters and gradients lie in these flat arrays; the parameters' values move along."""
        views = carve(theta, [leaf.params[key].shape for leaf, key in self._keys()])
        for (leaf, key), view in zip(self._keys(), views, strict=True):
            view[...] = leaf.params[key]
            leaf.params[key] = view
        self.theta, self.grad = theta, grad
        self.carve_gradients()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what ``copy`` or ``pickle`` took of another model; parameters are views of ``theta`` again."""
        self.__dict__.update(state)
        if self.is_initialized and any(leaf.params[key].base is not self.theta for leaf, key in self._keys()):
            self.bind()

    def carve_gradients(self) -> None:
        """Make each layer's ``grads`` views of ``grad``."""
        views = carve(self.grad, [leaf.params[key].shape for leaf, key in self._keys()])
        for (leaf, key), view in zip(self._keys(), views, strict=True):
            leaf.grads[key] = view

    def _keys(self) -> list[tuple[Layer, str]]:
        return [(leaf, key) for leaf in self.leaves() for key in leaf.params]

    def flat_decay_mask(self) -> Array:
        """Return 1 for each parameter that weight decay shrinks and 0 for the rest (biases), shape (p,)."""
        masks = [leaf.decay_mask(key).ravel() for leaf, key in self._keys()]
        return np.concatenate(masks) if masks else np.empty(0, self.dtype)

    @property
    def draws_random_numbers(self) -> bool:
        """Whether a layer does, such as Dropout: see ``seed_step``."""
        return any(hasattr(leaf, "set_step_rng") for leaf in self.leaves())

    def seed_step(self, seed: int, step: int, *, shard: int = 0) -> None:
        """Give each layer that draws random numbers its stream for one step of the training."""
        for leaf in self.leaves():
            if hasattr(leaf, "set_step_rng"):
                leaf.set_step_rng(stream(seed, f"{leaf.name} of shard {shard}", step))

    def children(self) -> list[Layer]:
        """Return the layers that this one is made of, in order."""
        raise NotImplementedError

    def leaves(self) -> list[Layer]:
        """Return the layers inside, those of nested models too, in order."""
        return [leaf for child in self.children() for leaf in child.leaves()]

    def rows(self) -> list[LayerRow]:
        """Return a line for each layer."""
        return [row for child in self.children() for row in child.rows()]

    def _name_layers(self) -> None:
        counts: dict[str, int] = {}
        for leaf in self.leaves():
            kind = type(leaf).__name__.lower()
            counts[kind] = counts.get(kind, 0) + 1
            leaf.name = f"{kind}_{counts[kind]}"
