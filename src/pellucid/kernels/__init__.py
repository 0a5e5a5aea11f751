"""The fast twins of ops, under the same function names; imported by :mod:`pellucid.dispatch`, and by optimizers.

A fast twin takes what its plain twin takes, perhaps scratch memory too, and returns the same to within rounding.
"""

LOWEST_NUMBA = (0, 61)
