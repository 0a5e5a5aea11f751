"""Initial weights: each initializer draws an array of a given shape, in float64."""

import math
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, TypeAlias

import numpy as np

from pellucid.errors import in_memory
from pellucid.ops.activations import ACTIVATIONS
from pellucid.registry import option
from pellucid.rng import legacy_stream
from pellucid.types import Array, Shape

TOO_LARGE = "the layer's parameters do not fit in memory. Make it smaller."


class StartRandom:
    """A generator of random numbers for a model's initial weights, with all methods of NumPy's.

    It also holds the legacy stream from which the published weights are drawn in succession. NumPy's generators are
    imported once one is needed: a model from a file draws nothing.

    Parameters
    ----------
    bits : numpy.random.BitGenerator, optional

    Examples
    --------
    >>> StartRandom(np.random.PCG64(0)).integers(10, size=3)
    array([8, 6, 5])
    """

    published_seed = 1

    def __init__(self, bits: "np.random.BitGenerator | None" = None) -> None:
        self._bits = bits

    @cached_property
    def generator(self) -> "np.random.Generator":
        """NumPy's."""
        return np.random.Generator(self._bits or np.random.PCG64(0))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # a copy asks before there is anything
            raise AttributeError(name)
        return getattr(self.generator, name)

    def draw(self, initializer: str, shape: Shape) -> Array:
        """Return an array drawn by the initializer of that name in ``INITIALIZERS``.

        Examples
        --------
        >>> StartRandom(np.random.PCG64(0)).draw("zeros", (2,))
        array([0., 0.])
        """
        with in_memory(TOO_LARGE):
            return INITIALIZERS[initializer](self, shape)

    def ones(self, n: int) -> Array:
        """Return n ones: the first factors of a norm."""
        return np.ones(n)

    @cached_property
    def published(self) -> "np.random.RandomState":
        """The legacy stream, created on first use: seeding it takes longer than drawing small weights."""
        return legacy_stream(self.published_seed)


class NoStart(StartRandom):
    """Draws zeros only: the system provides them without touching memory."""

    def draw(self, initializer: str, shape: Shape) -> Array:
        """Return zeros."""
        with in_memory(TOO_LARGE):
            return np.zeros(shape)

    def ones(self, n: int) -> Array:
        """Return zeros here, too: ones would be written, and a file may ask for any number of them."""
        return np.zeros(n)


Initializer: TypeAlias = Callable[[StartRandom, Shape], Array]


def zeros(rng: StartRandom, shape: Shape) -> Array:
    """Return zeros: right for biases and for a model without hidden layers, where nothing needs to differ.

    Examples
    --------
    >>> zeros(StartRandom(np.random.PCG64(0)), (2,))
    array([0., 0.])
    """
    return np.zeros(shape)


def glorot(rng: StartRandom, shape: Shape) -> Array:
    """Return uniform numbers of variance 2 / (n_in + n_out) (Glorot and Bengio, 2010, equation 16).

    Examples
    --------
    >>> W = glorot(StartRandom(np.random.PCG64(0)), (100, 50))
    >>> bool(abs(W).max() <= (6 / 150) ** 0.5)
    True
    """
    n_in, n_out = _fans(shape)
    limit = math.sqrt(6 / (n_in + n_out))
    return rng.generator.uniform(-limit, limit, shape)


def he(rng: StartRandom, shape: Shape) -> Array:
    """Return normal numbers of variance 2 / n_in, which relu layers keep (He et al., 2015, equation 10).

    Examples
    --------
    >>> W = he(StartRandom(np.random.PCG64(0)), (1000, 50))
    >>> bool(abs(W.std() / (2 / 1000) ** 0.5 - 1) < 0.02)
    True
    """
    return rng.generator.standard_normal(shape) * math.sqrt(2 / _fans(shape)[0])


def lecun(rng: StartRandom, shape: Shape) -> Array:
    """Return normal numbers of variance 1 / n_in, which linear layers keep (LeCun et al., 1998, section 4.6).

    Examples
    --------
    >>> W = lecun(StartRandom(np.random.PCG64(0)), (1000, 50))
    >>> bool(abs(W.std() * 1000**0.5 - 1) < 0.02)
    True
    """
    return rng.generator.standard_normal(shape) / math.sqrt(_fans(shape)[0])


