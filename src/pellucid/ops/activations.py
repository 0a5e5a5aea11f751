"""Activations: nonlinear functions, each forward next to its backward.

All forwards take ``Z`` of any shape and return ``(A, cache)``; all backwards take the gradient for A and that cache
and return the gradient for Z. All but softmax are elementwise. ``out=`` and ``dZ=`` are buffers, written and
returned; ``out`` may be Z itself and ``dZ`` may be dA itself. Shapes and dtypes are kept: float32 stays float32.
Until the backward is done, A must be left as it is: the caches hold A itself, not a copy.

To add one, write the pair here: the decorator registers it in ``ACTIVATIONS``, which everything else reads.
"""

import math
from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any, NamedTuple, TypeVar

import numpy as np

from pellucid.errors import OptionError, unknown_name
from pellucid.types import Array


class Activation(NamedTuple):
    """A function and its derivative, both from and to arrays of one shape."""

    forward: Callable[..., tuple[Array, Any]]
    backward: Callable[..., Array]
    options: tuple[str, ...] = ()  # keywords that the forward takes besides ``out``
    chosen: tuple[float, ...] = ()  # the values of options that are not at their defaults


ACTIVATIONS: dict[str, Activation] = {}
Backward = TypeVar("Backward", bound=Callable[..., Array])


def derivative_of(forward: Callable[..., tuple[Array, Any]]) -> Callable[[Backward], Backward]:
    """Register a forward and the backward below it in ``ACTIVATIONS``, under the forward's name without its suffix.

    Examples
    --------
    >>> ACTIVATIONS["elu"].backward is elu_backward, ACTIVATIONS["elu"].options
    (True, ('alpha',))
    """

    def enter(backward: Backward) -> Backward:
        options = tuple(name for name in signature(forward).parameters if name not in ("Z", "out"))
        ACTIVATIONS[forward.__name__.removesuffix("_forward")] = Activation(forward, backward, options)
        return backward

    return enter


def get_activation(name: str, **options: float) -> Activation:
    """Return the activation of that name, its options set.

    Parameters
    ----------
    name : str
        A key of ``ACTIVATIONS``.
    **options : float
        ``slope`` of leaky_relu and hard_sigmoid, ``alpha`` of elu, ``high`` of relu6.

    Raises
    ------
    OptionError
        If there is no such activation (the nearest is named), or it has no such option or value.

    Examples
    --------
    >>> get_activation("leaky_relu", slope=0.5).forward(np.array([-1.0]))[0]
    array([-0.5])
    """
    if name not in ACTIVATIONS:
        raise OptionError(unknown_name("activation", name, ACTIVATIONS))
    activation = ACTIVATIONS[name]
    for option in options:
        if not activation.options:
            raise OptionError(f"{name}: takes no options, got {option!r}. Leave it out.")
        if option not in activation.options:
            raise OptionError(unknown_name(f"option of {name}", option, activation.options))
    if not options:
        return activation
    forward = partial(activation.forward, **options)
    try:
        forward(np.zeros(1))  # rejects a value out of range here, not in the middle of training
    except TypeError:
        raise OptionError(f"{name}: expected numbers as options, got {options}.") from None
    return activation._replace(forward=forward, chosen=tuple(options.values()))


class OutputCache(NamedTuple):
    """The output of a function whose derivative can be computed from its output alone."""

    A: Array


class OptionCache(NamedTuple):
    """The output of a function whose derivative needs its option, too."""

    A: Array
    option: float  # slope, alpha or high


class GatedCache(NamedTuple):
    """The input of a function Z gate(Z), and what the gate gave."""

    Z: Array  # a copy where the forward wrote over Z
    gate: Array


def relu_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = max(Z, 0).

    Examples
    --------
    >>> relu_forward(np.array([-1.0, 0.0, 2.0]))[0]
    array([0., 0., 2.])
    """
    A: Array = np.maximum(Z, 0, out=out)
    return A, OutputCache(A)


@derivative_of(relu_forward)
def relu_backward(dA: Array, cache: OutputCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA where A > 0, else 0.

    Nair and Hinton, 2010. At the kink, 0, the derivative is taken to be 0, as in the tutorial.

    Examples
    --------
    >>> _, cache = relu_forward(np.array([-1.0, 0.0, 2.0]))
    >>> relu_backward(np.array([5.0, 5.0, 5.0]), cache)
    array([0., 0., 5.])
    """
    mask = np.sign(cache.A)  # 0 or 1, NaN where A is; a product with floats: 2.5 times as fast as with bools
    return np.multiply(dA, mask, out=dZ)


