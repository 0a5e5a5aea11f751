"""Operations and their derivatives in plain NumPy: the formulas.

Each is a pair of functions, a forward that returns its output and a cache, and a backward that takes the gradient
for that output and the cache. Other rooms import an op that has a fast twin from :mod:`pellucid.dispatch`.
"""
