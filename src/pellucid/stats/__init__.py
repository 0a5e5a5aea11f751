"""Statistics: intervals, the bootstrap, tests of paired predictions, t tests, rank correlation.

Plain numbers and arrays in, plain records out. Any room but text, files, rng, types and errors may import it.
"""
