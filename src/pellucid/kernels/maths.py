"""exp, tanh and the like for kernels: polynomials that become vector instructions, where calls of a library stay.

Each takes a number of float32 or float64, is right to about two units in its last place, and passes NaN and
infinity on. Numbers below the smallest normal one become 0. The coefficients interpolate at Chebyshev nodes, so
that errors are spread evenly over the interval. The disk cache's keys have this file's text in them.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from pellucid.kernels.compiled import inlined


class Numbers(NamedTuple):
    """Constants of one dtype."""

    magic: Any  # 1.5 times 2^(digits of a mantissa): a number added to it is rounded, to its last bits
    splitter: Any  # 2^(half the digits) + 1, of Veltkamp's splitting
    lowest: Any  # exp of less is 0
    highest: Any  # exp of more is infinity
    log2_high: Any  # log 2 in two parts, of which the first has few digits, so that n log2_high is exact
    log2_low: Any
    expm1: Any  # (exp(r) - 1 - r) / r^2, |r| <= log(2) / 2
    atanh: Any  # (atanh(sqrt z) / sqrt z - 1) / z, 0 <= z <= 1/9
    mills_even: (
        Any  # (x + 4) exp(x^2 / 2) Phi(-x) of u = (x - 4) / (x + 4), 0 <= x <= 40: the even powers of u
    )
    mills_odd: Any  # and the odd ones; a single loop of 22 turns would not be unrolled


def _numbers(dtype: Any, *fields: Any) -> Numbers:
    return Numbers(*(tuple(map(dtype, f)) if isinstance(f, tuple) else dtype(f) for f in fields))


# fmt: off
FLOAT32 = _numbers(
    np.float32, 1.5 * 2**23, 2**12 + 1, -86.9, 89, 0.693145751953125, 1.428606820309417e-06,
    (0.500000001, 0.166666667, 0.0416664647, 0.0083333109, 0.00139336737, 0.000198910172),
    (0.333333337, 0.199998532, 0.14296179, 0.108532879, 0.116121646),
    (0.755285137, 0.387136894, 0.0604024346, -0.00350332879, 0.000172187453, -2.39983813e-5),
    (-0.607896598, -0.186523049, -0.0075305916, 0.00159763378, -0.000178074881),
)
FLOAT64 = _numbers(
    np.float64, 1.5 * 2**52, 2**27 + 1, -708, 710, 0.693147180369123816490, 1.90821492927058770002e-10,
    (0.5, 0.16666666666666671, 0.04166666666666667, 0.0083333333333261199, 0.0013888888888883737,
     0.00019841269874873975, 2.4801587325585839e-5, 2.7557255332554409e-6, 2.7557273594799413e-7,
     2.510524515390137e-8, 2.0914707069612353e-9),
    (0.33333333333333484, 0.19999999999780064, 0.14285714338330498, 0.11111106278964856, 0.090911305542098731,
     0.076866374381790011, 0.067511712358785502, 0.05161334635249541, 0.084353503305486047),
    (0.75528513041575153, 0.38713740074220451, 0.060396574891366597, -0.003479692374093425,
     0.00013334435888957091, -1.9083833918911289e-6, 7.1646936023436911e-7, -6.2737157875147046e-7,
     2.6488374333670939e-7, -7.5038215381793959e-8, 1.1627945885955582e-8),
    (-0.60789664197189085, -0.18652185795978692, -0.0075401889627454121, 0.0016308184012054895,
     -0.00023109449502025509, 3.5142622827763733e-5, -5.9141532077690857e-6, 1.0106593524647589e-6,
     -1.4340795532318193e-7, 7.3518990040142761e-9, 2.1373040012816807e-9),
)
# fmt: on


def numbers(x: Any) -> Numbers:
    """Return the constants of a number's dtype."""
    return FLOAT32 if isinstance(x, np.float32) else FLOAT64


@overload(numbers, strict=False)
def _numbers_of_type(x: Any) -> Any:
    constants = FLOAT32 if x == types.float32 else FLOAT64
    return lambda x: constants


def half_power(rounded: Any) -> Any:
    """Return 2^(n - 1) from n + magic, whose last bits are n: they are moved to where the exponent stands."""
    return np.exp2(rounded - numbers(rounded).magic - type(rounded)(1))


