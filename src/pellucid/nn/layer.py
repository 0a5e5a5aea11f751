"""The base class of layers: options, parameters, their gradients, a forward and a backward."""

import functools
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import CallError, OptionError, UnknownAttributeError, unknown_name
from pellucid.nn.initializers import StartRandom
from pellucid.nn.parameters import in_words
from pellucid.registry import Configurable, Registry
from pellucid.text import join, plural
from pellucid.types import Array, LayerRow, Shape
from pellucid.workspace import Workspace


class LayerTable(Registry["Layer"]):
    """The layers by name; configs may name a layer that stands in several places."""

    def from_config(self, config: "str | Mapping[str, Any]") -> "Layer":
        """Return the layer that a ``config()`` describes.

        A description with a name as "shared" is that of a layer; ``{"shared": name}`` after it is the same layer.
        """
        layer = self._joined(config, {})
        return layer if isinstance(layer, Layer) else super().from_config(layer)

    def _joined(self, value: Any, shared: dict[str, "Layer"]) -> Any:
        """Return a part of a config with layers instead of descriptions that are shared."""
        if isinstance(value, list | tuple):
            return [self._joined(entry, shared) for entry in value]
        if not isinstance(value, Mapping):
            return value
        options = {key: self._joined(entry, shared) for key, entry in value.items()}
        name = options.get("shared")
        if not isinstance(name, str) or not ("type" in options or len(options) == 1):
            return options
        del options["shared"]
        if options and name in shared:
            raise OptionError(
                f"two layers are described as shared = {name!r}. Describe one and name it elsewhere."
            )
        if options:
            shared[name] = super().from_config(options)
        elif name not in shared:
            raise OptionError(unknown_name("shared layer", name, shared))
        return shared[name]


LAYERS = LayerTable("layer", "pellucid.nn")
PASSES = ("forward", "backward")