def leaky_relu_forward(
    Z: Array, *, slope: float = 0.01, out: Array | None = None
) -> tuple[Array, OptionCache]:
    """Return A = Z where Z > 0, else slope Z.

    OptionError unless 0 <= slope < 1.

    Examples
    --------
    >>> leaky_relu_forward(np.array([-1.0, 0.0, 2.0]))[0]
    array([-0.01,  0.  ,  2.  ])
    """
    if not 0 <= slope < 1:  # below 1, the larger of Z and slope Z is the function, and A has the sign of Z
        raise OptionError(f"leaky_relu: expected a slope from 0 to below 1, got {slope}. 0.01 is usual.")
    A: Array = np.maximum(Z, Z * slope, out=out)
    return A, OptionCache(A, slope)


@derivative_of(leaky_relu_forward)
def leaky_relu_backward(dA: Array, cache: OptionCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA where A > 0, else slope dA.

    Maas, Hannun and Ng, 2013.

    Examples
    --------
    >>> _, cache = leaky_relu_forward(np.array([-1.0, 0.0, 2.0]))
    >>> leaky_relu_backward(np.ones(3), cache)
    array([0.01, 0.01, 1.  ])
    """
    A, slope = cache
    slopes = np.maximum(np.sign(A), slope)  # half the time of where(A > 0, 1, slope)
    return np.multiply(dA, slopes, out=dZ)


def elu_forward(Z: Array, *, alpha: float = 1.0, out: Array | None = None) -> tuple[Array, OptionCache]:
    """Return A = Z where Z > 0, else alpha (exp(Z) - 1).

    OptionError unless alpha is finite and 0 or more.

    Examples
    --------
    >>> elu_forward(np.array([-1000.0, 0.0, 2.0]))[0]
    array([-1.,  0.,  2.])
    """
    if not 0 <= alpha < np.inf:
        raise OptionError(f"elu: expected an alpha of 0 or more, got {alpha}. 1 is usual.")
    below = np.expm1(np.minimum(Z, 0))
    if alpha != 1:
        below *= alpha
    A = np.maximum(Z, 0, out=out)
    A += below  # one of the two is 0
    return A, OptionCache(A, alpha)


@derivative_of(elu_forward)
def elu_backward(dA: Array, cache: OptionCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA where A > 0, else dA (A + alpha), since alpha exp(Z) = A + alpha.

    Clevert, Unterthiner and Hochreiter, 2016, equation 15.

    Examples
    --------
    >>> _, cache = elu_forward(np.array([-1000.0, 0.0, 2.0]))
    >>> elu_backward(np.ones(3), cache)
    array([0., 1., 1.])
    """
    A, alpha = cache
    slopes = np.minimum(A, 0) + alpha
    if alpha != 1:
        np.copyto(slopes, 1, where=A > 0)
    return np.multiply(dA, slopes, out=dZ)


class NoCache(NamedTuple):
    """Nothing: the derivative is 1 everywhere."""


def linear_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, NoCache]:
    """Return A = Z: no activation at all.

    Without ``out`` it is Z itself, not a copy.

    Examples
    --------
    >>> linear_forward(np.array([-1.0, 2.0]))[0]
    array([-1.,  2.])
    """
    if out is None or out is Z:
        return Z, NoCache()
    np.copyto(out, Z)
    return out, NoCache()


