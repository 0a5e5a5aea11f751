"""The one switch between a plain op and its fast twin.

``ops`` holds the formulas in plain NumPy, ``kernels`` a fast twin of what is hot. The rooms above import both from
here: the functions below have the plain ops' names and meaning, and run the fast twin unless the plain one is asked
for, by ``with use("plain"):`` or by the environment variable ``PELLUCID_KERNELS=plain``. Ops that are missing here
have no fast twin and are imported from ``ops``.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from typing import Any, NamedTuple, TypeVar

from pellucid.errors import OptionError, unknown_name
from pellucid.kernels import batch_norm as fast_batch_norm
from pellucid.kernels import colour as fast_colour
from pellucid.kernels import conv as fast_conv
from pellucid.kernels import conv_norm_pool as fast_conv_norm_pool
from pellucid.kernels import dropout as fast_dropout
from pellucid.kernels import layer_norm as fast_layer_norm
from pellucid.kernels import linear as fast_linear
from pellucid.kernels import norm_pool as fast_norm_pool
from pellucid.kernels import pool as fast_pool
from pellucid.ops import batch_norm, colour, conv, dropout, fused, layer_norm, linear, pool

CHOICES = ("fast", "plain")
VARIABLE = "PELLUCID_KERNELS"
Function = TypeVar("Function", bound=Callable[..., Any])


class Twins(NamedTuple):
    """An op's two implementations. The fast one may take scratch memory in addition."""

    plain: Callable[..., Any]
    fast: Callable[..., Any]


TWINS: dict[str, Twins] = {}  # every function of this module that has twins, by name
_chosen = "fast"


def current() -> str:
    """Return "fast" or "plain": which of the twins run.

    Examples
    --------
    >>> current()
    'fast'
    """
    return _chosen


@contextmanager
def use(choice: str) -> Iterator[None]:
    """Run the fast or the plain twins inside this block, in every thread of this process.

    Parameters
    ----------
    choice : {"fast", "plain"}

    Raises
    ------
    OptionError
        If there is no such choice.

    Examples
    --------
    >>> with use("plain"):
    ...     current()
    'plain'
    """
    global _chosen
    before, _chosen = _chosen, _checked(choice)
    try:
        yield
    finally:
        _chosen = before


def _checked(choice: str, where: str = "use") -> str:
    if choice not in CHOICES:
        raise OptionError(f"{where}: {unknown_name('choice of kernels', choice, CHOICES)}")
    return choice


def twins(plain: Callable[..., Any], fast: Function) -> Function:
    """Return a function that runs the chosen one, and register both in ``TWINS``.

    Rooms above that have formulas of their own, such as the optimizers, use it for theirs.

    Parameters
    ----------
    plain : callable
    fast : callable
        Takes what the plain one takes, and perhaps further keywords, which the plain one is not given.

    Examples
    --------
    >>> double = twins(lambda x: x + x, lambda x, *, scratch=None: 2 * x)
    >>> with use("plain"):
    ...     double(3, scratch=[])
    6
    >>> del TWINS["<lambda>"]
    """
    taken = frozenset(signature(plain).parameters)

    @wraps(plain)
    def run(*arguments: Any, **options: Any) -> Any:
        if _chosen == "fast":
            return fast(*arguments, **options)
        return plain(*arguments, **{name: value for name, value in options.items() if name in taken})

    TWINS[plain.__name__] = Twins(plain, fast)
    return run  # type: ignore[return-value]  # it takes what the fast twin takes


linear_forward = twins(linear.linear_forward, fast_linear.linear_forward)
linear_backward = twins(linear.linear_backward, fast_linear.linear_backward)
conv2d_forward = twins(conv.conv2d_forward, fast_conv.conv2d_forward)
conv2d_backward = twins(conv.conv2d_backward, fast_conv.conv2d_backward)
max_pool_forward = twins(pool.max_pool_forward, fast_pool.max_pool_forward)
max_pool_backward = twins(pool.max_pool_backward, fast_pool.max_pool_backward)
average_pool_forward = twins(pool.average_pool_forward, fast_pool.average_pool_forward)
average_pool_backward = twins(pool.average_pool_backward, fast_pool.average_pool_backward)
global_average_forward = twins(pool.global_average_forward, fast_pool.global_average_forward)
batch_norm_forward = twins(batch_norm.batch_norm_forward, fast_batch_norm.batch_norm_forward)
batch_norm_backward = twins(batch_norm.batch_norm_backward, fast_batch_norm.batch_norm_backward)
batch_norm_inference_forward = twins(
    batch_norm.batch_norm_inference_forward, fast_batch_norm.batch_norm_inference_forward
)
batch_norm_inference_backward = twins(
    batch_norm.batch_norm_inference_backward, fast_batch_norm.batch_norm_inference_backward
)
layer_norm_forward = twins(layer_norm.layer_norm_forward, fast_layer_norm.layer_norm_forward)
layer_norm_backward = twins(layer_norm.layer_norm_backward, fast_layer_norm.layer_norm_backward)
dropout_forward = twins(dropout.dropout_forward, fast_dropout.dropout_forward)
mean_colours = twins(colour.mean_colours, fast_colour.mean_colours)
recolour = twins(colour.recolour, fast_colour.recolour)

# Fused ops: nn/fusion uses these in place of layers that follow one another.
norm_relu_pool_forward = twins(fused.norm_relu_pool_forward, fast_norm_pool.norm_relu_pool_forward)
norm_relu_pool_backward = twins(fused.norm_relu_pool_backward, fast_norm_pool.norm_relu_pool_backward)
conv_norm_relu_pool_forward = twins(
    fused.conv_norm_relu_pool_forward, fast_conv_norm_pool.conv_norm_relu_pool_forward
)
conv_norm_relu_pool_backward = twins(
    fused.conv_norm_relu_pool_backward, fast_conv_norm_pool.conv_norm_relu_pool_backward
)
conv_norm_pool_fits = fast_conv_norm_pool.fits

_chosen = _checked(os.environ.get(VARIABLE, "fast"), VARIABLE)