class Layer(Configurable, ABC):
    """A thin shell over an op, which keeps what backward needs from forward.

    To write one, derive a dataclass whose fields are its options, fill ``params`` and ``output_shape`` in
    ``build``, and let ``backward`` write every array of ``grads`` and return the gradient for the input. With
    ``@register``, files can name it. A class with its own ``__init__`` works too: it calls
    ``super().__init__()`` and keeps what it takes under the same names.

    Attributes
    ----------
    name : str
        Unique in its model, such as "dense_1"; set when the model is initialized.
    params, grads : dict of str to Array
        The same keys; once the model is initialized, views into its flat ``theta`` and ``grad``.
    state : dict of str to Array
        What is kept with the model but not trained, such as running statistics.
    input_shape, output_shape : tuple of int
        Without the samples axis; known after ``build``.
    _needs_input_gradient : bool
        False where nothing before this layer is trained: ``backward`` may then return None.
    _is_frozen : bool
        Whether it is kept as it is, and runs as in prediction: see :func:`pellucid.nn.freezing.freeze`.
    _undecayed : frozenset of str
        The parameters exempt from weight decay: "b", unless a class says otherwise.
    _first_use : Layer or None
        Where a model has the same layer in several places: the layer itself, which this is a further use of.
    _further_uses : list of Layer
        What runs in its other places, with the same arrays: see :mod:`pellucid.nn.sharing`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from pellucid.registry import option, register
    >>> @register
    ... @dataclass(eq=False, repr=False)
    ... class Scale(Layer):
    ...     factor: float = option(2.0, above=0, help="What every number is multiplied by.")
    ...
    ...     def forward(self, X, *, training=False):
    ...         return self.factor * X
    ...
    ...     def backward(self, dY):
    ...         return self.factor * dY
    >>> Scale(factor=3).config()
    {'type': 'Scale', 'factor': 3.0}

    ``print`` shows a layer's numbers:

    >>> from pellucid.nn.dense import Dense
    >>> layer = Dense(2, initializer="zeros")
    >>> layer.build((1,), StartRandom(np.random.PCG64(1)))
    >>> print(layer)
    Dense(units=2, initializer='zeros')
    Dense: (1,) to (2,), 4 parameters
    W (1, 2) float64
        [[0. 0.]]
    b (2,) float64
        [0. 0.]
    """

    _registry = LAYERS
    _undecayed: frozenset[str] = frozenset({"b"})
    _operations_per_value = 0  # of the input, in a forward pass
    _starts_chain = False  # of layers that may run as one step: see nn/fusion.py
    _places: "Sequence[Layer]" = ()  # of a structure: what it runs, in the order of its children

    def __init__(self) -> None:
        self.name = ""
        self.params: dict[str, Array] = Unbuilt(type(self).__name__)
        self.grads: dict[str, Array] = {}
        self.state: dict[str, Array] = {}
        self.input_shape: Shape = ()
        self.output_shape: Shape = ()
        self._needs_input_gradient = True
        self._is_frozen = False
        self._first_use: Layer | None = None
        self._further_uses: list[Layer] = []
        self._workspace = Workspace()

    def __post_init__(self) -> None:
        """Finish a dataclass's constructor: check the options, and start empty."""
        Layer.__init__(self)
        super().__post_init__()

    def __getstate__(self) -> dict[str, Any]:
        """Return what copies and pickles have: all but hooks (:mod:`pellucid.nn.hooks`)."""
        state = vars(self).copy()
        if (unhooked := state.pop("_unhooked", None)) is not None:
            state = {name: value for name, value in state.items() if name not in PASSES} | unhooked
        return state

    if not TYPE_CHECKING:  # a type checker finds unknown names itself

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):
                return object.__getattribute__(self, name)  # a property that failed: its own error
            error = UnknownAttributeError(type(self).__name__, name, self)
            if name in getattr(type(self).backward, "__code__", Layer.build.__code__).co_names:
                error.hint = " It is kept by forward: call forward, then backward."
            try:
                raise error
            finally:
                del error  # or its frame and it keep one another, and the layer

        def __new__(cls, *args: Any, **named: Any) -> Any:
            if cls.__abstractmethods__:
                missing = join(sorted(cls.__abstractmethods__))
                raise CallError(
                    f"{cls.__name__}: its class has no {missing}. A layer of your own needs forward and backward; "
                    "models are made by pl.Sequential and pl.Graph."
                )
            return super().__new__(cls)

        __new__.__signature__ = inspect.Signature(
            [inspect.Parameter("cls", inspect.Parameter.POSITIONAL_ONLY)]
        )

        def __call__(self, *args: Any, **named: Any) -> Any:
            raise CallError(
                f"{type(self).__name__}: layers are not called. Put layers together by pl.Sequential or pl.Graph; "
                "a layer has forward(X)."
            )

    def build(self, input_shape: Shape, rng: StartRandom) -> None:
        """Take the shape of the input, and draw the first parameters in float64."""
        self.input_shape = self.output_shape = input_shape

    @abstractmethod
    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return the output for X, (m, *input_shape); it is valid until the next forward."""

    @abstractmethod
    def backward(self, dY: Array) -> Array | None:
        """Write ``grads`` and return the gradient for the input of the last forward; dY may be overwritten."""

    def children(self) -> "list[Layer]":
        """Return the layers that this one consists of, in order: none, unless it is a structure."""
        return []

    def _has(self, name: str) -> bool:
        """Return what ``hasattr`` does, without the error object that looks for what is meant."""
        return name in vars(self) or hasattr(type(self), name)

    def _mark_input_gradient(self, needed: bool) -> None:
        """Set whether the gradient for the input is used: see ``_needs_input_gradient``."""
        self._needs_input_gradient = needed

    def _decay_mask(self, key: str) -> Array:
        """Return 1 where weight decay applies to that parameter, else 0, in its shape."""
        return np.full_like(self.params[key], key not in self._undecayed)

    def _ntk_rate(self, key: str) -> float:
        """Return the factor of that parameter's learning rate in the neural tangent parametrization."""
        shape = self.params[key].shape
        if len(shape) > 1:
            return 1 / math.sqrt(math.prod(shape[:-1]))
        return 0.1 if key in ("b", "beta") else 1.0

    def _leaves(self) -> list["Layer"]:
        """Return the layers that hold parameters of their own: this one, or those inside it."""
        return [self]

    def _uses(self) -> list["Layer"]:
        """Return what runs: the leaves and, of one that stands in several places, its further uses too."""
        return [self]

    @property
    def _is_trained(self) -> bool:
        """Whether it has parameters, or layers inside have some, and they are not frozen."""
        return any(leaf.params and not leaf._is_frozen for leaf in self._leaves())

    @property
    def _is_skipped(self) -> bool:
        """Whether a backward pass leaves it out: it is frozen, and nothing before it is trained."""
        return self._is_frozen and not self._needs_input_gradient

    @property
    def _label(self) -> str:
        """The name used in messages: its own or, before it has one, its class's."""
        return self.name or type(self).__name__

    def __str__(self) -> str:
        """Return the layer with its shapes and its numbers: of small arrays all of them."""
        if not self.output_shape:
            return repr(self)
        arrays = {**self.params, **self.state}
        n = plural(sum(array.size for array in self.params.values()), "parameter")
        head = f"{self!r}\n{self._label}: {self.input_shape} to {self.output_shape}, {n}"
        return "\n".join([head, *(in_words(name, array) for name, array in arrays.items())])

    @property
    def _n_operations(self) -> int:
        """Multiplications and additions of one sample's forward pass."""
        return self._operations_per_value * math.prod(self.input_shape)

    @property
    def _n_values(self) -> int:
        """Values of one sample's output that take memory of their own."""
        return math.prod(self.output_shape)

    def _summary_rows(self, itemsize: int, role: str = "", depth: int = 0) -> list[LayerRow]:
        """Return this layer's lines of a summary.

        Parameters
        ----------
        itemsize : int
            Bytes of a number.
        role : str
            Its role in the structure around it, such as "shortcut".
        depth : int
            How many structures it is nested in.
        """
        kind = type(self).__name__
        name = self.name or kind.lower()
        n_params = 0 if self._first_use else sum(array.size for array in self.params.values())
        return [
            LayerRow(
                name,
                kind,
                getattr(self, "activation", None) or "",
                self.output_shape,
                n_params,
                self._n_operations,
                depth=depth,
                label=f"{role}: {name}" if role else name,
                activation_bytes=self._n_values * itemsize,
                parameter_bytes=n_params * itemsize,
                is_frozen=self._is_frozen,
            )
        ]


class Unbuilt(dict[str, Array]):
    """The parameters of a layer that has none yet: to ask for one says how it comes to them."""

    def __init__(self, label: str = "") -> None:
        super().__init__()
        self.label = label

    def __missing__(self, name: str) -> Array:
        raise CallError(
            f"{self.label}: it has no {name!r} yet. Train by pl.train, or call model.initialize(X.shape[1:])."
        )


def gathers_layers(cls: Any) -> Any:
    """Return a class that takes layers one by one too: ``Sequential(a, b)`` like ``Sequential([a, b])``."""
    init = cls.__init__

    @functools.wraps(init)
    def gathered(self: Any, *args: Any, **options: Any) -> None:
        n = next((i for i, one in enumerate(args) if not isinstance(one, Layer)), len(args))
        init(self, *([list(args[:n]), *args[n:]] if n else args), **options)

    cls.__init__ = gathered
    return cls