@derivative_of(linear_forward)
def linear_backward(dA: Array, cache: NoCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA.

    Without ``dZ`` it is dA itself, not a copy.

    Examples
    --------
    >>> linear_backward(np.array([5.0]), NoCache())
    array([5.])
    """
    return linear_forward(dA, out=dZ)[0]


def sigmoid_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = 1 / (1 + exp(-Z)).

    Without a warning for any Z; small probabilities keep all their digits.

    Examples
    --------
    >>> sigmoid_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([0. , 0.5, 1. ])
    """
    A = np.negative(Z, out=out)
    with np.errstate(over="ignore"):  # exp(1000) is inf, and 1 / inf is 0, as it should be
        np.exp(A, out=A)
    A += 1
    np.divide(1, A, out=A)
    return A, OutputCache(A)


@derivative_of(sigmoid_forward)
def sigmoid_backward(dA: Array, cache: OutputCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA A (1 - A).

    Rumelhart, Hinton and Williams, 1986.

    Examples
    --------
    >>> _, cache = sigmoid_forward(np.zeros(1))
    >>> sigmoid_backward(np.ones(1), cache)
    array([0.25])
    """
    return np.multiply(dA, (1 - cache.A) * cache.A, out=dZ)


def tanh_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = tanh(Z) = 2 sigmoid(2 Z) - 1.

    Examples
    --------
    >>> tanh_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([-1.,  0.,  1.])
    """
    A: Array = np.tanh(Z, out=out)
    return A, OutputCache(A)


@derivative_of(tanh_forward)
def tanh_backward(dA: Array, cache: OutputCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA (1 - A^2).

    LeCun et al., 1998, section 4.4 of "Efficient BackProp": why tanh rather than the sigmoid.

    Examples
    --------
    >>> _, cache = tanh_forward(np.zeros(1))
    >>> tanh_backward(np.ones(1), cache)
    array([1.])
    """
    return np.multiply(dA, 1 - cache.A * cache.A, out=dZ)


class SiluCache(NamedTuple):
    """What the backward of silu needs."""

    A: Array
    S: Array  # sigmoid(Z)


def silu_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, SiluCache]:
    """Return A = Z sigmoid(Z), also called swish.

    Examples
    --------
    >>> silu_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([  -0.,    0., 1000.])
    """
    S, _ = sigmoid_forward(Z)
    A: Array = np.multiply(Z, S, out=out)
    return A, SiluCache(A, S)


@derivative_of(silu_forward)
def silu_backward(dA: Array, cache: SiluCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA (S + A (1 - S)), S = sigmoid(Z).

    Elfwing, Uchibe and Doya, 2018; "swish": Ramachandran, Zoph and Le, 2017.

    Examples
    --------
    >>> _, cache = silu_forward(np.zeros(1))
    >>> silu_backward(np.ones(1), cache)
    array([0.5])
    """
    A, S = cache
    return np.multiply(dA, (1 - S) * A + S, out=dZ)


def _gated(Z: Array, gate: Array, out: Array | None) -> tuple[Array, GatedCache]:
    """Return Z gate, and the cache."""
    kept = Z.copy() if out is not None and np.may_share_memory(Z, out) else Z
    return np.multiply(Z, gate, out=out), GatedCache(kept, gate)


def gelu_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, GatedCache]:
    """Return A = Z Phi(Z), Phi the standard normal distribution function.

    The exact form, Phi(Z) = (1 + erf(Z / sqrt 2)) / 2, not the tanh approximation. NumPy has no erf, so SciPy's
    ``ndtr`` is used, which also keeps the digits of the lower tail, where 1 + erf cancels.

    Examples
    --------
    >>> gelu_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([  -0.,    0., 1000.])
    """
    from scipy.special import ndtr  # here, so that importing pellucid loads NumPy only

    return _gated(Z, ndtr(Z), out)


@derivative_of(gelu_forward)
def gelu_backward(dA: Array, cache: GatedCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA (Phi(Z) + Z phi(Z)), phi the standard normal density exp(-Z^2 / 2) / sqrt(2 pi).

    Hendrycks and Gimpel, 2016, section 2.

    Examples
    --------
    >>> _, cache = gelu_forward(np.zeros(1))
    >>> gelu_backward(np.ones(1), cache)
    array([0.5])
    """
    Z, Phi = cache
    Z_density = np.exp(-0.5 * Z * Z) * Z * (1 / math.sqrt(2 * math.pi))
    return np.multiply(dA, Z_density + Phi, out=dZ)


_GELU_SCALE, _GELU_CUBE = math.sqrt(2 / math.pi), 0.044715


def gelu_tanh_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, GatedCache]:
    """Return A = Z (1 + tanh u) / 2, u = sqrt(2 / pi) (Z + 0.044715 Z^3): gelu's approximation.

    Examples
    --------
    >>> gelu_tanh_forward(np.array([-100.0, 0.0, 1.0]))[0].round(4)
    array([-0.    ,  0.    ,  0.8412])
    """
    S, _ = sigmoid_forward(2 * _GELU_SCALE * Z * (1 + _GELU_CUBE * Z * Z))  # (1 + tanh u) / 2
    return _gated(Z, S, out)


@derivative_of(gelu_tanh_forward)
def gelu_tanh_backward(dA: Array, cache: GatedCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA S (1 + 2 Z u' (1 - S)), S = (1 + tanh u) / 2, u' = sqrt(2 / pi) (1 + 0.134145 Z^2).

    Hendrycks and Gimpel, 2016, section 2.

    Examples
    --------
    >>> _, cache = gelu_tanh_forward(np.zeros(1))
    >>> gelu_tanh_backward(np.ones(1), cache)
    array([0.5])
    """
    Z, S = cache
    slopes = 2 * _GELU_SCALE * Z * (1 + 3 * _GELU_CUBE * Z * Z)
    slopes *= 1 - S
    slopes += 1
    slopes *= S
    return np.multiply(dA, slopes, out=dZ)


def relu6_forward(Z: Array, *, high: float = 6.0, out: Array | None = None) -> tuple[Array, OptionCache]:
    """Return A = min(max(Z, 0), high).

    OptionError unless high is finite and above 0.

    Examples
    --------
    >>> relu6_forward(np.array([-1.0, 2.0, 7.0]))[0]
    array([0., 2., 6.])
    """
    if not 0 < high < np.inf:
        raise OptionError(f"relu6: expected a high above 0, got {high}. 6 is usual.")
    A = np.maximum(Z, 0, out=out)
    np.minimum(A, high, out=A)
    return A, OptionCache(A, high)


@derivative_of(relu6_forward)
def relu6_backward(dA: Array, cache: OptionCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA where 0 < A < high, else 0.

    Krizhevsky, 2010.

    Examples
    --------
    >>> _, cache = relu6_forward(np.array([-1.0, 2.0, 7.0]))
    >>> relu6_backward(np.array([5.0, 5.0, 5.0]), cache)
    array([0., 5., 0.])
    """
    A, high = cache
    return np.multiply(dA, (A > 0) & (high > A), out=dZ)


def hard_sigmoid_forward(
    Z: Array, *, slope: float = 1 / 6, out: Array | None = None
) -> tuple[Array, OptionCache]:
    """Return A = min(max(slope Z + 1/2, 0), 1).

    OptionError unless slope is finite and above 0. ONNX's own default is 0.2.

    Examples
    --------
    >>> hard_sigmoid_forward(np.array([-4.0, 0.0, 1.5, 4.0]))[0]
    array([0.  , 0.5 , 0.75, 1.  ])
    """
    if not 0 < slope < np.inf:
        raise OptionError(f"hard_sigmoid: expected a slope above 0, got {slope}. 1/6 and 0.2 are usual.")
    A = np.multiply(Z, slope, out=out)
    A += 0.5
    np.maximum(A, 0, out=A)
    np.minimum(A, 1, out=A)
    return A, OptionCache(A, slope)


@derivative_of(hard_sigmoid_forward)
def hard_sigmoid_backward(dA: Array, cache: OptionCache, *, dZ: Array | None = None) -> Array:
    """dZ = slope dA where 0 < A < 1, else 0.

    Courbariaux, Bengio and David, 2015.

    Examples
    --------
    >>> _, cache = hard_sigmoid_forward(np.array([-4.0, 0.0, 4.0]), slope=0.2)
    >>> hard_sigmoid_backward(np.ones(3), cache)
    array([0. , 0.2, 0. ])
    """
    A, slope = cache
    product: Array = np.multiply(dA, (A > 0) & (A < 1), out=dZ)
    product *= slope
    return product


def hard_swish_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, GatedCache]:
    """Return A = Z min(max(Z / 6 + 1/2, 0), 1).

    Examples
    --------
    >>> hard_swish_forward(np.array([-4.0, 0.0, 1.5, 4.0]))[0]
    array([-0.   ,  0.   ,  1.125,  4.   ])
    """
    S, _ = hard_sigmoid_forward(Z)
    return _gated(Z, S, out)


@derivative_of(hard_swish_forward)
def hard_swish_backward(dA: Array, cache: GatedCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA (S + Z / 6 where 0 < S < 1), S = min(max(Z / 6 + 1/2, 0), 1).

    Howard et al., 2019, section 5.2.

    Examples
    --------
    >>> _, cache = hard_swish_forward(np.array([-4.0, 0.0, 4.0]))
    >>> hard_swish_backward(np.ones(3), cache)
    array([0. , 0.5, 1. ])
    """
    Z, S = cache
    slopes = Z * (1 / 6)
    slopes *= (S > 0) & (S < 1)
    slopes += S
    return np.multiply(dA, slopes, out=dZ)


def softplus_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = log(1 + exp(Z)), a smooth max(Z, 0).

    Examples
    --------
    >>> softplus_forward(np.array([-1000.0, 0.0, 1000.0]))[0].round(4)
    array([0.000e+00, 6.931e-01, 1.000e+03])
    """
    below = np.log1p(np.exp(-np.abs(Z)))  # of no large number
    A: Array = np.maximum(Z, 0, out=out)
    A += below
    return A, OutputCache(A)


@derivative_of(softplus_forward)
def softplus_backward(dA: Array, cache: OutputCache, *, dZ: Array | None = None) -> Array:
    """dZ = dA (1 - exp(-A)), which is dA sigmoid(Z).

    Dugas et al., 2001.

    Examples
    --------
    >>> _, cache = softplus_forward(np.zeros(1))
    >>> softplus_backward(np.ones(1), cache)
    array([0.5])
    """
    return np.multiply(dA, -np.expm1(-cache.A), out=dZ)


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def selu_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = 1.0507 Z where Z > 0, else 1.7581 (exp(Z) - 1): elu, scaled to keep mean 0 and variance 1.

    Examples
    --------
    >>> selu_forward(np.array([-1000.0, 0.0, 2.0]))[0].round(4)
    array([-1.7581,  0.    ,  2.1014])
    """
    A, _ = elu_forward(Z, alpha=_SELU_ALPHA, out=out)
    A *= _SELU_SCALE
    return A, OutputCache(A)


@derivative_of(selu_forward)
def selu_backward(dA: Array, cache: OutputCache, *, dZ: Array | None = None) -> Array:
    """dZ = 1.0507 dA where A > 0, else dA (A + 1.7581).

    Klambauer et al., 2017, equation 2.

    Examples
    --------
    >>> _, cache = selu_forward(np.array([-1000.0, 2.0]))
    >>> selu_backward(np.ones(2), cache).round(4)
    array([0.    , 1.0507])
    """
    slopes = np.minimum(cache.A, 0) + _SELU_SCALE * _SELU_ALPHA
    np.copyto(slopes, _SELU_SCALE, where=cache.A > 0)
    return np.multiply(dA, slopes, out=dZ)


def softmax_forward(Z: Array, *, out: Array | None = None) -> tuple[Array, OutputCache]:
    """Return A = exp(Z) / sum exp(Z), over the last axis: positive numbers that sum to 1.

    Omit it before a loss that takes logits: the loss applies its own, and is exact where this one rounds.

    Examples
    --------
    >>> softmax_forward(np.array([[0.0, 0.0], [1000.0, -1000.0]]))[0]
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    highest = Z.max(axis=-1, keepdims=True)
    A = np.subtract(Z, highest, out=out)  # a shift changes nothing in the end, and keeps exp from overflowing
    np.exp(A, out=A)
    A /= A.sum(axis=-1, keepdims=True)
    return A, OutputCache(A)


@derivative_of(softmax_forward)
def softmax_backward(dA: Array, cache: OutputCache, *, dZ: Array | None = None) -> Array:
    """dZ = A (dA - sum dA A), the sum over the last axis.

    That is the Jacobian, diag(A) - A A^T, times dA: every output depends on every input. Bridle, 1990.

    Examples
    --------
    >>> _, cache = softmax_forward(np.zeros((1, 2)))
    >>> softmax_backward(np.array([[1.0, 0.0]]), cache)
    array([[ 0.25, -0.25]])
    """
    A = cache.A
    shared = (dA * A).sum(axis=-1, keepdims=True)
    product: Array = np.subtract(dA, shared, out=dZ)
    product *= A
    return product
