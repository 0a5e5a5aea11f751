"""Operations and their derivatives in plain NumPy: the formulas.

Each is a pair of functions, a forward that returns its output and a cache, and a backward that takes the gradient
for that output and the cache. Imported by kernels, dispatch and every room above them; an op with a fast twin is
imported from :mod:`pellucid.dispatch`.
"""