@overload(half_power, strict=False)
def _half_power_of_type(rounded: Any) -> Any:
    if rounded == types.float32:
        return lambda rounded: np.int32(
            (np.float32(rounded).view(np.int32) << np.int32(23)) + np.int32(126 << 23)
        ).view(np.float32)
    return lambda rounded: np.int64(
        (np.float64(rounded).view(np.int64) << np.int64(52)) + np.int64(1022 << 52)
    ).view(np.float64)


@inlined
def polynomial(x: Any, coefficients: Any) -> Any:
    """c0 + c1 x + c2 x^2 + ..., by Horner's rule."""
    y = coefficients[-1]
    for i in range(len(coefficients) - 2, -1, -1):
        y = y * x + coefficients[i]
    return y


@inlined
def reduced(x: Any, low: Any) -> Any:
    """exp(x + low) = 2^n exp(r), |r| <= log(2) / 2: return exp(r) - 1 and 2^(n - 1), x below ``highest``."""
    # (x + magic) - magic is x rounded, not x: an inlined function's sums keep their order
    T, c = type(x), numbers(x)
    rounded = x * T(1 / math.log(2)) + c.magic
    n = rounded - c.magic
    r = ((x - n * c.log2_high) - n * c.log2_low) + low
    return r + r * r * polynomial(r, c.expm1), half_power(rounded)


@inlined
def exp_of_sum(x: Any, low: Any) -> Any:
    """exp(x + low), low small beside x."""
    T, c = type(x), numbers(x)
    rest, half = reduced(c.highest if x > c.highest else x, low)
    y = (T(1) + rest) * half * T(2)  # twice the half: 2^128 is no float32, though exp(88.5) is
    return T(0) if x < c.lowest else y


@inlined
def exp(x: Any) -> Any:
    """e^x."""
    return exp_of_sum(x, type(x)(0))


@inlined
def expm1(x: Any) -> Any:
    """e^x - 1, all digits of which are right near 0; infinity from ``highest`` - 1 on."""
    T, c = type(x), numbers(x)
    clipped = c.highest if x > c.highest else (c.lowest if x < c.lowest else x)
    rest, half = reduced(clipped, T(0))
    return T(2) * (half * rest + (half - T(0.5)))


@inlined
def tanh(x: Any) -> Any:
    """(e^2x - 1) / (e^2x + 1), with e^2x - 1 from ``expm1``."""
    T = type(x)
    y = abs(x)
    e = expm1(T(2) * (T(22) if y > T(22) else y))  # from 22 on it is 1
    y = e / (e + T(2))
    return -y if x < T(0) else y


@inlined
def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x): small ones keep all their digits."""
    T = type(x)
    return T(1) / (T(1) + exp(-x))


@inlined
def log1p(x: Any) -> Any:
    """log(1 + x), x from 0 to 1: 2 atanh(s) with s = x / (2 + x)."""
    T = type(x)
    s = x / (T(2) + x)
    z = s * s
    return T(2) * (s + s * z * polynomial(z, numbers(x).atanh))


@inlined
def normal_density(x: Any) -> Any:
    """e^(-x^2 / 2) / sqrt(2 pi); the square is split in two, or its rounding would cost a far tail its digits."""
    T, c = type(x), numbers(x)
    y = abs(x)
    y = T(40) if y > T(40) else y
    big = y * c.splitter
    high = big - (big - y)
    return exp_of_sum(T(-0.5) * high * high, T(0.5) * (high - y) * (high + y)) * T(1 / math.sqrt(2 * math.pi))


@inlined
def normal_distribution(x: Any, density: Any) -> Any:
    """Phi(x), the standard normal distribution function, from the density at x: its tail keeps all its digits."""
    T, c = type(x), numbers(x)
    y = abs(x)
    y = T(40) if y > T(40) else y
    w = T(1) / (y + T(4))
    u = (y - T(4)) * w
    ratio = polynomial(u * u, c.mills_even) + u * polynomial(u * u, c.mills_odd)
    tail = density * T(math.sqrt(2 * math.pi)) * ratio * w
    return tail if x < T(0) else T(1) - tail
