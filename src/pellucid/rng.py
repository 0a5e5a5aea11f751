"""Where every random number comes from: one seed, and independent streams for each purpose."""

import zlib
from typing import TypeAlias

import numpy as np

from pellucid.errors import OptionError

Seed: TypeAlias = "int | np.random.Generator"


def stream(seed: int, purpose: str, epoch: int = 0) -> "np.random.Generator":
    """Return the generator for one purpose and epoch.

    Streams of different purposes are independent, so that adding dropout does not change the order of the
    batches, and epoch 7 can be drawn without drawing epochs 0 to 6.

    Parameters
    ----------
    seed : int, at least 0
    purpose : str
        A short name such as ``"batches"``.
    epoch : int, optional

    Returns
    -------
    numpy.random.Generator
        A PCG64 stream seeded by all three.

    Examples
    --------
    >>> a, b = stream(1, "batches"), stream(1, "dropout")
    >>> bool(a.random() == b.random())
    False
    >>> bool(stream(1, "batches", 7).random() == stream(1, "batches", 7).random())
    True
    """
    if seed < 0:
        raise OptionError(f"seed: expected a whole number of at least 0, got {seed}.")
    words = np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), epoch])
    return np.random.Generator(np.random.PCG64(words))


def legacy_stream(seed: int) -> "np.random.RandomState":
    """Return the generator of NumPy before 1.17, which the published weights were drawn from.

    Nothing else may use it; it is a separate stream and leaves NumPy's global one alone.
    """
    return np.random.RandomState(seed)
