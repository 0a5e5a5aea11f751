"""Layers inside a layer, their parameters in one flat array."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import OptionError, PellucidError, in_memory
from pellucid.nn.description import Description
from pellucid.nn.initializers import TOO_LARGE, NoStart, StartRandom
from pellucid.nn.layer import Layer
from pellucid.nn.parameters import NamedArrays
from pellucid.nn.run_lock import RunLock
from pellucid.nn.sharing import assign_places, refresh_places
from pellucid.registry import Limits, check_option, explain_call, option
from pellucid.rng import stream
from pellucid.types import Array, LayerRow, Shape

if TYPE_CHECKING:
    from pellucid.nn.pretrained.body import Body

DTYPES = ("float32", "float64")


@dataclass(eq=False, repr=False)
class Container(Layer):
    """A structure of layers: one flat array of parameters, of which each layer's are views.

    Parameters
    ----------
    dtype : {"float32", "float64"}, optional
        The dtype of its parameters; default float32.

    Attributes
    ----------
    theta, grad : Array, shape (p,)
        All parameters that are trained, and their gradients; those of frozen layers are not among them.
    params, grads : NamedArrays
        Each layer's, by the layer's name and theirs, as views: ``model.params["dense_1"]["W"]``.
    _places : list of Layer
        What it runs, in the order of its children: they themselves or, where a layer stands in several places of
        the model, further uses of it (:mod:`pellucid.nn.sharing`).
    _body : Body or None
        The pretrained layers that it begins with, which are filled when it is initialized.
    _run_lock : RunLock
        Held by the thread that runs it.
    _shares_layers : bool
        Whether it runs ``_places`` in place of its children, builds them by
        :func:`~pellucid.nn.sharing.build_place` and ends its backward pass with ``_add_uses``. Else no layer can
        stand in several of its places.
    """

    _shares_layers = False

    _: KW_ONLY
    dtype: str = option(
        "float32", choices=lambda: DTYPES, in_config=False, help="The dtype of its parameters."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.theta: Array = np.empty(0)
        self.grad: Array = np.empty(0)
        self._places: list[Layer] = []
        self._flows: list[tuple[Array, Array]] = []  # a gradient, and what a further use adds to it
        self._needs_input_gradient = False
        self._body: Body | None = None
        self._run_lock = RunLock()

    def _changed_options(self) -> dict[str, Any]:
        """Return the options that are not at their defaults, the dtype among them."""
        dtype = {} if self.dtype == DTYPES[0] else {"dtype": self.dtype}
        return super()._changed_options() | dtype

    def config(self) -> dict[str, Any]:
        """Return the options by name, and the registered name as "type", JSON-serializable.

        A layer that stands in several places is described in the first, with a name as "shared"; in the others
        ``{"shared": name}`` stands for it.
        """
        return Description(self).config(self)

    def __repr__(self) -> str:
        """Return the call that recreates it; a long one with a line for each layer."""
        return Description(self).call(self)

    __str__ = __repr__

    @property
    def params(self) -> Any:
        """The parameters of every layer inside, by the layer's name and theirs: views."""
        return NamedArrays("params", {name: leaf.params for name, leaf in self._named_leaves().items()})

    @params.setter
    def params(self, given: Any) -> None:
        _refuse("params", given)

    @property
    def grads(self) -> Any:
        """The gradients of the last backward pass, by the layer's name and the parameter's: views."""
        return NamedArrays("grads", {name: leaf.grads for name, leaf in self._named_leaves().items()})

    @grads.setter
    def grads(self, given: Any) -> None:
        _refuse("grads", given)

    def _named_leaves(self) -> dict[str, Layer]:
        """Return the layers inside by name, as the summary has them; none before they are named."""
        return {leaf.name: leaf for leaf in self._leaves() if leaf.name}

    @property
    def _is_initialized(self) -> bool:
        """Whether the parameters have been drawn."""
        return self.theta.size > 0

    @explain_call
    def initialize(
        self,
        input_shape: Shape | Mapping[str, Shape],
        *,
        seed: int = 0,
        dtype: str | None = None,
    ) -> None:
        """Build every layer for samples of ``input_shape`` and draw the first parameters.

        Parameters
        ----------
        input_shape : tuple of int
            One prepared sample's, without the samples axis; of several inputs, a dictionary.
        seed : int, optional
        dtype : {"float32", "float64"}, optional
            Default: the model's own, else float32.

        Raises
        ------
        OptionError
            If shape, seed or dtype is none.
        OutOfMemoryError
            If the parameters do not fit in memory.
        """
        kind: Any = dict[str, tuple[int, ...]] if isinstance(input_shape, Mapping) else tuple[int, ...]
        shape = check_option("initialize", "input_shape", input_shape, kind, Limits(at_least=1))
        seed = check_option("initialize", "seed", seed, int, Limits(at_least=0))
        if dtype is not None:
            self._set_dtype(dtype)
        if self._body is not None:
            self._body.suit(self, shape)
        self._name_layers()
        with self._run_lock, in_memory(TOO_LARGE):
            self.build(shape, StartRandom(np.random.PCG64(seed)))
            self._bind()
        if self._body is not None:
            self._body.fill(self)
        self._mark_input_gradient(self._needs_input_gradient)

    def _lay_out(self, input_shape: Any) -> None:
        """Build every layer for its shapes alone, all parameters zeros.

        Nothing is drawn, so that even a network too large for this machine is summarized at once. It is used for
        nothing else afterwards, unless its arrays are filled and bound.
        """
        self._name_layers()
        self.build(input_shape, NoStart())

    def _set_dtype(self, dtype: str) -> None:
        """Choose the dtype of the parameters of a model that is not yet initialized."""
        self._keep("dtype", self._checked("dtype", dtype))

    def _bind(self) -> None:
        """Move every layer's parameters into one new flat array, values kept, and make views of them.

        Layers may have been exchanged before, for some that are built.
        """
        refresh_places(self)
        for part in self._structures():
            part._run_lock = self._run_lock
        vars(self).pop("_sizes", None)
        for leaf in self._leaves():
            if leaf._is_frozen:  # they have parameters of their own, and gradients that no total counts
                leaf.params = {key: array.astype(self.dtype, order="C") for key, array in leaf.params.items()}
                leaf.grads = {key: np.zeros_like(array) for key, array in leaf.params.items()}
            leaf.state = {key: value.astype(self.dtype) for key, value in leaf.state.items()}
        theta = np.empty(sum(leaf.params[key].size for leaf, key in self._keys()), self.dtype)
        self._move(theta, np.zeros_like(theta))

    def _move(self, theta: Array, grad: Array) -> None:
        """Keep parameters and gradients in these flat arrays, of which each layer's are views.

        The parameters' values are copied over. Further uses of a layer have its arrays, and gradients of their own.
        """
        shapes = [leaf.params[key].shape for leaf, key in self._keys()]
        for (leaf, key), view, gradient in zip(
            self._keys(), carve(theta, shapes), carve(grad, shapes), strict=True
        ):
            view[...] = leaf.params[key]
            leaf.params[key], leaf.grads[key] = view, gradient
        self.theta, self.grad, self._flows = theta, grad, []
        for use in self._further():
            first = use._first_use
            assert first is not None
            use.params.update(first.params)
            use.state.update(first.state)
            use.grads.update({key: np.zeros_like(view) for key, view in first.grads.items()})
            self._flows += [(first.grads[key], flow) for key, flow in use.grads.items()]

    def __getstate__(self) -> dict[str, Any]:
        """Return what copies and pickles have; PellucidError while another thread trains the model."""
        with self._run_lock:
            return super().__getstate__()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state that ``copy`` or ``pickle`` saved; parameters are views of ``theta`` again."""
        self.__dict__.update(state)
        if self._is_initialized and any(
            leaf.params[key].base is not self.theta for leaf, key in self._keys()
        ):
            self._bind()

    def _check_parameters(self) -> None:
        """Raise PellucidError if a layer's parameters are no longer in ``theta``: another model has them."""
        for leaf, key in self._keys():
            if not np.may_share_memory(leaf.params[key], self.theta):
                raise PellucidError(
                    f"{type(self).__name__}: its {leaf._label} has been built into another model since, and its "
                    "parameters are there. Give the other model a copy: copy.deepcopy(layer)."
                )

    def _add_uses(self) -> None:
        """Add the gradients of further uses of layers to those of the layers: the end of a backward pass."""
        for total, flow in self._flows:
            total += flow

    def _keys(self) -> list[tuple[Layer, str]]:
        return [(leaf, key) for leaf in self._leaves() if not leaf._is_frozen for key in leaf.params]

    @property
    def n_params(self) -> int:
        """The number of its parameters, those of frozen layers among them."""
        return sum(array.size for leaf in self._leaves() for array in leaf.params.values())

    @property
    def _n_frozen(self) -> int:
        """The number of parameters of its frozen layers."""
        return sum(array.size for leaf in self._leaves() if leaf._is_frozen for array in leaf.params.values())

    def _flat_decay_mask(self) -> Array:
        """Return 1 for each parameter subject to weight decay and 0 for the rest (biases), shape (p,)."""
        masks = [leaf._decay_mask(key).ravel() for leaf, key in self._keys()]
        return np.concatenate(masks) if masks else np.empty(0, self.dtype)

    def _flat_ntk_rates(self) -> Array:
        """Return the factor of each parameter's learning rate in the neural tangent parametrization, shape (p,)."""
        factors = [np.full(leaf.params[key].size, leaf._ntk_rate(key)) for leaf, key in self._keys()]
        return np.concatenate(factors) if factors else np.empty(0)

    def _seed_step(self, seed: int, step: int, *, part: int = 0) -> None:
        """Give each layer that draws random numbers its stream for one step.

        Of a part of a step's batch, a layer with an attribute ``part`` has the stream of the whole batch, of which
        it takes its own part; any other has a stream for each part.
        """
        leaf: Any  # a layer that draws has the method
        for leaf in self._uses():
            if leaf._has("set_step_rng"):
                own = 0 if leaf._has("part") else part
                leaf.set_step_rng(stream(seed, f"{leaf.name} of part {own}", step))

    @abstractmethod
    def children(self) -> list[Layer]:
        """Return the layers that this one consists of, in order."""

    def _mark_input_gradient(self, needed: bool) -> None:
        """Set whether the gradient for the input is used, for every layer inside too."""
        self._needs_input_gradient = needed
        for place in self._places:
            place._mark_input_gradient(needed)

    def _roles(self) -> list[str]:
        """Return what this structure calls each of its children."""
        return [""] * len(self.children())

    @property
    def _own_operations(self) -> int:
        """Operations of the structure itself, without those of the layers inside it."""
        return 0

    @property
    def _n_operations(self) -> int:
        """Multiplications and additions of one sample's forward pass, all layers together."""
        return self._own_operations + sum(place._n_operations for place in self._places)

    @property
    def _n_values(self) -> int:
        """0: the output belongs to a layer inside it."""
        return 0

    def _summary_rows(self, itemsize: int, role: str = "", depth: int = 0) -> list[LayerRow]:
        """Return a line for the structure itself, and one for each layer inside it."""
        kind = type(self).__name__
        own = LayerRow(
            role or kind.lower(),
            kind,
            "",
            self.output_shape,
            0,
            self._own_operations,
            depth=depth,
            label=role or kind.lower(),
            activation_bytes=self._n_values * itemsize,
            is_structure=True,
        )
        return [own, *self._inner_rows(itemsize, depth + 1)]

    def _inner_rows(self, itemsize: int, depth: int = 0) -> list[LayerRow]:
        """Return the lines of what is inside this structure, in order."""
        parts = zip(self._places, self._roles(), strict=True)
        return [row for place, role in parts for row in place._summary_rows(itemsize, role, depth)]

    def _leaves(self) -> list[Layer]:
        """Return the layers inside, those of nested models too, in order and each once."""
        return list({id(leaf): leaf for child in self.children() for leaf in child._leaves()}.values())

    def _structures(self) -> "list[Container]":
        """Return this structure and all structures inside it."""
        inside = [
            part for place in self._places if isinstance(place, Container) for part in place._structures()
        ]
        return [self, *inside]

    def _uses(self) -> list[Layer]:
        """Return what runs: the leaves and, of one that stands in several places, its further uses too."""
        return [use for place in self._places for use in place._uses()]

    def _further(self) -> list[Layer]:
        """Return the further uses of layers that stand in several places."""
        return [use for use in self._uses() if use._first_use is not None]

    def _name_layers(self) -> None:
        """Set what runs in each place, and number the layers inside by kind: dense_1, dense_2, dense_2 (use 2)."""
        assign_places(self)
        counts: dict[str, int] = {}
        for leaf in self._leaves():
            kind = type(leaf).__name__.lower()
            counts[kind] = counts.get(kind, 0) + 1
            leaf.name = f"{kind}_{counts[kind]}"
            for number, use in enumerate(leaf._further_uses, 2):
                use.name = f"{leaf.name} (use {number})"


def _refuse(name: str, given: Any) -> None:
    """Refuse arrays for a structure itself: its layers have them."""
    if given:
        raise OptionError(
            f'{name}: a structure has the arrays of its layers. Write to one of them: model.{name}["dense_1"]["W"].'
        )


def carve(slab: Array, shapes: Sequence[Shape]) -> list[Array]:
    """Return consecutive views of these shapes into one flat array; writing to a view writes to the slab.

    Parameters
    ----------
    slab : Array, shape (p,)
    shapes : sequence of tuple of int
        Their sizes add up to p.

    Examples
    --------
    >>> slab = np.zeros(3)
    >>> W, b = carve(slab, [(2, 1), (1,)])
    >>> b[0] = 5
    >>> slab
    array([0., 0., 5.])
    """
    views, start = [], 0
    for shape in shapes:
        stop = start + math.prod(shape)
        views.append(slab[start:stop].reshape(shape))
        start = stop
    return views