def normal(rng: StartRandom, shape: Shape) -> Array:
    """Return normal numbers of standard deviation 0.01, whatever the shape.

    Examples
    --------
    >>> bool(abs(normal(StartRandom(np.random.PCG64(0)), (1000, 50)).std() - 0.01) < 1e-4)
    True
    """
    return rng.generator.standard_normal(shape) * 0.01


def uniform(rng: StartRandom, shape: Shape) -> Array:
    """Return numbers uniform from -0.05 to 0.05, whatever the shape.

    Examples
    --------
    >>> bool(abs(uniform(StartRandom(np.random.PCG64(0)), (1000, 50))).max() <= 0.05)
    True
    """
    return rng.generator.uniform(-0.05, 0.05, shape)


def orthogonal(rng: StartRandom, shape: Shape) -> Array:
    """Return a matrix whose columns (or rows, if fewer) are orthonormal (Saxe et al., 2014, section 3).

    For a kernel, all axes but the last form the rows.

    Examples
    --------
    >>> W = orthogonal(StartRandom(np.random.PCG64(0)), (6, 3))
    >>> bool(np.allclose(W.T @ W, np.eye(3)))
    True
    """
    n_rows, n_columns = math.prod(shape[:-1]), shape[-1]
    tall = rng.standard_normal((max(n_rows, n_columns), min(n_rows, n_columns)))
    Q, R = np.linalg.qr(tall)
    Q *= np.sign(np.diag(R))  # else the signs would not be uniformly distributed
    return (Q if n_rows >= n_columns else Q.T).reshape(shape)


def published(rng: StartRandom, shape: Shape) -> Array:
    """Return the tutorial's initial weights, transposed: legacy RandomState(1), randn(n_out, n_in) / sqrt(n_in).

    The layers of one model take successive draws of one stream, in their order.

    Examples
    --------
    >>> published(StartRandom(np.random.PCG64(0)), (4, 1))[0, 0] == 1.6243453636632417 / 2
    np.True_
    """
    n_in, n_out = shape
    return rng.published.randn(n_out, n_in).T / math.sqrt(n_in)


def published_two_layer(rng: StartRandom, shape: Shape) -> Array:
    """Return the tutorial's initial weights of the two-layer network, transposed: randn(n_out, n_in) * 0.01.

    Examples
    --------
    >>> published_two_layer(StartRandom(np.random.PCG64(0)), (4, 1))[0, 0] == 1.6243453636632417 * 0.01
    np.True_
    """
    n_in, n_out = shape
    return rng.published.randn(n_out, n_in).T * 0.01


# Under the functions' names, which stand in saved models.
_ALL = zeros, glorot, he, lecun, normal, orthogonal, uniform, published, published_two_layer
INITIALIZERS: dict[str, Initializer] = {initializer.__name__: initializer for initializer in _ALL}


def default_initializer(activation: str | None) -> str:
    """Return the name of the initializer that suits an activation.

    Examples
    --------
    >>> default_initializer("relu"), default_initializer("tanh"), default_initializer(None)
    ('he', 'glorot', 'glorot')
    """
    return "he" if activation == "relu" else "glorot"


def _fans(shape: Shape) -> tuple[int, int]:
    """Return the fan-in and the fan-out: inputs of each output, and outputs of each input."""
    n_patch = math.prod(shape[:-2])  # 1 for a matrix, height x width for a convolution's kernel
    return n_patch * shape[-2], n_patch * shape[-1]


activation_option = partial(
    option,
    None,
    choices=lambda: ACTIVATIONS,
    help="Activation function: a name of pellucid.ops.activations.ACTIVATIONS; None: the output is linear.",
)
initializer_option = partial(
    option,
    None,
    choices=lambda: INITIALIZERS,
    help='Initial W: a name of pellucid.nn.initializers.INITIALIZERS; None: "he" before relu, else "glorot". '
    "Biases start at zero.",
)
